//! Which windows are over whole partitions, and what is called over them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::WindowFrame;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::windows::{PlainAggregateWindowExpr, WindowAggExec, WindowExpr};

/// Aggregates whose answer is the same in whatever order the rows of a partition come (where floating-point numbers are
/// added, to the last digits, which the sorted way does not promise either: its sort leaves equal keys in any order).
const FUNCTIONS: [&str; 5] = ["avg", "count", "max", "min", "sum"];
/// Those that compare: row by row they take NaN for other than they do value by value.
const COMPARE: [&str; 2] = ["max", "min"];

/// The keys and the aggregates of `window`, if each row gets what belongs to its whole partition.
///
/// # Errors
/// When an expression has no type.
pub(super) fn whole_partition(window: &WindowAggExec) -> Result<Option<Calls>> {
    let schema = window.input().schema();
    let Some(first) = window.window_expr().first() else { return Ok(None) };
    let keys = first.partition_by();
    if keys.is_empty() {
        return Ok(None);
    }
    for key in keys {
        if !is_plain(&key.data_type(&schema)?) {
            return Ok(None);
        }
    }
    let mut functions = Vec::with_capacity(window.window_expr().len());
    for call in window.window_expr() {
        match whole_call(call, keys, &schema)? {
            Some(function) => functions.push(function),
            None => return Ok(None),
        }
    }
    Ok(Some(Calls { keys: keys.to_vec(), functions }))
}

/// What [`whole_partition`] finds.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    pub(super) keys: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) functions: Vec<AggregateFunctionExpr>,
}

fn whole_call(
    call: &Arc<dyn WindowExpr>,
    keys: &[Arc<dyn PhysicalExpr>],
    schema: &Schema,
) -> Result<Option<AggregateFunctionExpr>> {
    let Some(plain) = call.as_any().downcast_ref::<PlainAggregateWindowExpr>() else { return Ok(None) };
    let function = plain.get_aggregate_expr();
    let name = function.fun().name();
    let whole = FUNCTIONS.contains(&name)
        && !function.is_distinct()
        && function.order_bys().is_empty()
        && call.order_by().is_empty()
        && call.partition_by() == keys
        && is_whole(call.get_window_frame())
        && has_no_filter(plain);
    if !whole {
        return Ok(None);
    }
    if COMPARE.contains(&name) {
        for argument in function.expressions() {
            if !is_plain(&argument.data_type(schema)?) {
                return Ok(None);
            }
        }
    }
    Ok(function.groups_accumulator_supported().then(|| function.clone()))
}

fn is_whole(frame: &WindowFrame) -> bool {
    frame.start_bound.is_unbounded() && frame.end_bound.is_unbounded()
}

/// Nothing but what it writes for developers tells whether there is a `FILTER`. Should another version of DataFusion write it
/// otherwise, all windows are DataFusion's again.
pub(in crate::optimize) fn has_no_filter(call: &PlainAggregateWindowExpr) -> bool {
    format!("{call:?}").ends_with("filter: None }")
}

/// Whether values are equal in a group just when they are equal in a sort: of NaN and of negative zero that is not so.
pub(in crate::optimize) fn is_plain(kind: &DataType) -> bool {
    kind.is_integer()
        || kind.is_decimal()
        || kind.is_string()
        || kind.is_binary()
        || matches!(
            kind,
            DataType::Boolean
                | DataType::Date32
                | DataType::Date64
                | DataType::Time32(_)
                | DataType::Time64(_)
                | DataType::Timestamp(..)
        )
}
