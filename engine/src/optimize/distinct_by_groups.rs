//! Logical rule: what is counted distinct beside other aggregates is grouped by first.
//!
//! DataFusion keeps a set of values for each group, which is large from its first value on and cannot be put on disk. Groups of
//! a group and a value are found as any groups are, and those of a group are then counted: `SELECT k, count(*),
//! count(DISTINCT v) … GROUP BY k` becomes `SELECT k, sum(n), count(v) FROM (SELECT k, v, count(*) AS n … GROUP BY k, v)
//! GROUP BY k`. Where all other aggregates are sums and extremes, a rule of DataFusion's does the same.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, lit};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::optimize::aggregate_before_join::{
    Groups, Totals, as_it_was, columns_of, grouped_by, is_exact, never_fails, over_groups,
};
use crate::rollup::meaning;

/// The rule. It comes after that of DataFusion.
#[derive(Debug, Default)]
pub(crate) struct DistinctByGroups;

impl OptimizerRule for DistinctByGroups {
    fn name(&self) -> &'static str {
        "distinct_by_groups"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        Ok(match rewritten(aggregate)? {
            Some(rewritten) => Transformed::yes(rewritten),
            None => Transformed::no(plan),
        })
    }
}

fn rewritten(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    if !counts_one_distinct(aggregate)? {
        return Ok(None);
    }
    let mut groups = Groups::unjoined(Arc::clone(&aggregate.input));
    let input = aggregate.input.schema();
    let columns = columns_of(input);
    let Some(by) = grouped_by(aggregate, &columns, &mut groups)? else { return Ok(None) };
    let mut totals = Totals::default();
    let mut finishes = Vec::with_capacity(aggregate.aggr_expr.len());
    for call in &aggregate.aggr_expr {
        let Expr::AggregateFunction(written) = call.clone().unalias() else { return Ok(None) };
        let Some(Expr::AggregateFunction(call)) = meaning(&columns, call, input)? else { return Ok(None) };
        let finish = match call.params.distinct {
            true => counted(call, &mut groups, &mut totals)?,
            false => over_groups(&call, &written, input, &mut groups, &mut totals)?,
        };
        let Some(finish) = finish else { return Ok(None) };
        finishes.push(finish);
    }
    // Without a key, there would be a group of no rows.
    if groups.keys() == 0 {
        return Ok(None);
    }
    let values = Aggregate::try_new(Arc::new(groups.into_plan()?), by, totals.into_calls())?;
    as_it_was(values, finishes, aggregate)
}

/// Whether one thing is counted distinct, something is aggregated beside it, and sets of it are large: of whole numbers
/// DataFusion keeps one set for all groups.
fn counts_one_distinct(aggregate: &Aggregate) -> Result<bool> {
    let input = aggregate.input.schema();
    let mut counted: Option<Expr> = None;
    let mut others = 0;
    for call in &aggregate.aggr_expr {
        let Expr::AggregateFunction(call) = call.clone().unalias() else { return Ok(false) };
        // Without groups, what is aggregated is asked of rows alone that satisfy the filter; with groups, of all.
        if call.params.filter.is_some() {
            for argument in &call.params.args {
                if !never_fails(argument, input, &|_| false)? {
                    return Ok(false);
                }
            }
        }
        if !call.params.distinct {
            others += 1;
            continue;
        }
        let [argument] = call.params.args.as_slice() else { return Ok(false) };
        let same = counted.as_ref().is_none_or(|counted| counted == argument);
        if call.func.name() != "count" || !same || !call.params.order_by.is_empty() {
            return Ok(false);
        }
        // With a filter, it is not the only one of its kind to DataFusion's rule.
        others += usize::from(call.params.filter.is_some());
        counted = Some(argument.clone());
    }
    let Some(counted) = counted else { return Ok(false) };
    let kind = counted.get_type(input)?;
    Ok(others > 0 && is_exact(&kind) && !kind.is_integer())
}

/// The number of a group's values, of which each has one row; under a filter, of those with a row that satisfies it.
fn counted(call: AggregateFunction, groups: &mut Groups, totals: &mut Totals) -> Result<Option<Expr>> {
    let mut args = Vec::with_capacity(call.params.args.len());
    for argument in call.params.args {
        let Some(argument) = groups.key(argument)? else { return Ok(None) };
        args.push(argument);
    }
    let filter = match call.params.filter {
        Some(filter) => {
            let filter = Box::new(groups.over_base(*filter)?);
            let one = vec![lit(1_i64)];
            let rows = AggregateFunction::new_udf(count_udaf(), one, false, Some(filter), Vec::new(), None);
            Some(Box::new(groups.computed(Expr::AggregateFunction(rows)).gt(lit(0_i64))))
        }
        None => None,
    };
    let call = AggregateFunction::new_udf(call.func, args, false, filter, Vec::new(), None);
    Ok(Some(totals.add_call(call)))
}
