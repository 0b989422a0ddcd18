//! Rows that several read.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arrow::array::{Array, AsArray, RecordBatch};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SpillFile, TaskContext};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::watch;

use crate::execute::defect;

/// The rows of one partition.
///
/// A task of its own takes them from where they come from as soon as somebody asks for the first, and goes on whether or not
/// anybody does. So nobody ever waits for another reader: one side of a join may be read to its end before the other side is
/// begun, or both in turns. For that, whatever has come is kept, in memory or where there is none on disk, until as many have read
/// it as there are to read it, and nobody is reading. Whoever comes later is told so.
pub(super) struct Kept {
    state: Mutex<State>,
    /// Told when `state` has changed.
    changed: watch::Sender<()>,
    spills: SpillManager,
    /// How many are to read the rows.
    readers: usize,
}

struct State {
    /// Where the rows come from, until somebody asks for the first.
    source: Option<SendableRecordBatchStream>,
    /// Stops when it is dropped.
    task: Option<SpawnedTask<()>>,
    batches: Vec<Batch>,
    end: Option<Result<(), Arc<DataFusionError>>>,
    reservation: MemoryReservation,
    /// How many have begun to read, and how many of them read no more.
    begun: usize,
    ended: usize,
    /// Whether the rows have been given up.
    gone: bool,
}

#[derive(Clone)]
enum Batch {
    Held(RecordBatch),
    OnDisk(Arc<dyn SpillFile>),
}

enum Next {
    Batch(Batch),
    End(Result<(), Arc<DataFusionError>>),
    NotYet,
}

impl Kept {
    /// Of `rows`, which `readers` are to read.
    pub(super) fn new(
        rows: SendableRecordBatchStream,
        partition: usize,
        readers: usize,
        context: &TaskContext,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Self {
        let spills = SpillMetrics::new(metrics, partition);
        let spills = SpillManager::new(context.runtime_env(), spills, rows.schema())
            .with_compression_type(context.session_config().spill_compression());
        let consumer = MemoryConsumer::new(format!("SharedExec[{partition}]")).with_can_spill(true);
        let state = State {
            source: Some(rows),
            task: None,
            batches: Vec::new(),
            end: None,
            reservation: consumer.register(context.memory_pool()),
            begun: 0,
            ended: 0,
            gone: false,
        };
        Self { state: Mutex::new(state), changed: watch::channel(()).0, spills, readers }
    }

    /// All rows from the first on; `None` when they are not kept any more.
    pub(super) fn read(self: &Arc<Self>) -> Option<SendableRecordBatchStream> {
        {
            let mut state = self.state();
            if state.gone {
                return None;
            }
            state.begun += 1;
        }
        let reader =
            Reader { kept: Arc::clone(self), changed: self.changed.subscribe(), place: 0, from_disk: None };
        let rows = stream::try_unfold(reader, |mut reader| async move {
            Ok::<_, DataFusionError>(reader.next().await?.map(|batch| (batch, reader)))
        });
        Some(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(self.spills.schema()), rows)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is at `place`.
    fn at(self: &Arc<Self>, place: usize) -> Next {
        let mut state = self.state();
        if let Some(batch) = state.batches.get(place) {
            return Next::Batch(batch.clone());
        }
        if let Some(end) = &state.end {
            return Next::End(end.clone());
        }
        if let Some(source) = state.source.take() {
            // Not to be kept alive by the task: when nobody reads any more, it stops.
            state.task = Some(SpawnedTask::spawn(take_all(source, Arc::downgrade(self))));
        }
        Next::NotYet
    }

    fn add(&self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let bytes = size(&batch)?;
        let mut state = self.state();
        let batch = match state.reservation.try_grow(bytes) {
            Ok(()) => Batch::Held(batch),
            Err(DataFusionError::ResourcesExhausted(_)) => {
                match self
                    .spills
                    .spill_record_batch_and_finish(&[batch], "rows that are read several times")?
                {
                    Some(file) => Batch::OnDisk(file),
                    None => return Ok(()),
                }
            }
            Err(error) => return Err(error),
        };
        state.batches.push(batch);
        drop(state);
        self.changed.send_replace(());
        Ok(())
    }

    fn end(&self, end: Result<()>) {
        self.state().end = Some(end.map_err(Arc::new));
        self.changed.send_replace(());
    }

    /// Somebody reads no more.
    fn leave(&self) {
        let mut state = self.state();
        state.ended += 1;
        // What has come whole is kept for those that have not begun. What has not come whole when nobody reads may be that of a
        // query that was cancelled.
        let is_read = state.ended >= self.readers || state.end.is_none();
        if state.ended == state.begun && is_read {
            state.gone = true;
            state.source = None;
            state.task = None;
            state.batches.clear();
            state.reservation.free();
        }
    }
}

/// Moves all rows of `source` into `kept`.
async fn take_all(source: SendableRecordBatchStream, kept: Weak<Kept>) {
    let mut source = source;
    let end = loop {
        // The readers run elsewhere, and would wait for ever.
        let next = AssertUnwindSafe(source.next()).catch_unwind().await;
        let Some(kept) = kept.upgrade() else { return };
        match next {
            Ok(Some(Ok(batch))) => {
                if let Err(error) = kept.add(batch) {
                    break Err(error);
                }
            }
            Ok(Some(Err(error))) => break Err(error),
            Ok(None) => break Ok(()),
            Err(panic) => break Err(defect(panic.as_ref()).into()),
        }
    };
    drop(source);
    if let Some(kept) = kept.upgrade() {
        kept.end(end);
    }
}

/// What a batch takes, without what of its buffers belongs to others.
fn size(batch: &RecordBatch) -> Result<usize> {
    let sizes = batch.columns().iter().map(|column| {
        let texts = column.as_string_view_opt().map_or(0, |texts| texts.total_buffer_bytes_used());
        let bytes = column.as_binary_view_opt().map_or(0, |bytes| bytes.total_buffer_bytes_used());
        Ok::<usize, DataFusionError>(column.to_data().get_slice_memory_size()? + texts + bytes)
    });
    sizes.sum()
}

struct Reader {
    kept: Arc<Kept>,
    changed: watch::Receiver<()>,
    place: usize,
    from_disk: Option<SendableRecordBatchStream>,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(rows) = &mut self.from_disk {
                match rows.next().await {
                    Some(batch) => return batch.map(Some),
                    None => self.from_disk = None,
                }
            }
            // Before looking: what changes from now on is told.
            self.changed.mark_unchanged();
            match self.kept.at(self.place) {
                Next::Batch(batch) => {
                    self.place += 1;
                    match batch {
                        Batch::Held(batch) => return Ok(Some(batch)),
                        Batch::OnDisk(file) => {
                            self.from_disk = Some(self.kept.spills.read_spill_as_stream(file, None)?);
                        }
                    }
                }
                Next::End(Ok(())) => return Ok(None),
                Next::End(Err(error)) => return Err(DataFusionError::Shared(error)),
                // There is a sender as long as there are rows.
                Next::NotYet => {
                    let _changed = self.changed.changed().await;
                }
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.kept.leave();
    }
}
