//! The rows of the operator.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use futures::{StreamExt, stream};

use super::exec::{Call, CodedGroupsExec};
use super::group_codes::GroupCodes;
use super::keys::Key;

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
    let functions = functions.collect::<Result<Vec<_>>>()?;
    let settings = &context.session_config().options().execution;
    let probe = Probe {
        rows: 0,
        after: settings.skip_partial_aggregation_probe_rows_threshold,
        most: settings.skip_partial_aggregation_probe_ratio_threshold,
    };
    let making = Making {
        groups: GroupCodes::try_new(
            operator.key_schema()?,
            settings.skip_partial_aggregation_probe_ratio_threshold,
        )?,
        keys: operator.keys.clone(),
        calls: operator.calls.clone(),
        functions,
        skips: false,
        of_rows: Vec::new(),
        schema: Arc::clone(&schema),
        reservation: consumer.register(pool),
        metrics: BaselineMetrics::new(&operator.metrics, partition),
        batch_size: context.session_config().batch_size().max(1),
        probe,
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
    keys: Vec<Key>,
    calls: Vec<Call>,
    functions: Vec<Box<dyn GroupsAccumulator>>,
    of_rows: Vec<usize>,
    schema: SchemaRef,
    reservation: MemoryReservation,
    metrics: BaselineMetrics,
    batch_size: usize,
    probe: Probe,
    /// Whether each row becomes a state of its own from now on.
    skips: bool,
}

/// Whether rows are few that belong to a group already met: then a state a row is as good, and costs less.
struct Probe {
    rows: usize,
    after: usize,
    /// Groups over rows.
    most: f64,
}

impl Making {
    /// Adds rows; gives all states away when there is no memory for more.
    fn add(&mut self, batch: &RecordBatch) -> Result<Option<Vec<RecordBatch>>> {
        let time = self.metrics.elapsed_compute().clone();
        let _timer = time.timer();
        let rows = batch.num_rows();
        let of = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(rows);
        let keys = self.keys.iter_mut().map(|key| key.evaluate(batch)).collect::<Result<Vec<_>>>()?;
        let mut columns = match self.skips {
            true => self.groups.texts(&keys, None)?,
            false => Vec::new(),
        };
        let mut before = Vec::new();
        if !self.skips {
            if self.groups.must_be_taken(&keys) {
                before = self.take()?;
            }
            self.groups.find(&keys, &mut self.of_rows)?;
        }
        let groups = self.groups.len();
        for (function, call) in self.functions.iter_mut().zip(&self.calls) {
            let arguments = call.arguments.iter().map(of).collect::<Result<Vec<_>>>()?;
            let filter = call.filter.as_ref().map(of).transpose()?;
            let filter = filter.as_ref().map(|filter| filter.as_boolean());
            match self.skips {
                true => columns.extend(function.convert_to_state(&arguments, filter)?),
                false => function.update_batch(&arguments, &self.of_rows, filter, groups)?,
            }
        }
        if self.skips {
            let states = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
            return Ok(Some(vec![states.record_output(&self.metrics)]));
        }
        self.probe.rows += rows;
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = groups as f64 / self.probe.rows as f64;
        if self.probe.rows >= self.probe.after && share > self.probe.most {
            self.skips = true;
            before.extend(self.take()?);
            return Ok(Some(before));
        }
        match self.reservation.try_resize(self.size()) {
            Ok(()) => Ok(Some(before).filter(|states| !states.is_empty())),
            Err(DataFusionError::ResourcesExhausted(_)) => {
                before.extend(self.take()?);
                self.reservation.try_resize(self.size())?;
                Ok(Some(before))
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
