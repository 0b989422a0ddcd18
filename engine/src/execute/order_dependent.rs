//! Aggregates whose answer depends on the order in which their rows, or the states of their parts, come.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

/// Floating-point addition is not associative.
const OF_FLOATS: [&str; 13] = [
    "sum",
    "avg",
    "mean",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "var",
    "var_pop",
    "var_samp",
    "corr",
    "covar",
    "covar_pop",
    "covar_samp",
];
/// Sketches that depend on what was added first.
const ALWAYS: [&str; 3] = ["approx_percentile_cont", "approx_percentile_cont_with_weight", "approx_median"];
/// Without an order of their own.
const UNORDERED: [&str; 5] = ["array_agg", "string_agg", "first_value", "last_value", "nth_value"];

/// The name of an aggregate in `plan` that would not give the same bits from run to run on several workers, whose parts
/// arrive in any order.
pub(super) fn order_dependent_aggregate(plan: &Arc<dyn ExecutionPlan>) -> Option<String> {
    let here = plan.downcast_ref::<AggregateExec>().and_then(|node| {
        let schema = node.input_schema();
        let depends = node.aggr_expr().iter().find(|aggregate| {
            let name = aggregate.fun().name();
            let of_floats = aggregate
                .expressions()
                .iter()
                .any(|argument| argument.data_type(&schema).is_ok_and(|kind| is_float(&kind)));
            ALWAYS.contains(&name)
                || (UNORDERED.contains(&name) && aggregate.order_bys().is_empty())
                || (of_floats && (OF_FLOATS.contains(&name) || name.starts_with("regr_")))
        });
        depends.map(|aggregate| aggregate.fun().name().to_owned())
    });
    here.or_else(|| plan.children().into_iter().find_map(order_dependent_aggregate))
}

fn is_float(kind: &DataType) -> bool {
    matches!(kind, DataType::Float16 | DataType::Float32 | DataType::Float64)
}
