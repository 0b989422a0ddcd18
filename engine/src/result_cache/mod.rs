//! Answers that are kept for whoever asks the same of the same files with the same permissions: what dashboards do.
//!
//! `key` says what "the same" is, `keep` gathers an answer while it is delivered, `statements` tells by its text alone that a
//! statement was asked before, and `ask` is how a session comes to it.

mod ask;
mod keep;
mod key;
mod statements;

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::logical_expr::LogicalPlan;
use moka::sync::Cache;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

pub(crate) use keep::{Keeper, keep};
pub(crate) use key::{ResultKey, result_key};
pub(crate) use statements::{KnownStatement, Planned, StatementKey};

/// An answer may take this share of the cache, so that one large one does not drive out all others.
const SHARE_OF_ONE: usize = 8;
/// Plans of statements may take this share of it.
const SHARE_OF_STATEMENTS: usize = 4;
/// What nobody has asked for so long is forgotten.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// The answers of one engine. It holds memory for queries, and takes no more when there is none left.
#[derive(Debug)]
pub(crate) struct ResultCache {
    answers: Cache<ResultKey, Arc<Answer>>,
    statements: Cache<StatementKey, Arc<KnownStatement>>,
    capacity: usize,
    pool: Arc<dyn MemoryPool>,
    hits: Counter,
    misses: Counter,
    known: Counter,
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
        let answers = cache(capacity, |answer: &Answer| answer.bytes);
        let statements = cache(capacity / SHARE_OF_STATEMENTS, KnownStatement::bytes);
        let (hits, misses, known) = (Counter::default(), Counter::default(), Counter::default());
        Self { answers, statements, capacity, pool, hits, misses, known }
    }

    /// What is known of a statement; its tables may have changed since.
    pub(crate) fn statement(&self, key: &StatementKey) -> Option<Arc<KnownStatement>> {
        self.statements.get(key)
    }

    /// Forgets a statement whose tables have changed.
    pub(crate) fn forget(&self, key: &StatementKey) {
        self.statements.invalidate(key);
    }

    /// Remembers a statement whose answer has the key `answer`, if it may be asked again and there is room for it.
    ///
    /// # Errors
    /// When its plan cannot be walked.
    pub(crate) fn remember(
        &self,
        key: StatementKey,
        planned: Planned,
        optimized: &LogicalPlan,
        answer: ResultKey,
    ) -> crate::error::Result<()> {
        let room = |bytes| self.reserve("statements that are known", bytes);
        if let Some(known) = KnownStatement::of(&key, planned, optimized, answer, room)? {
            self.statements.insert(key, Arc::new(known));
        }
        Ok(())
    }

    /// The rows of a known statement's answer, if they are kept.
    pub(crate) fn answer_of(&self, known: &KnownStatement) -> Option<RecordBatch> {
        let found = self.answers.get(&known.answer).map(|answer| answer.rows.clone());
        // Whoever does not find it here asks once more, and counts that.
        if found.is_some() {
            self.hits.inc();
            self.known.inc();
        }
        found
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
        // No rows are an answer too.
        let schema = rows.first().map_or(&key.schema, RecordBatch::schema_ref);
        let Some(rows) = concat_batches(schema, rows).ok().and_then(compact) else { return };
        let bytes = rows.get_array_memory_size() + key.size();
        if let Some(reservation) = self.reserve("answers that are kept", bytes) {
            self.answers.insert(key, Arc::new(Answer { rows, bytes, _reservation: reservation }));
        }
    }

    /// Memory of one entry, unless it is too large or there is none left.
    fn reserve(&self, name: &str, bytes: usize) -> Option<MemoryReservation> {
        if bytes > self.most_bytes() {
            return None;
        }
        let reservation = MemoryConsumer::new(name).register(&self.pool);
        reservation.try_grow(bytes).ok().map(|()| reservation)
    }

    /// Makes its counts known.
    pub(crate) fn register_metrics(&self, registry: &mut Registry) {
        let hits = "Queries answered from the result cache";
        registry.register("result_cache_hits", hits, self.hits.clone());
        let misses = "Queries that could have been answered from the result cache and were not in it";
        registry.register("result_cache_misses", misses, self.misses.clone());
        let known = "Queries answered from the result cache that were not even planned";
        registry.register("result_cache_known", known, self.known.clone());
    }
}

/// Of so many bytes, by what `bytes` says that an entry takes.
fn cache<K, V>(capacity: usize, bytes: fn(&V) -> usize) -> Cache<K, Arc<V>>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(u64::try_from(capacity).unwrap_or(u64::MAX))
        .weigher(move |_key, entry: &Arc<V>| u32::try_from(bytes(entry)).unwrap_or(u32::MAX))
        .time_to_idle(IDLE)
        .build()
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
