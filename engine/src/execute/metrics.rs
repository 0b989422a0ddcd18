//! What the queries of an engine have done so far, for whoever operates it.

use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper ends of the classes of durations, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 600.0, 3600.0];

/// Counts of ended queries. Names of people, tables and statements are not in them.
#[derive(Debug, Clone)]
pub(crate) struct QueryMetrics {
    ended: Family<Outcomes, Counter>,
    seconds: Histogram,
    rows: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcomes {
    outcome: &'static str,
}

impl Default for QueryMetrics {
    fn default() -> Self {
        Self { ended: Family::default(), seconds: Histogram::new(SECONDS), rows: Counter::default() }
    }
}

impl QueryMetrics {
    /// Counts a query that has ended; `outcome` as in the audit.
    pub(crate) fn count(&self, outcome: &'static str, took: Duration, rows: u64) {
        self.ended.get_or_create(&Outcomes { outcome }).inc();
        self.seconds.observe(took.as_secs_f64());
        self.rows.inc_by(rows);
    }

    /// Makes them known, with the memory of `pool`.
    pub(crate) fn register(&self, registry: &mut Registry, pool: &Arc<dyn MemoryPool>) {
        registry.register("queries", "Queries that have ended, by how", self.ended.clone());
        registry.register_with_unit(
            "query",
            "Time from planning to the end of a query",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register("rows", "Rows that queries have delivered", self.rows.clone());
        registry.register_collector(Box::new(Memory(Arc::clone(pool))));
        registry.register_collector(Box::new(Forecasts));
    }
}

/// Read when asked for.
#[derive(Debug)]
struct Memory(Arc<dyn MemoryPool>);

impl Collector for Memory {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut gauge = |name: &str, help: &str, bytes: usize| {
            let gauge = ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, Some(&Unit::Bytes), gauge.metric_type())?)
        };
        gauge("memory_reserved", "Memory that queries hold", self.0.reserved())?;
        match self.0.memory_limit() {
            MemoryLimit::Finite(bytes) => {
                gauge("memory_limit", "Memory that queries may hold before they spill", bytes)
            }
            _ => Ok(()),
        }
    }
}

/// Where the functions of a series, and `influencer_income`, have computed in this process; read when asked for.
#[derive(Debug)]
struct Forecasts;

impl Collector for Forecasts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let tithe_udfs::Computed {
            series_on_processor,
            series_on_device,
            searches_on_device,
            device_failures,
            creators_on_processor,
            creators_on_device,
            draw_failures,
        } = tithe_udfs::computed();
        let mut counter = |name: &str, help: &str, count: u64| {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
        };
        counter(
            "forecast_series_cpu",
            "Series whose parameters were searched on the CPU",
            series_on_processor,
        )?;
        counter("forecast_series_gpu", "Series whose parameters were searched on a GPU", series_on_device)?;
        counter("forecast_searches_gpu", "Parameter searches that ran on a GPU", searches_on_device)?;
        counter("forecast_gpu_failures", "Batches of searches that a GPU failed", device_failures)?;
        counter("income_creators_cpu", "Creators whose income was drawn on the CPU", creators_on_processor)?;
        counter("income_creators_gpu", "Creators whose income was drawn on a GPU", creators_on_device)?;
        counter("income_gpu_failures", "Batches of draws that a GPU failed", draw_failures)
    }
}
