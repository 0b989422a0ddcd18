//! Where the columns of an aggregate are in another.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::aggregates::{
    AggregateExec, AggregateInputMode, AggregateOutputMode, PhysicalGroupBy,
};

use super::places::Places;

/// For each column of `narrow` the one of `wide` that is the same: both have the same groups, and each call of `narrow` is one of
/// `wide` as well. `input` has the places of the columns of their inputs.
///
/// # Errors
/// When an expression cannot be walked, or a call does not say what its state is.
pub(super) fn aggregate_places(
    narrow: &AggregateExec,
    wide: &AggregateExec,
    input: &Places,
) -> Result<Option<Vec<usize>>> {
    let same = narrow.mode() == wide.mode()
        && narrow.limit_options().is_none()
        && wide.limit_options().is_none()
        && narrow.input_order_mode() == wide.input_order_mode()
        && same_groups(narrow.group_expr(), wide.group_expr(), input)?;
    if !same {
        return Ok(None);
    }
    let of_groups = narrow.group_expr().num_group_exprs();
    let mut places: Vec<usize> = (0..of_groups).collect();
    let calls = match narrow.mode().input_mode() {
        AggregateInputMode::Raw => calls_over_rows(narrow, wide, input)?,
        AggregateInputMode::Partial => calls_over_states(narrow, wide, input)?,
    };
    let Some(calls) = calls else { return Ok(None) };
    match narrow.mode().output_mode() {
        AggregateOutputMode::Final => places.extend(calls.iter().map(|call| of_groups + call)),
        AggregateOutputMode::Partial => {
            let states = states(wide)?;
            for call in calls {
                let Some(&(first, count)) = states.get(call) else { return Ok(None) };
                places.extend(first..first + count);
            }
        }
    }
    Ok(Some(places))
}

fn same_groups(narrow: &PhysicalGroupBy, wide: &PhysicalGroupBy, input: &Places) -> Result<bool> {
    let same = |narrow: &[(Arc<dyn PhysicalExpr>, String)], wide: &[(Arc<dyn PhysicalExpr>, String)]| {
        let mut same = narrow.len() == wide.len();
        for ((narrow, name), (wide, of_wide)) in narrow.iter().zip(wide) {
            same = same && name == of_wide && input.same(narrow, wide)?;
        }
        Ok::<bool, DataFusionError>(same)
    };
    Ok(narrow.groups() == wide.groups()
        && narrow.has_grouping_set() == wide.has_grouping_set()
        && same(narrow.expr(), wide.expr())?
        && same(narrow.null_expr(), wide.null_expr())?)
}

/// Which call of `wide` each of `narrow` is, where both aggregate rows.
fn calls_over_rows(
    narrow: &AggregateExec,
    wide: &AggregateExec,
    input: &Places,
) -> Result<Option<Vec<usize>>> {
    let mut calls = Vec::with_capacity(narrow.aggr_expr().len());
    for (call, filter) in narrow.aggr_expr().iter().zip(narrow.filter_expr()) {
        let mut found = None;
        for (number, (of_wide, its_filter)) in wide.aggr_expr().iter().zip(wide.filter_expr()).enumerate() {
            let same_filter = match (filter, its_filter) {
                (Some(filter), Some(its_filter)) => input.same(filter, its_filter)?,
                (None, None) => true,
                _ => false,
            };
            if same_filter && same_function(call, of_wide) && same_arguments(call, of_wide, input)? {
                found = Some(number);
                break;
            }
        }
        let Some(found) = found else { return Ok(None) };
        calls.push(found);
    }
    Ok(Some(calls))
}

/// The same where they merge states: the call whose state it merges. What the states are of was looked at where they are made.
fn calls_over_states(
    narrow: &AggregateExec,
    wide: &AggregateExec,
    input: &Places,
) -> Result<Option<Vec<usize>>> {
    let of_wide = states(wide)?;
    let mut calls = Vec::with_capacity(narrow.aggr_expr().len());
    for (call, (first, count)) in narrow.aggr_expr().iter().zip(states(narrow)?) {
        let merged = input.as_slice().get(first..first + count);
        let found = of_wide.iter().zip(wide.aggr_expr()).position(|(&(first, count), of_wide)| {
            merged.is_some_and(|merged| merged.iter().copied().eq(first..first + count))
                && same_function(call, of_wide)
        });
        let Some(found) = found else { return Ok(None) };
        calls.push(found);
    }
    Ok(Some(calls))
}

/// Where the state of each call begins among the columns that a partial aggregate gives, and how many columns it has.
fn states(aggregate: &AggregateExec) -> Result<Vec<(usize, usize)>> {
    let mut first = aggregate.group_expr().num_group_exprs();
    let mut states = Vec::with_capacity(aggregate.aggr_expr().len());
    for call in aggregate.aggr_expr() {
        let count = call.state_fields()?.len();
        states.push((first, count));
        first += count;
    }
    Ok(states)
}

fn same_function(narrow: &AggregateFunctionExpr, wide: &AggregateFunctionExpr) -> bool {
    narrow.fun() == wide.fun()
        && narrow.name() == wide.name()
        && narrow.field() == wide.field()
        && narrow.is_distinct() == wide.is_distinct()
        && narrow.ignore_nulls() == wide.ignore_nulls()
        && narrow.is_reversed() == wide.is_reversed()
}

fn same_arguments(
    narrow: &AggregateFunctionExpr,
    wide: &AggregateFunctionExpr,
    input: &Places,
) -> Result<bool> {
    Ok(input.all_same(&narrow.expressions(), &wide.expressions())?
        && input.same_order(narrow.order_bys(), wide.order_bys())?)
}
