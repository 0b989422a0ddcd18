//! Each text once, as they come.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SpillFile, TaskContext};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::exec::Step;
use super::text_set::TextSet;

/// Into so many files the texts are divided that are not in the set: by so many bits of their hashes at each turn, of those that
/// the set does not go by.
const FILES: usize = 1 << BITS;
const BITS: u32 = 4;
const FILE_BITS: u64 = (1 << BITS) - 1;
const FIRST_BIT: u32 = 32;
/// Each turn divides what is left by the number of files; after so many not even the texts of one batch fit into the memory.
const TURNS: u32 = 5;

/// Takes rows, or without any ends and gives the file, which there is if it has rows. DataFusion's type has no public name.
type Writer = Box<dyn FnMut(Option<&RecordBatch>) -> Result<Option<Arc<dyn SpillFile>>> + Send>;

/// So many texts a step that is not the last remembers.
const REMEMBERED: usize = 1 << 19;
/// When so many have come, and so large a share of them was new, it gives on all of them.
const PROBED: usize = 100_000;
const HARDLY_ANY_TWICE: f64 = 0.8;

/// The texts of `input` in batches of `schema`.
pub(super) fn each_once(
    input: SendableRecordBatchStream,
    step: Step,
    schema: SchemaRef,
    partition: usize,
    context: &TaskContext,
    metrics: &ExecutionPlanMetricsSet,
) -> SendableRecordBatchStream {
    let consumer = MemoryConsumer::new(format!("DistinctTextsExec[{partition}]")).with_can_spill(true);
    let spills = SpillMetrics::new(metrics, partition);
    let spills = SpillManager::new(context.runtime_env(), spills, Arc::clone(&schema))
        .with_compression_type(context.session_config().spill_compression());
    let distinct = Distinct {
        schema: Arc::clone(&schema),
        step,
        come: 0,
        given: 0,
        source: Some(input),
        turn: 0,
        left: Vec::new(),
        null: false,
        set: TextSet::default(),
        full: false,
        away: Vec::new(),
        reservation: consumer.register(context.memory_pool()),
        spills,
        metrics: BaselineMetrics::new(metrics, partition),
    };
    let rows = stream::try_unfold(distinct, |mut distinct| async move {
        Ok::<_, DataFusionError>(distinct.next().await?.map(|batch| (batch, distinct)))
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

struct Distinct {
    schema: SchemaRef,
    step: Step,
    /// Of a step that is not the last: texts that have come, and that were new.
    come: usize,
    given: usize,
    /// Where the texts come from.
    source: Option<SendableRecordBatchStream>,
    turn: u32,
    /// Files that wait for their turn; none has texts of another.
    left: Vec<(Arc<dyn SpillFile>, u32)>,
    /// Whether NULL has been given.
    null: bool,
    /// Texts of the source that have been given.
    set: TextSet,
    /// Whether the set takes in no more, and the files that others go to.
    full: bool,
    away: Vec<Writer>,
    reservation: MemoryReservation,
    spills: SpillManager,
    metrics: BaselineMetrics,
}

impl Distinct {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            while let Some(source) = &mut self.source {
                let Some(batch) = source.next().await else {
                    self.source = None;
                    break;
                };
                let new = self.new_ones(&batch?)?;
                if new.num_rows() > 0 {
                    self.metrics.record_output(new.num_rows());
                    return Ok(Some(new));
                }
            }
            for mut writer in std::mem::take(&mut self.away) {
                self.left.extend(writer(None)?.map(|file| (file, self.turn + 1)));
            }
            (self.set, self.full) = (TextSet::default(), false);
            self.reservation.free();
            // The youngest first, so that no more wait than one turn's at each depth.
            let Some((file, turn)) = self.left.pop() else {
                self.metrics.done();
                return Ok(None);
            };
            (self.turn, self.step.column) = (turn, 0);
            self.source = Some(self.spills.read_spill_as_stream(file, None)?);
        }
    }

    /// Those of `batch` that have not come before.
    fn new_ones(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let compute = self.metrics.elapsed_compute().clone();
        let _timer = compute.timer();
        let column = batch.column(self.step.column);
        let texts = column.as_string_view();
        if !self.step.last && !self.is_worth_it(texts) {
            return self.batch(Arc::clone(column));
        }
        self.make_room(texts)?;
        let mut new = Vec::with_capacity(if self.full { 0 } else { texts.len() });
        let mut away: [Vec<u32>; FILES] = Default::default();
        for (row, view) in (0_u32..).zip(texts.views()) {
            let place = row as usize;
            if texts.is_null(place) {
                if !self.null {
                    self.null = true;
                    new.push(row);
                }
                continue;
            }
            let text = texts.value(place).as_bytes();
            let hash = self.set.hash(*view, text);
            if !self.full {
                if self.set.insert(hash, *view, text) {
                    new.push(row);
                }
            } else if !self.set.contains(hash, *view, text) {
                let file = (hash >> (FIRST_BIT + BITS * self.turn)) & FILE_BITS;
                if let Some(rows) = usize::try_from(file).ok().and_then(|file| away.get_mut(file)) {
                    rows.push(row);
                }
            }
        }
        if !self.full {
            self.reservation.try_resize(self.set.bytes())?;
        }
        for (file, rows) in away.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let rows = self.taken(column, rows)?;
            if let Some(writer) = self.away.get_mut(file) {
                writer(Some(&rows))?;
            }
        }
        self.come += texts.len();
        self.given += new.len();
        self.taken(column, new)
    }

    /// Whether a step that is not the last still tells texts apart: while they repeat, and there is memory.
    fn is_worth_it(&mut self, texts: &StringViewArray) -> bool {
        if self.full {
            return false;
        }
        if self.set.len() + texts.len() > REMEMBERED {
            self.set = TextSet::default();
        }
        let rarely = self.come >= PROBED && self.given as f64 > self.come as f64 * HARDLY_ANY_TWICE;
        let short = self.reservation.try_resize(self.set.bytes_with(texts.len(), long(texts))).is_err();
        if rarely || short {
            (self.set, self.full) = (TextSet::default(), true);
            self.reservation.free();
        }
        !self.full
    }

    fn taken(&self, column: &ArrayRef, rows: Vec<u32>) -> Result<RecordBatch> {
        if rows.len() == column.len() {
            return self.batch(Arc::clone(column));
        }
        // Of a few texts nobody is to hold the pages of all.
        let some = take(column, &UInt32Array::from(rows), None)?.as_string_view().gc();
        self.batch(Arc::new(some))
    }

    fn batch(&self, texts: ArrayRef) -> Result<RecordBatch> {
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), vec![texts])?)
    }

    /// Sees to it that the set has the memory to take in `texts`, or takes in no more.
    fn make_room(&mut self, texts: &StringViewArray) -> Result<()> {
        if self.full {
            return Ok(());
        }
        let Err(error) = self.reservation.try_resize(self.set.bytes_with(texts.len(), long(texts))) else {
            return Ok(());
        };
        if self.set.is_empty() || self.turn == TURNS {
            return Err(resources_datafusion_err!("telling texts apart: {error}"));
        }
        self.full = true;
        self.reservation.try_resize(self.set.bytes())?;
        self.away = (0..FILES).map(|_file| self.writer()).collect::<Result<_>>()?;
        Ok(())
    }

    fn writer(&self) -> Result<Writer> {
        let mut file = self.spills.create_in_progress_file("texts that are told apart later")?;
        Ok(Box::new(move |rows| match rows {
            Some(rows) => file.append_batch(rows).map(|_bytes| None),
            None => file.finish(),
        }))
    }
}

/// The bytes of texts that are outside their views, at most.
fn long(texts: &StringViewArray) -> usize {
    texts.lengths().filter(|length| *length > 12).map(|length| length as usize).sum()
}
