//! Windows that would lose their `FILTER` on the way to workers.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Whether an aggregate of `plan` has both `FILTER` and `OVER`: DataFusion 55.2 leaves the filter out of what it writes for a
/// worker, which would then count all rows.
///
/// # Errors
/// When the plan cannot be walked.
pub(super) fn has_filtered_window(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            found = found || expression.exists(|part| Ok(is_filtered_window(part)))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}

fn is_filtered_window(part: &Expr) -> bool {
    matches!(part, Expr::WindowFunction(call) if call.params.filter.is_some())
}
