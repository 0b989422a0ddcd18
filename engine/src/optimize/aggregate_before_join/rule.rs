//! The rule.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Projection, cast};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::optimize::aggregate_before_join::calls::{Totals, over_groups};
use crate::optimize::aggregate_before_join::groups::Groups;
use crate::optimize::aggregate_before_join::path::Path;
use crate::optimize::aggregate_before_join::sizes::pays;
use crate::rollup::meaning;
use crate::settings::Settings;

/// The rule. It comes when conditions lie where they belong, and after a rollup had its chance of the whole.
#[derive(Debug, Default)]
pub(crate) struct AggregateBeforeJoin;

impl OptimizerRule for AggregateBeforeJoin {
    fn name(&self) -> &'static str {
        "aggregate_before_join"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if !Settings::of(&config.options()).aggregate_before_join {
            return Ok(Transformed::no(plan));
        }
        Ok(match rewritten(aggregate)? {
            Some(rewritten) => Transformed::yes(rewritten),
            None => Transformed::no(plan),
        })
    }
}

fn rewritten(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let Some(path) = Path::down(&aggregate.input)? else { return Ok(None) };
    let mut groups = Groups::new(Arc::clone(&path.base));
    let input = aggregate.input.schema();
    let mut by = Vec::with_capacity(aggregate.group_expr.len());
    for (number, group) in aggregate.group_expr.iter().enumerate() {
        if matches!(group, Expr::GroupingSet(_)) {
            return Ok(None);
        }
        let Some(group) = meaning(&path.columns, group, input)? else { return Ok(None) };
        let Some(group) = groups.key(group)? else { return Ok(None) };
        by.push(group.alias(format!("group {number}")));
    }
    let mut totals = Totals::default();
    let mut finishes = Vec::with_capacity(aggregate.aggr_expr.len());
    for call in &aggregate.aggr_expr {
        let Expr::AggregateFunction(written) = call.clone().unalias() else { return Ok(None) };
        let Some(Expr::AggregateFunction(call)) = meaning(&path.columns, call, input)? else {
            return Ok(None);
        };
        let Some(finish) = over_groups(&call, &written, input, &mut groups, &mut totals)? else {
            return Ok(None);
        };
        finishes.push(finish);
    }
    let mut steps = Vec::with_capacity(path.steps.len());
    for step in path.steps {
        let Some(step) = step.keyed(&mut groups)? else { return Ok(None) };
        steps.push(step);
    }
    // Without a key, there would be a group of no rows.
    if groups.keys() == 0 || !pays(&groups, &steps)? {
        return Ok(None);
    }
    let mut plan = groups.into_plan()?;
    for step in steps {
        let Some(above) = step.above(plan)? else { return Ok(None) };
        plan = above;
    }
    let found = (0..by.len()).map(|number| Expr::Column(Column::from_name(format!("group {number}"))));
    let found: Vec<Expr> = found.chain(finishes).collect();
    let values = Aggregate::try_new(Arc::new(plan), by, totals.into_calls())?;
    as_it_was(values, found, aggregate)
}

/// `found`, over the columns of `values`, as the columns of `aggregate`.
fn as_it_was(values: Aggregate, found: Vec<Expr>, aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let mut columns = Vec::with_capacity(found.len());
    for ((qualifier, field), value) in aggregate.schema.iter().zip(found) {
        // A sum of sums has more digits than the sum that it is.
        let value = match value.get_type(values.schema.as_ref())? == *field.data_type() {
            true => value,
            false => cast(value, field.data_type().clone()),
        };
        columns.push(value.alias_qualified(qualifier.cloned(), field.name()));
    }
    let plan = Projection::try_new(columns, Arc::new(LogicalPlan::Aggregate(values)))?;
    let same = plan.schema.logically_equivalent_names_and_types(&aggregate.schema);
    Ok(same.then_some(LogicalPlan::Projection(plan)))
}
