//! Functions of a series give the same bits for any order, batch, partition and thread, and after spilling.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};

const QUERY: &str = "SELECT k, forecast(d, v, 3, season => 12, model => 'auto') FILTER (WHERE v > -1e9) AS f FROM series \
                     GROUP BY k ORDER BY k";
const WHOLE: &str = "SELECT forecast(d, v, 4) AS f FROM series WHERE k = 'k0008'";

const BACKTEST: &str = "SELECT k, backtest(d, v, 3, 2, 'auto', 12, 'zero', 'lunar_new_year', 0.5) AS b FROM series GROUP BY k ORDER BY k";
const EXPLANATION: &str = "SELECT k, forecast_explain(d, v, 2, 'auto', 12, 'zero', 'lunar_new_year') AS e FROM series GROUP BY k ORDER BY k";
const NOWCAST: &str = "SELECT k, nowcast(d, CASE WHEN d < '2024-12-01' THEN v END, 0.3 * v, 'smedian') AS n FROM series GROUP BY k ORDER BY k";
const TABLE: &str = "SELECT * FROM ai_forecast((SELECT * FROM series), data_col => 'v', timestamp_col => 'd', \
                     id_cols => ['k'], horizon => 2, calendar => 'lunar_new_year') ORDER BY k, forecast_timestamp";

const MONTHS: u32 = 60;

/// `groups` series of [`MONTHS`] months, of which some miss months, repeat one, or hold NULL.
fn rows(groups: u32) -> Result<RecordBatch> {
    let mut keys = Vec::new();
    let mut days = Vec::new();
    let mut values = Vec::new();
    for group in 0..groups {
        for month in 0..MONTHS {
            if group % 7 == 3 && month == 11 {
                continue;
            }
            keys.push(format!("k{group:04}"));
            let month = if group % 11 == 5 && month == 20 { 19 } else { month };
            let date =
                chrono::NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date") + chrono::Months::new(month);
            let days_since = (date - chrono::NaiveDate::default()).num_days();
            days.push(i32::try_from(days_since).expect("a day of our time"));
            let value = f64::from((group * 31 + month * 17) % 101) + 50.0 * f64::from(month % 12) + 0.1;
            values.push((group % 5 != 2 || month != 8).then_some(value));
        }
    }
    let keys: ArrayRef = Arc::new(StringArray::from(keys));
    let days: ArrayRef = Arc::new(Date32Array::from(days));
    let values: ArrayRef = Arc::new(Float64Array::from(values));
    Ok(RecordBatch::try_from_iter_with_nullable([("k", keys, true), ("d", days, true), ("v", values, true)])?)
}

/// The rows in an order of their own for every `seed`; 0 leaves them as they are.
fn shuffled(batch: &RecordBatch, seed: u64) -> Result<RecordBatch> {
    let mut order: Vec<u64> = (0..).take(batch.num_rows()).collect();
    if seed > 0 {
        order.sort_by_key(|row| (row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ (seed << 17)));
    }
    let order = arrow::array::UInt64Array::from(order);
    let columns = batch
        .columns()
        .iter()
        .map(|column| arrow::compute::take(column, &order, None))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

struct Layout {
    seed: u64,
    partitions: usize,
    batch: usize,
    threads: usize,
    memory: Option<usize>,
}

const PLAIN: Layout = Layout { seed: 0, partitions: 1, batch: 8192, threads: 1, memory: None };

fn session(layout: &Layout) -> Result<SessionContext> {
    let config = SessionConfig::new()
        .with_target_partitions(layout.threads)
        .with_batch_size(layout.batch)
        .with_sort_spill_reservation_bytes(16_384);
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = layout.memory {
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
    }
    let mut session = SessionContext::new_with_config_rt(config, runtime.build_arc()?);
    // As in the engine's sessions: the rule drops sort keys over the rows that UNNEST makes of groups.
    session.remove_optimizer_rule("eliminate_duplicated_expr");
    tithe_udfs::register_all(&mut session)?;
    Ok(session)
}

fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.spill_count()).unwrap_or(0);
    own + plan.children().into_iter().map(spills).sum::<usize>()
}

/// The printed answer, the plan, and how often it spilled.
async fn answer(sql: &str, all: &RecordBatch, layout: &Layout) -> Result<(String, String, usize)> {
    let all = shuffled(all, layout.seed)?;
    let mut parts = vec![Vec::new(); layout.partitions];
    for (position, start) in (0..all.num_rows()).step_by(layout.batch).enumerate() {
        let length = layout.batch.min(all.num_rows() - start);
        parts[position % layout.partitions].push(all.slice(start, length));
    }
    let session = session(layout)?;
    session.register_table("series", Arc::new(MemTable::try_new(all.schema(), parts)?))?;
    let plan = session.sql(sql).await?.create_physical_plan().await?;
    let batches = collect(Arc::clone(&plan), session.task_ctx()).await?;
    let shape = datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string();
    Ok((pretty_format_batches(&batches)?.to_string(), shape, spills(&plan)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_depend_on_no_order_batch_partition_or_thread() -> Result<()> {
    let all = rows(40)?;
    for (sql, ok) in [
        (QUERY, "status: ok"),
        (WHOLE, "status: ok"),
        (BACKTEST, "status: ok"),
        (EXPLANATION, "status: ok"),
        (NOWCAST, "status: ok"),
        (TABLE, "| ok "),
    ] {
        let (expected, ..) = answer(sql, &all, &PLAIN).await?;
        assert!(expected.contains(ok), "{expected}");
        for (seed, partitions, batch, threads) in [(1, 1, 1, 1), (2, 4, 7, 4), (3, 8, 130, 3)] {
            let layout = Layout { seed, partitions, batch, threads, memory: None };
            let (found, shape, _) = answer(sql, &all, &layout).await?;
            assert_eq!(found, expected, "{sql}: {partitions} partitions of {batch} rows");
            if partitions > 1 {
                assert!(shape.contains("mode=Partial") && shape.contains("mode=Final"), "{shape}");
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_do_not_change_when_memory_is_short() -> Result<()> {
    let all = rows(600)?;
    let sql = "SELECT k, forecast(d, v, 2, 'snaive') AS f FROM series GROUP BY k ORDER BY k";
    let (expected, ..) = answer(sql, &all, &PLAIN).await?;
    let layout = Layout { seed: 4, partitions: 4, batch: 256, threads: 2, memory: Some(2_000_000) };
    let (found, shape, spilled) = answer(sql, &all, &layout).await?;
    assert!(spilled > 0, "nothing was spilled: {shape}");
    assert!(found == expected, "spilling changed the answer");
    Ok(())
}
