//! The operator.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PhysicalExpr, PlanProperties,
};

use super::stream::each_once;
use crate::execute::one_input;

/// Each text of a column once, NULL among them.
///
/// It stands for an `AggregateExec` that groups by this column and computes nothing of the groups. What has come is given on at
/// once.
///
/// At the last step equal texts are all in one partition. Where the memory for the set of texts ends, those that are not in it go
/// to the disk, divided by hash, and are told apart when the input has ended. A step before spares the last one work: it forgets
/// what it has seen when that becomes much, and gives all on where hardly any come twice.
#[derive(Debug)]
pub(super) struct DistinctTextsExec {
    aggregate: Arc<dyn ExecutionPlan>,
    step: Step,
    metrics: ExecutionPlanMetricsSet,
}

/// What one operator does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The place of the texts among the columns of the input.
    pub(super) column: usize,
    /// Whether no other follows.
    pub(super) last: bool,
}

impl DistinctTextsExec {
    /// In the place of `aggregate`, which has one input.
    pub(super) fn new(aggregate: Arc<dyn ExecutionPlan>, step: Step) -> Self {
        Self { aggregate, step, metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for DistinctTextsExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        self.aggregate.fmt_as(format, f)
    }
}

impl ExecutionPlan for DistinctTextsExec {
    fn name(&self) -> &'static str {
        "DistinctTextsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.aggregate.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.aggregate.children()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.aggregate.input_distribution_requirements()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.aggregate.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let aggregate = Arc::clone(&self.aggregate).replace_children(children, options)?;
        Ok(Arc::new(Self::new(aggregate, self.step)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = one_input(self.name(), self.children().into_iter().cloned().collect())?;
        let input = input.execute(partition, Arc::clone(&context))?;
        Ok(each_once(input, self.step, self.schema(), partition, &context, &self.metrics))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.aggregate.child_stats_requests(partition)
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        arguments: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        self.aggregate.statistics_from_inputs(inputs, arguments)
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }
}
