//! What a query asks of rows, made of what is computed of their groups.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::{count, sum};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{AggregateUDF, Expr, ExprSchemable, cast, lit};

use crate::optimize::aggregate_before_join::groups::{Groups, Over, is_exact, over};
use crate::optimize::aggregate_before_join::never_fails::never_fails;
use crate::rollup::EXACT;

/// Aggregates that do not care how often a value comes.
const INDIFFERENT: [&str; 4] = ["min", "max", "bool_and", "bool_or"];
/// A decimal with more digits may have a sum with more than 38, which `avg` makes with 76.
const DIGITS_OF_A_MEAN: u8 = 25;

/// The aggregates over the joined groups.
#[derive(Default)]
pub(in crate::optimize) struct Totals(Vec<Expr>);

/// A `FILTER`: what it says of rows alone, and the rest.
#[derive(Clone)]
struct Conditions {
    of_rows: Option<Box<Expr>>,
    of_groups: Option<Box<Expr>>,
}

impl Totals {
    fn add(&mut self, function: Arc<AggregateUDF>, argument: Expr, filter: Option<Box<Expr>>) -> Expr {
        let call = AggregateFunction::new_udf(function, vec![argument], false, filter, Vec::new(), None);
        self.add_call(call)
    }

    /// The column with the value of `call`.
    pub(in crate::optimize) fn add_call(&mut self, call: AggregateFunction) -> Expr {
        let name = format!("total {}", self.0.len());
        self.0.push(Expr::AggregateFunction(call).alias(&name));
        Expr::Column(Column::from_name(name))
    }

    /// Them, each with the name by which its value is asked for.
    pub(in crate::optimize) fn into_calls(self) -> Vec<Expr> {
        self.0
    }
}

/// The value of `call`, made of those of `totals`, to which it adds what it asks for, as to `groups`; `None` where groups do
/// not tell. Its type may differ. `written` is the call over the columns of the aggregate's input, which have `schema`.
///
/// # Errors
/// When an expression cannot be walked.
pub(in crate::optimize) fn over_groups(
    call: &AggregateFunction,
    written: &AggregateFunction,
    schema: &DFSchema,
    groups: &mut Groups,
    totals: &mut Totals,
) -> Result<Option<Expr>> {
    let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = &call.params;
    let ([argument], true, None) = (args.as_slice(), order_by.is_empty(), null_treatment) else {
        return Ok(None);
    };
    let argument = argument.clone().unalias();
    let name = call.func.name();
    let indifferent = INDIFFERENT.contains(&name);
    if *distinct {
        return if name == "count" { as_it_is(call, groups, totals) } else { Ok(None) };
    }
    if indifferent && over(&argument) != Over::Rows {
        return as_it_is(call, groups, totals);
    }
    let Some(conditions) = conditions(filter.as_deref(), written, schema, groups)? else { return Ok(None) };
    let Conditions { of_rows, of_groups } = conditions.clone();
    match over(&argument) {
        Over::Rows => {}
        // Every row of a group has it, or none.
        Over::Others if name == "count" => {
            let there = match &argument {
                Expr::Literal(value, _) if !value.is_null() => of_groups,
                _ => both(of_groups, Some(Box::new(argument.clone().is_not_null()))),
            };
            let rows = of_each_group(groups, count::count_udaf(), lit(1_i64), of_rows);
            let counted = totals.add(sum::sum_udaf(), rows, there);
            return Ok(Some(coalesce(vec![counted, lit(0_i64)])));
        }
        Over::Others | Over::Both => return Ok(None),
    }
    let Some(argument) = groups.that_never_fails(&argument)? else { return Ok(None) };
    let kind = argument.get_type(groups.base().schema())?;
    let is_summed = matches!(kind, DataType::Int64 | DataType::UInt64) || kind.is_decimal();
    Ok(match name {
        "sum" if is_summed => {
            let sums = of_each_group(groups, Arc::clone(&call.func), argument, of_rows);
            Some(totals.add(Arc::clone(&call.func), sums, of_groups))
        }
        "count" => {
            let counts = of_each_group(groups, Arc::clone(&call.func), argument, of_rows);
            let counted = totals.add(sum::sum_udaf(), counts, of_groups);
            // A count of nothing is 0, while the sum of no counts is NULL.
            Some(coalesce(vec![counted, lit(0_i64)]))
        }
        "avg" => mean(argument, &kind, conditions, groups, totals),
        _ if indifferent && is_exact(&kind) => {
            let values = of_each_group(groups, Arc::clone(&call.func), argument, of_rows);
            Some(totals.add(Arc::clone(&call.func), values, of_groups))
        }
        _ => None,
    })
}

