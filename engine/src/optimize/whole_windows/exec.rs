//! The operator.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::windows::WindowAggExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PhysicalExpr, PlanProperties,
};

use super::calls::{Calls, whole_partition};
use super::stream::rows;
use crate::execute::one_input;

/// Gives the rows of a [`WindowAggExec`] over whole partitions, in any order, of input in any order.
///
/// It holds all rows of its input, and a state for each group. When there is no memory for them, the rows are sorted.
#[derive(Debug)]
pub(super) struct WholeWindowExec {
    /// Over the same input, which would have to be sorted first.
    pub(super) plain: Arc<WindowAggExec>,
    pub(super) calls: Calls,
    properties: Arc<PlanProperties>,
    pub(super) metrics: ExecutionPlanMetricsSet,
}

impl WholeWindowExec {
    /// The rows of `window` over `input`; `None` if they depend on more than whole partitions.
    ///
    /// # Errors
    /// When an expression does not fit `input`.
    pub(super) fn try_new(window: &WindowAggExec, input: Arc<dyn ExecutionPlan>) -> Result<Option<Self>> {
        let Some(calls) = whole_partition(window)? else { return Ok(None) };
        let may_divide = !window.partition_keys().is_empty();
        let plain = WindowAggExec::try_new(window.window_expr().to_vec(), input, may_divide)?;
        let mut equivalences = plain.properties().equivalence_properties().clone();
        // Sorted after all, rows come in another order than they came in.
        equivalences.clear_orderings();
        let properties = PlanProperties::clone(plain.properties()).with_eq_properties(equivalences);
        Ok(Some(Self {
            plain: Arc::new(plain),
            calls,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }
}

impl DisplayAs for WholeWindowExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WholeWindowExec: ")?;
        self.plain.fmt_as(format, f)
    }
}

impl ExecutionPlan for WholeWindowExec {
    fn name(&self) -> &'static str {
        "WholeWindowExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![self.plain.input()]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.plain.input_distribution_requirements()
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
        match Self::try_new(&self.plain, input)? {
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
        rows(self, input, partition, context)
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
