//! The left side of a nested loop join, which is read a second time where it does not fit into memory.
//!
//! DataFusion 55.2 then runs the same operators again to write the side to disk. Some of them run once only and panic; and
//! where several threads share a join that yields rows of the left side at its end, each of them yields those that
//! others have matched. So they are made anew where that is right, and elsewhere the query ends with the sentence about memory.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, JoinType, Result, internal_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::{
    ChildrenPropertiesMode, ReplaceChildrenOptions, reset_plan_states,
};
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PhysicalExpr, PlanProperties,
};
use datafusion_distributed::NetworkBoundaryExt;

/// `plan`, whose nested loop joins read their left side again only where that gives the same answer.
///
/// # Errors
/// When the operators cannot be put together again.
pub(crate) fn read_again(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|plan| {
        let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() else { return Ok(Transformed::no(plan)) };
        if join.left().is::<ReadAgainExec>() {
            return Ok(Transformed::no(plan));
        }
        let left: Arc<dyn ExecutionPlan> = Arc::new(ReadAgainExec {
            input: Arc::clone(join.left()),
            may: may_read_again(join)?,
            begun: AtomicBool::new(false),
        });
        let right = Arc::clone(join.right());
        let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        Ok(Transformed::yes(plan.replace_children(vec![left, right], anew)?))
    })
    .data()
}

fn may_read_again(join: &NestedLoopJoinExec) -> Result<bool> {
    let from_other_nodes = join.left().exists(|node| Ok(node.is_network_boundary()))?;
    let ends_with_left = matches!(
        join.join_type(),
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark | JoinType::Full
    );
    let shared = join.right().output_partitioning().partition_count() > 1;
    let is_wrong = from_other_nodes || (ends_with_left && shared);
    Ok(!is_wrong)
}

/// Gives the rows of its input, the second time by operators made anew.
#[derive(Debug)]
struct ReadAgainExec {
    input: Arc<dyn ExecutionPlan>,
    /// Whether a second time is right.
    may: bool,
    begun: AtomicBool,
}

impl DisplayAs for ReadAgainExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadAgainExec")
    }
}

impl ExecutionPlan for ReadAgainExec {
    fn name(&self) -> &'static str {
        "ReadAgainExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    /// What is new has not been read: so a recursive query reads it in every round.
    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().ok_or_else(|| internal_datafusion_err!("no input"))?;
        Ok(Arc::new(Self { input, may: self.may, begun: AtomicBool::new(false) }))
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if !self.begun.swap(true, Ordering::SeqCst) {
            return self.input.execute(partition, context);
        }
        if !self.may {
            return Err(DataFusionError::ResourcesExhausted(
                "one side of a join without equal columns does not fit into memory".to_owned(),
            ));
        }
        reset_plan_states(Arc::clone(&self.input))?.execute(partition, context)
    }
}