/// As `avg` does it: of whole numbers their exact sum in floating point, of decimals with four more digits.
fn mean(
    argument: Expr,
    kind: &DataType,
    conditions: Conditions,
    groups: &mut Groups,
    totals: &mut Totals,
) -> Option<Expr> {
    let is_whole = match kind {
        DataType::Int64 | DataType::UInt64 => true,
        DataType::Decimal128(digits, _) if *digits <= DIGITS_OF_A_MEAN => false,
        _ => return None,
    };
    let Conditions { of_rows, of_groups } = conditions;
    let summed = if is_whole { cast(argument.clone(), EXACT) } else { argument.clone() };
    let sums = of_each_group(groups, sum::sum_udaf(), summed, of_rows.clone());
    let counts = of_each_group(groups, count::count_udaf(), argument, of_rows);
    let sum = totals.add(sum::sum_udaf(), sums, of_groups.clone());
    let count = totals.add(sum::sum_udaf(), counts, of_groups);
    Some(match is_whole {
        true => cast(sum, DataType::Float64) / cast(count, DataType::Float64),
        false => sum / cast(count, EXACT),
    })
}

fn of_each_group(
    groups: &mut Groups,
    function: Arc<AggregateUDF>,
    argument: Expr,
    filter: Option<Box<Expr>>,
) -> Expr {
    let call = AggregateFunction::new_udf(function, vec![argument], false, filter, Vec::new(), None);
    groups.computed(Expr::AggregateFunction(call))
}

/// The same call, all of it over keys of the groups: how many rows a group has makes no difference.
fn as_it_is(call: &AggregateFunction, groups: &mut Groups, totals: &mut Totals) -> Result<Option<Expr>> {
    let mut args = Vec::with_capacity(call.params.args.len());
    for argument in &call.params.args {
        let Some(argument) = groups.key(argument.clone())? else { return Ok(None) };
        args.push(argument);
    }
    let filter = match &call.params.filter {
        Some(filter) => match groups.key(filter.as_ref().clone())? {
            Some(filter) => Some(Box::new(filter)),
            None => return Ok(None),
        },
        None => None,
    };
    let params = AggregateFunctionParams { args, filter, ..call.params.clone() };
    Ok(Some(totals.add_call(AggregateFunction { func: Arc::clone(&call.func), params })))
}

fn conditions(
    filter: Option<&Expr>,
    written: &AggregateFunction,
    schema: &DFSchema,
    groups: &mut Groups,
) -> Result<Option<Conditions>> {
    let (mut of_rows, mut of_groups) = (Vec::new(), Vec::new());
    for part in filter.cloned().map(split_conjunction_owned).unwrap_or_default() {
        if over(&part) == Over::Rows
            && let Some(named) = groups.that_never_fails(&part)?
        {
            of_rows.push(named);
            continue;
        }
        let Some(keyed) = groups.key(part)? else { return Ok(None) };
        of_groups.push(keyed);
    }
    // One part may have kept another from rows on which it fails.
    let split = !of_rows.is_empty() && !of_groups.is_empty();
    if split
        && let Some(whole) = &written.params.filter
        && !never_fails(whole, schema, &|_| false)?
    {
        return Ok(None);
    }
    let boxed = |parts: Vec<Expr>| conjunction(parts).map(Box::new);
    Ok(Some(Conditions { of_rows: boxed(of_rows), of_groups: boxed(of_groups) }))
}

fn both(one: Option<Box<Expr>>, other: Option<Box<Expr>>) -> Option<Box<Expr>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Box::new(one.and(*other))),
        (one, other) => one.or(other),
    }
}
