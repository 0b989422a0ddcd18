//! Whether a query takes so little that it need not wait behind those that take long.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{CrossJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::unnest::UnnestExec;
use tithe_udfs::is_worth_a_device;

use crate::execute::distributed::bytes_read;

/// Of the Parquet files that a small query reads: some hundredths of a second on one core.
const MOST_BYTES: u64 = 4 << 20;

/// Whether `plan`, made of `optimized`, reads little and makes nothing large of it.
pub(super) fn is_small(optimized: &LogicalPlan, plan: &Arc<dyn ExecutionPlan>) -> bool {
    bytes_read(plan).is_ok_and(|bytes| bytes <= MOST_BYTES)
        && !plan.exists(|node| Ok(multiplies(node.as_ref()))).unwrap_or(true)
        && !calls_what_takes_long(optimized).unwrap_or(true)
}

/// Whether an operator may make far more rows than it gets.
fn multiplies(operator: &dyn ExecutionPlan) -> bool {
    operator.is::<CrossJoinExec>() || operator.is::<NestedLoopJoinExec>() || operator.is::<UnnestExec>()
}

fn calls_what_takes_long(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            found |= expr.exists(|expr| Ok(is_worth_a_device(expr)))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}
