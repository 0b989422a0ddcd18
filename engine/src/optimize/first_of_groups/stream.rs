//! The rows of the operator.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::coalesce::LimitedBatchCoalescer;
use datafusion::physical_plan::metrics::{BaselineMetrics, Count, MetricBuilder, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use futures::{StreamExt, stream};

use super::best_codes::BestCodes;
use super::exec::{FirstOfGroupsExec, Groups};
use super::order_codes::order_codes;
use super::worth::Worth;

/// Of the memory of all queries, the groups of one operator take at most this part: the sort for whose sake rows are dropped
/// must still find its own.
const SHARE_OF_MEMORY: usize = 16;

/// The rows of one partition of the input that are let through.
pub(super) fn rows(
    operator: &FirstOfGroupsExec,
    input: SendableRecordBatchStream,
    partition: usize,
    context: &TaskContext,
) -> Result<SendableRecordBatchStream> {
    let schema = operator.schema();
    let keys = operator.groups.keys.iter().map(|key| key.return_field(&schema));
    let keys = Arc::new(Schema::new(keys.collect::<Result<Vec<FieldRef>>>()?));
    let partitions = operator.properties().output_partitioning().partition_count().max(1);
    let most = match context.memory_pool().memory_limit() {
        MemoryLimit::Finite(bytes) => bytes / SHARE_OF_MEMORY / partitions,
        _ => usize::MAX,
    };
    let consumer = MemoryConsumer::new(format!("{}[{partition}]", operator.name()));
    let met = Met {
        groups: new_group_values(keys, &GroupOrdering::None)?,
        best: BestCodes::new(operator.groups.first.wanted, operator.groups.first.distinct),
        of: operator.groups.clone(),
        of_rows: Vec::new(),
        codes: Vec::new(),
        worth: Worth::default(),
        most,
        reservation: consumer.register(context.memory_pool()),
    };
    let batch_size = context.session_config().batch_size().max(1);
    let passing = Passing {
        met: Some(met),
        coalescer: LimitedBatchCoalescer::new(Arc::clone(&schema), batch_size, None),
        ready: VecDeque::new(),
        dropped: MetricBuilder::new(&operator.metrics).counter("rows_dropped", partition),
        metrics: BaselineMetrics::new(&operator.metrics, partition),
    };
    let batches = stream::try_unfold((passing, Some(input)), |(mut passing, mut input)| async move {
        loop {
            if let Some(batch) = passing.ready.pop_front() {
                let batch = batch.record_output(&passing.metrics);
                return Ok::<_, DataFusionError>(Some((batch, (passing, input))));
            }
            let Some(rows) = &mut input else { return Ok(None) };
            match rows.next().await {
                Some(batch) => passing.add(batch?)?,
                None => {
                    input = None;
                    passing.let_all_through()?;
                }
            }
        }
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
}

struct Passing {
    /// Nothing when all rows are let through from now on.
    met: Option<Met>,
    /// Makes whole batches of what is left of several.
    coalescer: LimitedBatchCoalescer,
    ready: VecDeque<RecordBatch>,
    dropped: Count,
    metrics: BaselineMetrics,
}

impl Passing {
    fn add(&mut self, batch: RecordBatch) -> Result<()> {
        let time = self.metrics.elapsed_compute().clone();
        let _timer = time.timer();
        let Some(met) = &mut self.met else {
            self.ready.push_back(batch);
            return Ok(());
        };
        let kept = met.kept(&batch)?;
        let dropped = batch.num_rows() - kept.true_count();
        self.dropped.add(dropped);
        let goes_on = met.goes_on(batch.num_rows(), dropped)?;
        let batch = if dropped == 0 { batch } else { filter_record_batch(&batch, &kept)? };
        self.coalescer.push_batch(batch)?;
        if !goes_on {
            return self.let_all_through();
        }
        self.take_completed();
        Ok(())
    }

    /// Forgets the groups; what comes from now on is not looked at.
    fn let_all_through(&mut self) -> Result<()> {
        if self.met.take().is_some() {
            self.coalescer.finish()?;
            self.take_completed();
        }
        Ok(())
    }

    fn take_completed(&mut self) {
        while let Some(batch) = self.coalescer.next_completed_batch() {
            self.ready.push_back(batch);
        }
    }
}

/// The groups met so far, and the best of their rows.
struct Met {
    of: Groups,
    groups: Box<dyn GroupValues>,
    best: BestCodes,
    /// The group and the code of each row of the last batch.
    of_rows: Vec<usize>,
    codes: Vec<u64>,
    worth: Worth,
    /// The bytes that all of it may take.
    most: usize,
    reservation: MemoryReservation,
}

impl Met {
    /// Which rows of `batch` may be among the first of their group.
    fn kept(&mut self, batch: &RecordBatch) -> Result<BooleanArray> {
        let of = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(batch.num_rows());
        let keys = self.of.keys.iter().map(of).collect::<Result<Vec<ArrayRef>>>()?;
        self.groups.intern(&keys, &mut self.of_rows)?;
        self.best.grow(self.groups.len());
        order_codes(&of(&self.of.best.expr)?, self.of.best.options, &mut self.codes)?;
        let (best, groups, codes) = (&mut self.best, &self.of_rows, &self.codes);
        let kept = BooleanBuffer::collect_bool(batch.num_rows(), |row| best.keeps(groups[row], codes[row]));
        Ok(BooleanArray::new(kept, None))
    }

    /// Whether there is memory for more groups, and it pays.
    fn goes_on(&mut self, rows: usize, dropped: usize) -> Result<bool> {
        if !self.worth.pays(rows, dropped, self.groups.len()) {
            return Ok(false);
        }
        let numbers = self.of_rows.capacity() * size_of::<usize>() + self.codes.capacity() * size_of::<u64>();
        let size = self.groups.size() + self.best.size() + numbers;
        if size > self.most {
            return Ok(false);
        }
        match self.reservation.try_resize(size) {
            Ok(()) => Ok(true),
            Err(DataFusionError::ResourcesExhausted(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
