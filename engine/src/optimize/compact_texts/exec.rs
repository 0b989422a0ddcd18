//! The operator.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_datafusion_err};
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};
use futures::{TryStreamExt, stream};

use super::compact::compact;
use crate::execute::one_input;

/// Memory is short when more than a quarter of it is taken.
const SHORT: usize = 4;
/// Batches of so many times the usual rows are divided.
const MUCH: usize = 2;
/// Where it is not, a batch may waste a thousandth.
const WASTED: usize = 1000;

/// The rows of its input, for one that holds them all.
///
/// A batch of texts from a file points into whole pages, and counts for all of them each time. Where memory is plenty, that is
/// no matter.
#[derive(Debug)]
pub(super) struct CompactTextsExec {
    input: Arc<dyn ExecutionPlan>,
}

impl CompactTextsExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input }
    }
}

impl DisplayAs for CompactTextsExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompactTextsExec")
    }
}

impl ExecutionPlan for CompactTextsExec {
    fn name(&self) -> &'static str {
        "CompactTextsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(one_input(self.name(), children)?)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let pool = Arc::clone(context.memory_pool());
        let most = context.session_config().batch_size();
        let rows = input.map_ok(move |batch| stream::iter(parts(batch, most, &pool))).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        inputs.first().cloned().ok_or_else(|| internal_datafusion_err!("{} has an input", self.name()))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

/// `batch` in parts of `most` rows if it has far more, each compact where memory is short. A sort gives what it has sorted of a
/// batch in such parts, and would count all of the batch's texts for each.
fn parts(batch: RecordBatch, most: usize, pool: &Arc<dyn MemoryPool>) -> Vec<Result<RecordBatch>> {
    let Some(wasted) = may_waste(pool) else { return vec![Ok(batch)] };
    let rows = batch.num_rows();
    if rows <= MUCH * most {
        return vec![compact(&batch, wasted)];
    }
    let starts = (0..rows).step_by(most);
    // Copied: a slice would count for the whole batch.
    let part = |start: usize| {
        let rows: UInt64Array = (start..rows.min(start + most)).map(|row| row as u64).collect();
        compact(&take_record_batch(&batch, &rows)?, wasted)
    };
    starts.map(part).collect()
}

/// The bytes that a column of a batch may waste; `None` where memory has no limit.
fn may_waste(pool: &Arc<dyn MemoryPool>) -> Option<usize> {
    match pool.memory_limit() {
        MemoryLimit::Finite(limit) if pool.reserved() > limit / SHORT => Some(0),
        MemoryLimit::Finite(limit) => Some(limit / WASTED),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringViewArray};
    use arrow::compute::concat_batches;
    use datafusion::common::utils::memory::get_record_batch_memory_size;

    use super::*;
    use crate::execute::memory_pool;

    #[test]
    fn large_batches_are_divided_and_count_once() {
        let texts: StringViewArray = (0..50_000).map(|row| Some(format!("留言內容 {row:020}"))).collect();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..50_000));
        let batch =
            RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef), ("number", numbers)]).unwrap();
        let divided = |limit: usize| {
            parts(batch.clone(), 8192, &memory_pool(limit, 2))
                .into_iter()
                .collect::<Result<Vec<_>>>()
                .unwrap()
        };
        let parts = divided(64 << 20);
        assert_eq!(
            parts.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(),
            [[8192; 6].to_vec(), vec![848]].concat()
        );
        let bytes: usize = parts.iter().map(get_record_batch_memory_size).sum();
        assert!(bytes < get_record_batch_memory_size(&batch) * 5 / 4, "{bytes}");
        assert_eq!(concat_batches(&batch.schema(), &parts).unwrap(), batch);
    }
}
