//! The operator.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::OrderingRequirements;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::windows::BoundedWindowAggExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, InputOrderMode, PhysicalExpr,
    PlanProperties,
};

use super::calls::{Calls, carried};
use super::held::Carried;
use super::stream::rows;
use crate::execute::one_input;

/// Gives the rows of a [`BoundedWindowAggExec`], in their order, from the same input, in which partitions follow each other.
///
/// It holds the rows that equal each other by what they are ordered by, where they have one answer.
#[derive(Debug)]
pub(super) struct RunningWindowExec {
    plain: Arc<BoundedWindowAggExec>,
    calls: Calls,
    metrics: ExecutionPlanMetricsSet,
}

impl RunningWindowExec {
    /// The rows of `window`; `None` if one of its calls cannot be carried on from row to row.
    ///
    /// # Errors
    /// When an expression has no type.
    pub(super) fn try_new(window: Arc<BoundedWindowAggExec>) -> Result<Option<Self>> {
        let Some(calls) = carried(&window)? else { return Ok(None) };
        Ok(Some(Self { plain: window, calls, metrics: ExecutionPlanMetricsSet::new() }))
    }
}

impl DisplayAs for RunningWindowExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunningWindowExec: ")?;
        self.plain.fmt_as(format, f)
    }
}

impl ExecutionPlan for RunningWindowExec {
    fn name(&self) -> &'static str {
        "RunningWindowExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.plain.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![self.plain.input()]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        self.plain.required_input_ordering()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.plain.input_distribution_requirements()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        self.plain.maintains_input_order()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.plain.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = one_input(self.name(), children)?;
        let may_divide = !self.plain.partition_keys().is_empty();
        let calls = self.plain.window_expr().to_vec();
        let window = BoundedWindowAggExec::try_new(calls, input, InputOrderMode::Sorted, may_divide)?;
        match Self::try_new(Arc::new(window))? {
            Some(window) => Ok(Arc::new(window)),
            None => internal_err!("{} has another input than it had", self.name()),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.plain.input().execute(partition, Arc::clone(&context))?;
        let consumer = MemoryConsumer::new(format!("{}[{partition}]", self.name()));
        let held = consumer.register(context.memory_pool());
        let carried = Carried::new(self.calls.clone(), self.schema(), held)?;
        Ok(rows(carried, input, self.schema(), BaselineMetrics::new(&self.metrics, partition)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.plain.child_stats_requests(partition)
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        self.plain.statistics_from_inputs(inputs, arguments)
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
