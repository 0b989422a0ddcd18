//! Many rows of values for the parameters of one statement that writes: one write.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Values};

use crate::error::Result;

/// The name of the rows of values in a plan.
const BOUND: &str = "bound values";

/// Statements other than `INSERT … VALUES` are planned for each row of values; more rows than this are refused.
pub(super) const MOST_PLANS: usize = 1000;

/// The source of rows `plan`, an `INSERT` of one row of `VALUES` with parameters, for every row of `values`, the first
/// column for `$1`; `None` when it is another kind of plan.
///
/// # Errors
/// When a value does not fit its place.
pub(super) fn bind_rows(plan: &LogicalPlan, values: &RecordBatch) -> Result<Option<LogicalPlan>> {
    let columns = values.num_columns();
    let mut found = 0;
    let bound = plan.clone().transform_up(|node| match node {
        LogicalPlan::Values(row) if row.values.len() == 1 => {
            found += 1;
            Ok(Transformed::yes(row_for_each(&row, values)?))
        }
        node => Ok(Transformed::no(node)),
    })?;
    let mut open = false;
    bound.data.apply_with_subqueries(|node| {
        for expr in node.expressions() {
            open |= expr.exists(|inner| Ok(matches!(inner, Expr::Placeholder(_))))?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok((found == 1 && !open && columns > 0).then_some(bound.data))
}

/// The rows of all `plans`, one after the other.
///
/// # Errors
/// When they do not have the same columns.
pub(super) fn union(plans: Vec<LogicalPlan>) -> Result<Option<LogicalPlan>> {
    let mut plans = plans.into_iter();
    let Some(first) = plans.next() else { return Ok(None) };
    let mut all = LogicalPlanBuilder::from(first);
    for next in plans {
        all = all.union(next)?;
    }
    Ok(Some(all.build()?))
}

/// The one row of `row` as a projection of every row of `values`.
fn row_for_each(row: &Values, values: &RecordBatch) -> std::result::Result<LogicalPlan, DataFusionError> {
    let schema = values.schema();
    let table = MemTable::try_new(Arc::clone(&schema), vec![vec![values.clone()]])?;
    let scan = LogicalPlanBuilder::scan(BOUND, provider_as_source(Arc::new(table)), None)?;
    let expressions = row.values.iter().flatten().zip(row.schema.fields());
    let mut projected = Vec::new();
    for (expression, field) in expressions {
        let bound = expression.clone().transform_up(|expr| match expr {
            Expr::Placeholder(placeholder) => {
                let number: usize = placeholder.id.trim_start_matches('$').parse().map_err(|_no_number| {
                    DataFusionError::Plan(format!("the parameter {} has no number", placeholder.id))
                })?;
                let column = number.checked_sub(1).and_then(|place| schema.fields().get(place));
                let column = column.ok_or_else(|| {
                    DataFusionError::Plan(format!("the parameter {} has no value", placeholder.id))
                })?;
                Ok(Transformed::yes(Expr::Column(Column::new(Some(BOUND), column.name()))))
            }
            expr => Ok(Transformed::no(expr)),
        })?;
        let typed = datafusion::logical_expr::cast(bound.data, field.data_type().clone());
        projected.push(typed.alias(field.name()));
    }
    scan.project(projected)?.build()
}
