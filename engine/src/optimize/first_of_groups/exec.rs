//! The operator.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ReplaceChildrenOptions, apply_expression_roots,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};

use super::first_rows::FirstRows;
use super::stream::rows;
use crate::execute::one_input;

/// Gives the rows of its input but for some that are not among the first of their group.
///
/// A row is dropped when enough others of its group come before it by the first key of the order alone: then it is none of
/// the first, whatever the other keys say, and those that come before it have been let through. Which of the other rows are
/// the first is for others to find out; so it may let through what it likes, and when there is no memory for the groups, or
/// hardly anything to drop, it lets through all.
#[derive(Debug)]
pub(crate) struct FirstOfGroupsExec {
    input: Arc<dyn ExecutionPlan>,
    pub(super) groups: Groups,
    pub(super) metrics: ExecutionPlanMetricsSet,
}

/// Groups of rows, and which of them come first.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    pub(super) keys: Vec<Arc<dyn PhysicalExpr>>,
    /// The first key of the order that is none of `keys`.
    pub(super) best: PhysicalSortExpr,
    pub(super) first: FirstRows,
}

impl FirstOfGroupsExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, groups: Groups) -> Self {
        Self { input, groups, metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for FirstOfGroupsExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Groups { keys, best, first } = &self.groups;
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let distinct = if first.distinct { " distinct" } else { "" };
        write!(
            f,
            "{}: first={}{distinct}, groups=[{}], by={best}",
            self.name(),
            first.wanted,
            keys.join(", ")
        )
    }
}

impl ExecutionPlan for FirstOfGroupsExec {
    fn name(&self) -> &'static str {
        "FirstOfGroupsExec"
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
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.groups.keys.iter().chain([&self.groups.best.expr]), f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = one_input(self.name(), children)?;
        Ok(Arc::new(Self::new(input, self.groups.clone())))
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
        rows(self, input, partition, &context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let input = one_input(self.name(), inputs.to_vec())?;
        Ok(Arc::new(Arc::unwrap_or_clone(input).to_inexact()))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }
}
