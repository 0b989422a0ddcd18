//! The rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::BoundedWindowAggExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

use super::exec::{FirstOfGroupsExec, Groups};
use super::first_rows::{Bound, bounds, first_rows};
use super::order_codes::has_codes;
use crate::optimize::whole_windows::is_plain;

/// Physical rule: where a filter asks for the first rows of each partition of a window, those that certainly come later are
/// dropped before they are divided and sorted.
///
/// It comes last of the rules that move filters and projections, and leaves all operators where they are.
#[derive(Debug, Default)]
pub(crate) struct FirstOfGroups;

impl FirstOfGroups {
    /// The name of the rule.
    pub(crate) const NAME: &'static str = "first_of_groups";
}

impl PhysicalOptimizerRule for FirstOfGroups {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(node)) };
            Ok(match of_fewer_rows(filter.input(), bounds(filter.predicate()))? {
                Some(input) => Transformed::yes(over(&node, input)?),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `plan`, whose rows are filtered by `bounds`, with fewer rows going into its window; `None` if nothing changes.
fn of_fewer_rows(
    plan: &Arc<dyn ExecutionPlan>,
    bounds: Vec<Bound>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if bounds.is_empty() {
        return Ok(None);
    }
    let below = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let exprs = projection.expr();
        // What could fail would fail or not by which rows come first.
        let cannot_fail = exprs.iter().all(|expr| expr.expr.is::<Column>() || expr.expr.is::<Literal>());
        let below = bounds.iter().filter_map(|bound| {
            let column = exprs.get(bound.column)?.expr.downcast_ref::<Column>()?;
            Some(Bound { column: column.index(), most: bound.most })
        });
        if !cannot_fail {
            return Ok(None);
        }
        of_fewer_rows(projection.input(), below.collect())?
    } else if let Some(repartition) = plan.downcast_ref::<RepartitionExec>() {
        of_fewer_rows(repartition.input(), bounds)?
    } else if let Some(window) = plan.downcast_ref::<BoundedWindowAggExec>() {
        sorting_fewer_rows(window, &bounds)?
    } else {
        None
    };
    below.map(|below| over(plan, below)).transpose()
}

/// The sort below `window`, of fewer rows.
fn sorting_fewer_rows(
    window: &BoundedWindowAggExec,
    bounds: &[Bound],
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(sort) = window.input().downcast_ref::<SortExec>() else { return Ok(None) };
    let Some(groups) = groups(window, bounds)? else { return Ok(None) };
    if sort.fetch().is_some() || sort.input().is::<FirstOfGroupsExec>() {
        return Ok(None);
    }
    let input = sort.input();
    let dropping = |input: &Arc<dyn ExecutionPlan>| -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(FirstOfGroupsExec::new(Arc::clone(input), groups.clone())))
    };
    let input = match divided(input) {
        // Once where rows are read, to spare most of them the way, and once where a group is all in one place: there, what
        // many threads have let through of it is few rows more than it should be.
        Some(before) => dropping(&over(input, dropping(before)?)?)?,
        None => match input.downcast_ref::<CoalescePartitionsExec>() {
            Some(gathered) if gathered.fetch().is_none() => over(input, dropping(gathered.input())?)?,
            _ => dropping(input)?,
        },
    };
    over(window.input(), input).map(Some)
}

/// What `plan` divides by hash.
fn divided(plan: &Arc<dyn ExecutionPlan>) -> Option<&Arc<dyn ExecutionPlan>> {
    let repartition = plan.downcast_ref::<RepartitionExec>()?;
    matches!(repartition.partitioning(), Partitioning::Hash(..)).then(|| repartition.input())
}

/// The groups whose first rows `bounds` let through, if rows can be compared before they are sorted.
fn groups(window: &BoundedWindowAggExec, bounds: &[Bound]) -> Result<Option<Groups>> {
    let (Some(first), Some(call)) = (first_rows(window, bounds), window.window_expr().first()) else {
        return Ok(None);
    };
    let keys = call.partition_by();
    let schema = window.input().schema();
    for key in keys {
        if is_volatile(key) || !is_plain(&key.data_type(&schema)?) {
            return Ok(None);
        }
    }
    // In a group, what it is grouped by tells no row from another.
    let mut order = call.order_by().iter().skip_while(|order| keys.contains(&order.expr));
    let Some(best) = order.next() else { return Ok(None) };
    if is_volatile(&best.expr) || !has_codes(&best.expr.data_type(&schema)?) {
        return Ok(None);
    }
    // Of rows that are dropped nobody asks for the rest of the order: it must not be what would fail.
    if !order.all(|order| order.expr.is::<Column>()) {
        return Ok(None);
    }
    Ok(Some(Groups { keys: keys.to_vec(), best: best.clone(), first }))
}

/// `node` over another input with the same columns.
fn over(node: &Arc<dyn ExecutionPlan>, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(node).replace_children(vec![input], anew)
}
