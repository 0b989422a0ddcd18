//! What a query asks of groups, made of the measures of finer groups.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::{min_max, sum};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{AggregateUDF, Cast, Expr, ExprSchemable, cast, lit};
use tithe_udfs::distinct_estimate;

use crate::rollup::definition::MeasureKind;
use crate::rollup::keyed::Keyed;

/// Takes every whole number of 64 bits, and so does a sum of them.
pub(crate) const EXACT: DataType = DataType::Decimal128(20, 0);
/// Aggregates that do not care how often a value comes.
const INDIFFERENT: [&str; 6] = ["min", "max", "bool_and", "bool_or", "approx_distinct", "bit_or"];

/// Calls of aggregates over the rollup, and what is made of their values.
pub(super) struct Combined {
    pub(super) calls: Vec<Expr>,
    finish: Finish,
}

enum Finish {
    AsItIs,
    /// A count of nothing is 0, while the sum of no counts is NULL.
    Count,
    /// A sum and a count.
    Mean {
        whole: bool,
    },
}

impl Combined {
    fn of(call: Expr) -> Self {
        Self { calls: vec![call], finish: Finish::AsItIs }
    }

    /// What the query asked for, where `values` are those of the calls; its type may differ.
    pub(super) fn finished(&self, values: Vec<Expr>) -> Option<Expr> {
        let mut values = values.into_iter();
        let first = values.next()?;
        Some(match self.finish {
            Finish::AsItIs => first,
            Finish::Count => coalesce(vec![first, lit(0_i64)]),
            // As `avg` does it: of whole numbers in floating point, of decimals with four more digits.
            Finish::Mean { whole: true } => {
                cast(first, DataType::Float64) / cast(values.next()?, DataType::Float64)
            }
            Finish::Mean { whole: false } => first / cast(values.next()?, EXACT),
        })
    }
}

/// `call`, whose arguments are over the table's columns, over the rollup; `None` when its measures do not tell.
///
/// # Errors
/// When an expression cannot be walked.
pub(super) fn combined(keyed: &Keyed<'_>, call: &AggregateFunction) -> Result<Option<Combined>> {
    let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = &call.params;
    if !order_by.is_empty() || null_treatment.is_some() {
        return Ok(None);
    }
    let filter = match filter {
        Some(filter) => match keyed.map(filter.as_ref().clone())? {
            Some(filter) => Some(Box::new(filter)),
            None => return Ok(None),
        },
        None => None,
    };
    let name = call.func.name();
    if *distinct || INDIFFERENT.contains(&name) {
        let mapped = args.iter().map(|argument| keyed.map(argument.clone())).collect::<Result<Vec<_>>>()?;
        if let Some(args) = mapped.into_iter().collect::<Option<Vec<_>>>() {
            let params = AggregateFunctionParams { args, filter, ..call.params.clone() };
            let call = Expr::AggregateFunction(AggregateFunction { func: Arc::clone(&call.func), params });
            return Ok(Some(Combined::of(call)));
        }
        if *distinct {
            return Ok(None);
        }
    }
    let [argument] = args.as_slice() else { return Ok(None) };
    let argument = argument.clone().unalias();
    let over = |function: Arc<AggregateUDF>, text: &str, filter: Option<Box<Expr>>| {
        let arguments = vec![keyed.column(text)];
        let call = AggregateFunction::new_udf(function, arguments, false, filter, Vec::new(), None);
        Expr::AggregateFunction(call)
    };
    let measures = &keyed.definition.measures;
    let measure = |kind, argument: &Expr| {
        measures.iter().find(|measure| measure.kind == kind && measure.argument == *argument)
    };
    let kept = |kind, function: Arc<AggregateUDF>| {
        Ok(measure(kind, &argument).map(|found| Combined::of(over(function, &found.text, filter.clone()))))
    };
    match name {
        "sum" => kept(MeasureKind::Sum, sum::sum_udaf()),
        "min" => kept(MeasureKind::Min, min_max::min_udaf()),
        "max" => kept(MeasureKind::Max, min_max::max_udaf()),
        "approx_distinct" => kept(MeasureKind::Sketch, distinct_estimate()),
        "count" => {
            let counted = counted(keyed, &argument, filter.clone())?;
            Ok(counted.map(|(text, filter)| Combined {
                calls: vec![over(sum::sum_udaf(), text, filter)],
                finish: Finish::Count,
            }))
        }
        "avg" => {
            // What is averaged may be of another table.
            let Ok(kind) = argument.get_type(keyed.definition.base.as_ref()) else { return Ok(None) };
            let (argument, summed) = match kind.is_integer() {
                true => {
                    let plain = without_widening(&argument, &keyed.definition.base);
                    (plain.clone(), cast(plain.clone(), EXACT))
                }
                false => (argument.clone(), argument.clone()),
            };
            if !kind.is_integer() && !kind.is_decimal() {
                return Ok(None);
            }
            let Some(sums) = measure(MeasureKind::Sum, &summed) else { return Ok(None) };
            let Some((counts, count_filter)) = counted(keyed, &argument, filter.clone())? else {
                return Ok(None);
            };
            Ok(Some(Combined {
                calls: vec![
                    over(sum::sum_udaf(), &sums.text, filter),
                    over(sum::sum_udaf(), counts, count_filter),
                ],
                finish: Finish::Mean { whole: kind.is_integer() },
            }))
        }
        _ => Ok(None),
    }
}

/// A column of counts, and the condition to sum it under.
type Counted<'a> = (&'a str, Option<Box<Expr>>);

/// The column whose sum is the count of `argument` under `filter`, and the condition to sum it under.
fn counted<'a>(keyed: &Keyed<'a>, argument: &Expr, filter: Option<Box<Expr>>) -> Result<Option<Counted<'a>>> {
    let counts = || keyed.definition.measures.iter().filter(|measure| measure.kind == MeasureKind::Count);
    if let Some(found) = counts().find(|measure| measure.argument == *argument) {
        return Ok(Some((&found.text, filter)));
    }
    // Rows are counted, all of them or those with something that the keys tell.
    let Some(rows) = counts().find(|measure| counts_rows(&measure.argument)) else { return Ok(None) };
    if counts_rows(argument) {
        return Ok(Some((&rows.text, filter)));
    }
    let Some(mapped) = keyed.map(argument.clone())? else { return Ok(None) };
    let there = mapped.is_not_null();
    let both = match filter {
        Some(filter) => filter.and(there),
        None => there,
    };
    Ok(Some((&rows.text, Some(Box::new(both)))))
}

fn counts_rows(argument: &Expr) -> bool {
    matches!(argument, Expr::Literal(value, _) if !value.is_null())
}

/// A whole number as the table has it, before it was made one of 64 bits.
fn without_widening<'a>(argument: &'a Expr, base: &DFSchema) -> &'a Expr {
    match argument {
        Expr::Cast(Cast { expr, field })
            if matches!(field.data_type(), DataType::Int64 | DataType::UInt64)
                && expr.get_type(base).is_ok_and(|kind| kind.is_integer()) =>
        {
            expr
        }
        other => other,
    }
}
