//! Which windows can be carried on, and what is called over them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::{WindowFrameBound, WindowFrameUnits};
use datafusion::physical_plan::windows::{BoundedWindowAggExec, PlainAggregateWindowExpr, WindowExpr};
use datafusion::physical_plan::{InputOrderMode, PhysicalExpr};

use crate::optimize::whole_windows::{has_no_filter, is_plain};
use crate::optimize::window_calls::{function_name, share_window};

/// What is called over a window, each from the first row of the partition to the row at hand.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    /// What makes rows those of one partition.
    pub(super) partition_keys: Vec<Arc<dyn PhysicalExpr>>,
    /// What makes rows of a partition equal.
    pub(super) order_keys: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) calls: Vec<Call>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) function: Function,
    /// Whether equal rows have one answer, which belongs to the last of them.
    pub(super) with_equals: bool,
    /// Of the answers.
    pub(super) kind: DataType,
}

/// A function whose answer for a row follows from that for the row before.
#[derive(Debug, Clone)]
pub(super) enum Function {
    RowNumber,
    Rank,
    DenseRank,
    Count(Arc<dyn PhysicalExpr>),
    Sum(Arc<dyn PhysicalExpr>),
    Min(Arc<dyn PhysicalExpr>),
    Max(Arc<dyn PhysicalExpr>),
}

/// The calls of `window`, if all of them can be carried on.
///
/// # Errors
/// When an expression has no type.
pub(super) fn carried(window: &BoundedWindowAggExec) -> Result<Option<Calls>> {
    let calls = window.window_expr();
    let (Some(first), None) = (calls.first(), window.state_observer()) else { return Ok(None) };
    let in_order = matches!(window.input_order_mode, InputOrderMode::Sorted);
    if !in_order || !share_window(calls) {
        return Ok(None);
    }
    let schema = window.input().schema();
    let partition_keys = first.partition_by().to_vec();
    let order_keys: Vec<_> = first.order_by().iter().map(|key| Arc::clone(&key.expr)).collect();
    for key in partition_keys.iter().chain(&order_keys) {
        if !is_plain(&key.data_type(&schema)?) {
            return Ok(None);
        }
    }
    let mut found = Vec::with_capacity(calls.len());
    for call in calls {
        match carried_call(call, &schema)? {
            Some(call) => found.push(call),
            None => return Ok(None),
        }
    }
    Ok(Some(Calls { partition_keys, order_keys, calls: found }))
}

fn carried_call(call: &Arc<dyn WindowExpr>, schema: &Schema) -> Result<Option<Call>> {
    let kind = call.field()?.data_type().clone();
    if let Some(function) = numbering(call) {
        return Ok(Some(Call { function, with_equals: false, kind }));
    }
    let Some(plain) = call.as_any().downcast_ref::<PlainAggregateWindowExpr>() else { return Ok(None) };
    let Some(with_equals) = with_equals(call) else { return Ok(None) };
    let aggregate = plain.get_aggregate_expr();
    if aggregate.is_distinct() || !aggregate.order_bys().is_empty() || !has_no_filter(plain) {
        return Ok(None);
    }
    let Ok([argument]) = <[_; 1]>::try_from(aggregate.expressions()) else { return Ok(None) };
    let read = argument.data_type(schema)?;
    let function = match aggregate.fun().name() {
        "count" => Function::Count(argument),
        "sum" if adds_exactly(&read, &kind) => Function::Sum(argument),
        "min" if compares(&read) && read == kind => Function::Min(argument),
        "max" if compares(&read) && read == kind => Function::Max(argument),
        _ => return Ok(None),
    };
    Ok(Some(Call { function, with_equals, kind }))
}

/// The function of `call`, if it numbers rows. What frame it is given makes no difference.
fn numbering(call: &Arc<dyn WindowExpr>) -> Option<Function> {
    match function_name(call)? {
        "row_number" => Some(Function::RowNumber),
        "rank" => Some(Function::Rank),
        "dense_rank" => Some(Function::DenseRank),
        _ => None,
    }
}

/// Whether the frame of `call` ends with the last of equal rows, or with the row at hand; `None` for any other frame.
fn with_equals(call: &Arc<dyn WindowExpr>) -> Option<bool> {
    let frame = call.get_window_frame();
    let running = frame.start_bound.is_unbounded() && matches!(frame.end_bound, WindowFrameBound::CurrentRow);
    match frame.units {
        WindowFrameUnits::Rows if running => Some(false),
        WindowFrameUnits::Range if running && !call.order_by().is_empty() => Some(true),
        _ => None,
    }
}

/// Floating-point numbers are left to DataFusion: the last digits of their sums depend on how many are added at a time.
fn adds_exactly(read: &DataType, kind: &DataType) -> bool {
    match read {
        DataType::Int64 | DataType::UInt64 => read == kind,
        DataType::Decimal128(_, scale) => matches!(kind, DataType::Decimal128(_, same) if same == scale),
        _ => false,
    }
}

fn compares(kind: &DataType) -> bool {
    kind.is_integer()
        || matches!(
            kind,
            DataType::Decimal128(..) | DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
        )
}
