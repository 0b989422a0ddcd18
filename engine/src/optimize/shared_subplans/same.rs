//! Whether two parts of a plan give the same rows.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_expr::{DynamicFilterTracking, PhysicalExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;

use super::same_scan::same_scan;
use crate::policy::BarrierExec;

/// Whether `left` gives the rows of `right`, however often each runs in one query: the same operators, all of them such
/// that what they do is known here. What is not known is not the same as anything, not even as itself.
///
/// # Errors
/// When the expressions of an operator cannot be walked.
pub(super) fn same(left: &Arc<dyn ExecutionPlan>, right: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let (of_left, of_right) = (left.children(), right.children());
    if of_left.len() != of_right.len() || left.schema() != right.schema() {
        return Ok(false);
    }
    if same_operator(left.as_ref(), right.as_ref()) != Some(true) || !has_fixed_expressions(left.as_ref())? {
        return Ok(false);
    }
    for (left, right) in of_left.into_iter().zip(of_right) {
        if !same(left, right)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether both do the same with the same input; `None` if they are not of one kind, or of one that is not known.
fn same_operator(left: &dyn ExecutionPlan, right: &dyn ExecutionPlan) -> Option<bool> {
    if let Some(left) = left.downcast_ref::<AggregateExec>() {
        return right.downcast_ref().map(|right| same_aggregate(left, right));
    }
    if let Some(left) = left.downcast_ref::<FilterExec>() {
        let right = right.downcast_ref::<FilterExec>()?;
        let whole = left.fetch().is_none() && right.fetch().is_none();
        return Some(
            whole && left.predicate() == right.predicate() && left.projection() == right.projection(),
        );
    }
    if let Some(left) = left.downcast_ref::<ProjectionExec>() {
        return Some(left.expr() == right.downcast_ref::<ProjectionExec>()?.expr());
    }
    if let Some(left) = left.downcast_ref::<RepartitionExec>() {
        let right = right.downcast_ref::<RepartitionExec>()?;
        return Some(
            left.partitioning() == right.partitioning() && left.preserve_order() == right.preserve_order(),
        );
    }
    if left.is::<CoalescePartitionsExec>() {
        return Some(
            right.is::<CoalescePartitionsExec>() && left.fetch().is_none() && right.fetch().is_none(),
        );
    }
    if let Some(left) = left.downcast_ref::<SortExec>() {
        let right = right.downcast_ref::<SortExec>()?;
        let whole = left.fetch().is_none() && right.fetch().is_none();
        return Some(
            whole
                && left.expr() == right.expr()
                && left.preserve_partitioning() == right.preserve_partitioning(),
        );
    }
    if let Some(left) = left.downcast_ref::<HashJoinExec>() {
        return right.downcast_ref().map(|right| same_join(left, right));
    }
    if let Some(left) = left.downcast_ref::<BarrierExec>() {
        return Some(left.table() == right.downcast_ref::<BarrierExec>()?.table());
    }
    if left.is::<CooperativeExec>() {
        return Some(right.is::<CooperativeExec>());
    }
    if left.is::<UnionExec>() {
        return Some(right.is::<UnionExec>());
    }
    same_scan(left, right)
}

fn same_aggregate(left: &AggregateExec, right: &AggregateExec) -> bool {
    left.mode() == right.mode()
        && left.group_expr() == right.group_expr()
        && left.aggr_expr().len() == right.aggr_expr().len()
        && left.aggr_expr().iter().zip(right.aggr_expr()).all(|(left, right)| same_function(left, right))
        && left.filter_expr() == right.filter_expr()
        && left.limit_options().is_none()
        && right.limit_options().is_none()
        && left.input_order_mode() == right.input_order_mode()
        && left.input_schema() == right.input_schema()
}

fn same_function(left: &AggregateFunctionExpr, right: &AggregateFunctionExpr) -> bool {
    left == right
        && left.is_distinct() == right.is_distinct()
        && left.ignore_nulls() == right.ignore_nulls()
        && left.is_reversed() == right.is_reversed()
        && left.order_bys() == right.order_bys()
}

fn same_join(left: &HashJoinExec, right: &HashJoinExec) -> bool {
    let same_filter = match (left.filter(), right.filter()) {
        (Some(left), Some(right)) => same_join_filter(left, right),
        (None, None) => true,
        _ => false,
    };
    same_filter
        && left.on() == right.on()
        && left.join_type() == right.join_type()
        && left.partition_mode() == right.partition_mode()
        && left.null_equality() == right.null_equality()
        && left.null_aware == right.null_aware
        && left.projection == right.projection
        && left.fetch().is_none()
        && right.fetch().is_none()
}

fn same_join_filter(left: &JoinFilter, right: &JoinFilter) -> bool {
    left.expression() == right.expression()
        && left.column_indices() == right.column_indices()
        && left.schema() == right.schema()
}

/// Whether what `operator` evaluates is the same whenever it is asked: no random numbers, nothing that other operators fill
/// in while they run.
fn has_fixed_expressions(operator: &dyn ExecutionPlan) -> Result<bool> {
    let mut fixed = true;
    operator.apply_expressions(&mut |expr| {
        fixed = fixed && is_fixed(expr);
        Ok(if fixed { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(fixed)
}

fn is_fixed(expr: &Arc<dyn PhysicalExpr>) -> bool {
    !is_volatile(expr)
        && !DynamicFilterTracking::classify(expr).contains_dynamic_filter()
        && !asks_subquery(expr)
}

fn asks_subquery(expr: &Arc<dyn PhysicalExpr>) -> bool {
    expr.is::<ScalarSubqueryExpr>() || expr.children().into_iter().any(asks_subquery)
}
