//! The policy's border while a query runs: hands rows through, and no filter, limit or exact row count across.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::execution_plan::ReplaceChildrenOptions;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use crate::execute::one_input;
use crate::policy::barrier::Barrier;

/// The operator.
#[derive(Debug)]
pub(crate) struct BarrierExec {
    input: Arc<dyn ExecutionPlan>,
    table: String,
}

impl BarrierExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, table: String) -> Self {
        Self { input, table }
    }

    /// `schema.table`.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }
}

/// Whether something in `plan` is behind a border of the policy.
pub(crate) fn behind_border(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<BarrierExec>() || plan.children().into_iter().any(behind_border)
}

impl DisplayAs for BarrierExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PermittedExec: {}", self.table)
    }
}

impl ExecutionPlan for BarrierExec {
    fn name(&self) -> &'static str {
        "PermittedExec"
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
        let input = one_input("a border of the policy", children)?;
        Ok(Arc::new(Self { input, table: self.table.clone() }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = one_input("a border of the policy", children)?;
        Ok(Arc::new(Self { input, table: self.table.clone() }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    /// Good enough to order joins by; an answer that is read off statistics needs exact ones.
    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let input = one_input("a border of the policy", input_stats.to_vec())?;
        Ok(Arc::new(Arc::unwrap_or_clone(input).to_inexact()))
    }
}

/// Plans every node of a query, the policy's included.
#[derive(Debug, Default)]
pub(crate) struct TithePlanner;

#[async_trait]
impl QueryPlanner for TithePlanner {
    async fn create_physical_plan(
        &self,
        logical_plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(BarrierPlanner)]);
        planner.create_physical_plan(logical_plan, session).await
    }
}

struct BarrierPlanner;

#[async_trait]
impl ExtensionPlanner for BarrierPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(barrier) = node.as_any().downcast_ref::<Barrier>() else { return Ok(None) };
        let [input] = physical_inputs else {
            return internal_err!("a border of the policy has one input");
        };
        Ok(Some(Arc::new(BarrierExec { input: Arc::clone(input), table: barrier.table.clone() })))
    }
}
