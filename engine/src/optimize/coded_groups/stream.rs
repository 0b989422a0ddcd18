//! The rows of the operator.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::exec::{Call, CodedGroupsExec};
use super::group_codes::GroupCodes;

/// The states of the groups of one partition.
pub(super) fn states(
    operator: &CodedGroupsExec,
    input: SendableRecordBatchStream,
    partition: usize,
    context: &TaskContext,
) -> Result<SendableRecordBatchStream> {
    let schema = operator.schema();
    let pool = context.memory_pool();
    let consumer = MemoryConsumer::new(format!("{}[{partition}]", operator.name())).with_can_spill(true);
    let functions = operator.calls.iter().map(|call| call.function.create_groups_accumulator());
    let calls = operator.calls.iter().map(|call| Call {
        function: Arc::clone(&call.function),
        arguments: call.arguments.clone(),
        filter: call.filter.clone(),
    });
    let making = Making {
        groups: GroupCodes::try_new(operator.key_schema()?)?,
        keys: operator.keys.clone(),
        calls: calls.collect(),
        functions: functions.collect::<Result<_>>()?,
        of_rows: Vec::new(),
        schema: Arc::clone(&schema),
        reservation: consumer.register(pool),
        metrics: BaselineMetrics::new(&operator.metrics, partition),
        batch_size: context.session_config().batch_size().max(1),
    };
    let batches = stream::try_unfold((making, Some(input)), |(mut making, input)| async move {
        let Some(mut input) = input else { return Ok::<_, DataFusionError>(None) };
        loop {
            match input.next().await {
                Some(batch) => {
                    if let Some(states) = making.add(&batch?)? {
                        return Ok(Some((states, (making, Some(input)))));
                    }
                }
                None => {
                    drop(input);
                    return Ok(Some((making.take()?, (making, None))));
                }
            }
        }
    });
    let slices = batches.map(|batches| match batches {
        Ok(batches) => stream::iter(batches.into_iter().map(Ok)).left_stream(),
        Err(error) => stream::iter([Err(error)]).right_stream(),
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, slices.flatten())))
}

struct Making {
    groups: GroupCodes,
    keys: Vec<Arc<dyn datafusion::physical_plan::PhysicalExpr>>,
    calls: Vec<Call>,
    functions: Vec<Box<dyn GroupsAccumulator>>,
    of_rows: Vec<usize>,
    schema: SchemaRef,
    reservation: MemoryReservation,
    metrics: BaselineMetrics,
    batch_size: usize,
}

impl Making {
    /// Adds rows; gives all states away when there is no memory for more.
    fn add(&mut self, batch: &RecordBatch) -> Result<Option<Vec<RecordBatch>>> {
        let time = self.metrics.elapsed_compute().clone();
        let _timer = time.timer();
        let rows = batch.num_rows();
        let of = |expr: &Arc<dyn datafusion::physical_plan::PhysicalExpr>| expr.evaluate(batch)?.into_array(rows);
        let keys = self.keys.iter().map(of).collect::<Result<Vec<ArrayRef>>>()?;
        self.groups.find(&keys, &mut self.of_rows)?;
        let groups = self.groups.len();
        for (function, call) in self.functions.iter_mut().zip(&self.calls) {
            let arguments = call.arguments.iter().map(of).collect::<Result<Vec<_>>>()?;
            let filter = call.filter.as_ref().map(of).transpose()?;
            let filter = filter.as_ref().map(|filter| filter.as_boolean());
            function.update_batch(&arguments, &self.of_rows, filter, groups)?;
        }
        match self.reservation.try_resize(self.size()) {
            Ok(()) => Ok(None),
            Err(DataFusionError::ResourcesExhausted(_)) => {
                let states = self.take()?;
                self.reservation.try_resize(self.size())?;
                Ok(Some(states))
            }
            Err(error) => Err(error),
        }
    }

    fn size(&self) -> usize {
        let functions: usize = self.functions.iter().map(|function| function.size()).sum();
        functions + self.groups.size() + self.of_rows.capacity() * size_of::<usize>()
    }

    /// All states, in batches; the groups are forgotten.
    fn take(&mut self) -> Result<Vec<RecordBatch>> {
        let time = self.metrics.elapsed_compute().clone();
        let _timer = time.timer();
        if self.groups.len() == 0 {
            return Ok(Vec::new());
        }
        let mut columns = self.groups.take()?;
        for function in &mut self.functions {
            columns.extend(function.state(EmitTo::All)?);
        }
        let all = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        let starts = (0..all.num_rows()).step_by(self.batch_size);
        let slices = starts.map(|start| all.slice(start, self.batch_size.min(all.num_rows() - start)));
        Ok(slices.map(|slice| slice.record_output(&self.metrics)).collect())
    }
}
