//! The rows of the operator.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput, SpillMetrics};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::WindowAggExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr, SpillManager};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

use super::calls::Calls;
use super::exec::WholeWindowExec;
use super::sorted::sorted;

/// The rows of one partition of the input, with what is called over their groups.
pub(super) fn rows(
    operator: &WholeWindowExec,
    input: SendableRecordBatchStream,
    partition: usize,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let schema = operator.schema();
    let read = input.schema();
    let keys = operator.calls.keys.iter().map(|key| key.return_field(&read));
    let keys = Arc::new(Schema::new(keys.collect::<Result<Vec<FieldRef>>>()?));
    let functions = operator.calls.functions.iter().map(|function| function.create_groups_accumulator());
    let consumer = MemoryConsumer::new(format!("{}[{partition}]", operator.name())).with_can_spill(true);
    let spills = SpillMetrics::new(&operator.metrics, partition);
    let spills = SpillManager::new(context.runtime_env(), spills, read)
        .with_compression_type(context.session_config().spill_compression());
    let metrics = BaselineMetrics::new(&operator.metrics, partition);
    let held = Held {
        groups: new_group_values(keys, &GroupOrdering::None)?,
        functions: functions.collect::<Result<Vec<_>>>()?,
        calls: operator.calls.clone(),
        of_rows: Vec::new(),
        rows: Vec::new(),
        bytes: 0,
        schema: Arc::clone(&schema),
        reservation: consumer.register(context.memory_pool()),
        metrics: metrics.clone(),
    };
    let window = Arc::clone(&operator.plain);
    let rows = stream::once(async move { answer(held, input, &window, &spills, context).await });
    let rows = rows.try_flatten().map_ok(move |rows| rows.record_output(&metrics));
    Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(schema, rows))))
}

async fn answer(
    mut held: Held,
    mut input: SendableRecordBatchStream,
    window: &WindowAggExec,
    spills: &SpillManager,
    context: Arc<TaskContext>,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    while let Some(batch) = input.next().await {
        if !held.add(batch?)? {
            let before = held.put_away(spills)?;
            let schema = input.schema();
            let all = RecordBatchStreamAdapter::new(schema, before.chain(input));
            return Ok(sorted(window, Box::pin(all), context)?.boxed());
        }
    }
    drop(input);
    held.give()
}

/// All rows so far, and the states of their groups.
struct Held {
    groups: Box<dyn GroupValues>,
    functions: Vec<Box<dyn GroupsAccumulator>>,
    calls: Calls,
    /// The group of each row of the last batch.
    of_rows: Vec<usize>,
    rows: Vec<Rows>,
    /// What `rows` take.
    bytes: usize,
    schema: SchemaRef,
    reservation: MemoryReservation,
    metrics: BaselineMetrics,
}

struct Rows {
    batch: RecordBatch,
    groups: UInt32Array,
    bytes: usize,
}

impl Held {
    /// Adds rows; `false` if there is no memory for more.
    fn add(&mut self, batch: RecordBatch) -> Result<bool> {
        let time = self.metrics.elapsed_compute().clone();
        let _timer = time.timer();
        let of = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(&batch)?.into_array(batch.num_rows());
        let keys = self.calls.keys.iter().map(of).collect::<Result<Vec<ArrayRef>>>()?;
        self.groups.intern(&keys, &mut self.of_rows)?;
        let groups = self.groups.len();
        for (function, call) in self.functions.iter_mut().zip(&self.calls.functions) {
            let arguments = call.expressions().iter().map(of).collect::<Result<Vec<_>>>()?;
            function.update_batch(&arguments, &self.of_rows, None, groups)?;
        }
        #[expect(clippy::cast_possible_truncation, reason = "memory ends before 2^32 groups")]
        let groups = self.of_rows.iter().map(|group| *group as u32);
        let groups = UInt32Array::from_iter_values(groups);
        let bytes = get_record_batch_memory_size(&batch) + groups.get_buffer_memory_size();
        self.rows.push(Rows { batch, groups, bytes });
        self.bytes += bytes;
        match self.reservation.try_resize(self.size()) {
            Ok(()) => Ok(true),
            Err(DataFusionError::ResourcesExhausted(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn size(&self) -> usize {
        let functions: usize = self.functions.iter().map(|function| function.size()).sum();
        self.bytes + functions + self.groups.size() + self.of_rows.capacity() * size_of::<usize>()
    }

    /// Moves all rows to disk and gives back the memory.
    fn put_away(self, spills: &SpillManager) -> Result<SendableRecordBatchStream> {
        let batches: Vec<RecordBatch> = self.rows.into_iter().map(|rows| rows.batch).collect();
        match spills.spill_record_batch_and_finish(&batches, "the rows of a window")? {
            Some(file) => spills.read_spill_as_stream(file, None),
            None => Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(spills.schema()), stream::empty()))),
        }
    }

    /// All rows, with what is called over their groups; the memory of a batch is given back with it.
    fn give(mut self) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let time = self.metrics.elapsed_compute().clone();
        let timer = time.timer();
        if self.rows.is_empty() {
            return Ok(stream::empty().boxed());
        }
        self.groups.clear_shrink(0);
        let answers = self.functions.iter_mut().map(|function| function.evaluate(EmitTo::All));
        let answers = answers.collect::<Result<Vec<ArrayRef>>>()?;
        let of_groups: usize = answers.iter().map(|answers| answers.get_buffer_memory_size()).sum();
        self.functions.clear();
        self.reservation.resize(self.bytes + of_groups);
        timer.done();
        let rows = std::mem::take(&mut self.rows).into_iter().map(move |rows| {
            let _timer = time.timer();
            let mut columns = rows.batch.columns().to_vec();
            for answers in &answers {
                columns.push(take(answers, &rows.groups, None)?);
            }
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
            self.reservation.shrink(rows.bytes);
            Ok(batch)
        });
        Ok(stream::iter(rows).boxed())
    }
}
