//! Answers that are kept for whoever asks the same of the same files with the same permissions: what dashboards do.
//!
//! `key` says what "the same" is, `keep` gathers an answer while it is delivered.

mod keep;
mod key;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use moka::sync::Cache;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

pub(crate) use keep::{Keeper, keep};
pub(crate) use key::{ResultKey, result_key};

/// An answer may take this share of the cache, so that one large one does not drive out all others.
const SHARE_OF_ONE: usize = 8;
/// What nobody has asked for so long is forgotten.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// The answers of one engine. It holds memory for queries, and takes no more when there is none left.
#[derive(Debug)]
pub(crate) struct ResultCache {
    answers: Cache<ResultKey, Arc<Answer>>,
    capacity: usize,
    pool: Arc<dyn MemoryPool>,
    hits: Counter,
    misses: Counter,
}

/// The rows of one query.
#[derive(Debug)]
struct Answer {
    rows: RecordBatch,
    bytes: usize,
    /// Gives the memory back when the last one who delivers the answer lets go of it.
    _reservation: MemoryReservation,
}

impl ResultCache {
    /// A cache of `capacity` bytes that are counted against `pool`.
    pub(crate) fn new(capacity: usize, pool: Arc<dyn MemoryPool>) -> Self {
        let weigh = |_key: &ResultKey, answer: &Arc<Answer>| u32::try_from(answer.bytes).unwrap_or(u32::MAX);
        let answers = Cache::builder()
            .max_capacity(u64::try_from(capacity).unwrap_or(u64::MAX))
            .weigher(weigh)
            .time_to_idle(IDLE)
            .build();
        Self { answers, capacity, pool, hits: Counter::default(), misses: Counter::default() }
    }

    /// The rows of an answer that is kept.
    pub(crate) fn get(&self, key: &ResultKey) -> Option<RecordBatch> {
        let found = self.answers.get(key).map(|answer| answer.rows.clone());
        match &found {
            Some(_) => self.hits.inc(),
            None => self.misses.inc(),
        };
        found
    }

    /// Bytes that one answer may have.
    fn most_bytes(&self) -> usize {
        self.capacity / SHARE_OF_ONE
    }

    /// Keeps an answer if there is room for it.
    fn put(&self, key: ResultKey, rows: &[RecordBatch]) {
        let Some(first) = rows.first() else { return };
        let Some(rows) = concat_batches(first.schema_ref(), rows).ok().and_then(compact) else { return };
        let bytes = rows.get_array_memory_size() + key.size();
        if bytes > self.most_bytes() {
            return;
        }
        let reservation = MemoryConsumer::new("answers that are kept").register(&self.pool);
        if reservation.try_grow(bytes).is_ok() {
            self.answers.insert(key, Arc::new(Answer { rows, bytes, _reservation: reservation }));
        }
    }

    /// Makes its counts known.
    pub(crate) fn register_metrics(&self, registry: &mut Registry) {
        let hits = "Queries answered from the result cache";
        registry.register("result_cache_hits", hits, self.hits.clone());
        let misses = "Queries that could have been answered from the result cache and were not in it";
        registry.register("result_cache_misses", misses, self.misses.clone());
    }
}

/// The same rows without what their texts' buffers hold besides.
fn compact(rows: RecordBatch) -> Option<RecordBatch> {
    let columns = rows.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()) as ArrayRef,
        _ => Arc::clone(column),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(rows.schema(), columns.collect(), &options).ok()
}
