//! What is called over a window.

use std::sync::Arc;

use datafusion::physical_expr::window::StandardWindowExpr;
use datafusion::physical_plan::windows::{WindowExpr, WindowUDFExpr};

/// The name of the window function that is called; `None` for an aggregate.
pub(super) fn function_name(call: &Arc<dyn WindowExpr>) -> Option<&str> {
    let call = call.as_any().downcast_ref::<StandardWindowExpr>()?;
    let function = call.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>()?;
    Some(function.fun().name())
}

/// Whether all `calls` are over the same partitions in the same order.
pub(super) fn share_window(calls: &[Arc<dyn WindowExpr>]) -> bool {
    calls.windows(2).all(|pair| match pair {
        [a, b] => a.partition_by() == b.partition_by() && a.order_by() == b.order_by(),
        _ => true,
    })
}
