//! Aggregate, unnest, rename.

use datafusion::common::{Result, UnnestOptions};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};

use super::arguments::Arguments;
use super::interval::bound;
use crate::aggregate::forecast_function;

/// The list of steps, and then each of them; no column of the input that is kept can have this name.
const STEP: &str = "ai_forecast step";

/// The rows of the forecasts: the id columns, then BigQuery's.
///
/// # Errors
/// When `forecast` does not take the columns or the options.
pub(super) fn plan(arguments: Arguments) -> Result<LogicalPlan> {
    let mut call = vec![Expr::Column(arguments.timestamp), Expr::Column(arguments.data)];
    call.extend(arguments.options);
    let ids: Vec<Expr> = arguments.ids.into_iter().map(Expr::Column).collect();
    let forecast = forecast_function().call(call).alias(STEP);
    let aggregated = LogicalPlanBuilder::from(arguments.input).aggregate(ids.clone(), vec![forecast])?;
    let field = |name: &str| get_field(col(format!("\"{STEP}\"")), name);
    let side = |near: &str, far: &str| {
        bound(field("forecast_value"), field(near), field(far), arguments.confidence_level)
    };
    let mut columns = ids;
    columns.extend([
        field("forecast_timestamp").alias("forecast_timestamp"),
        field("forecast_value").alias("forecast_value"),
        lit(arguments.confidence_level).alias("confidence_level"),
        side("lo80", "lo95").alias("prediction_interval_lower_bound"),
        side("hi80", "hi95").alias("prediction_interval_upper_bound"),
        field("status").alias("ai_forecast_status"),
    ]);
    let without_nothing = UnnestOptions::new().with_preserve_nulls(false);
    aggregated.unnest_column_with_options(STEP, without_nothing)?.project(columns)?.build()
}
