//! Aggregate, calibrate, unnest, rename.

use datafusion::common::{Result, UnnestOptions};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};

use super::arguments::Arguments;
use super::calibration::{Side, calibration, stretched};
use super::interval::bound;
use crate::aggregate::forecast_function;

/// The list of steps, and then each of them; no column of the input that is kept can have this name.
const STEP: &str = "ai_forecast step";

/// The rows of the forecasts: the id columns, then BigQuery's.
///
/// # Errors
/// When `forecast` does not take the columns or the options.
pub(super) fn plan(arguments: Arguments) -> Result<LogicalPlan> {
    let pool = if arguments.pooled { Some(calibration(&arguments)?) } else { None };
    let ids: Vec<Expr> = arguments.ids.iter().cloned().map(Expr::Column).collect();
    let forecast = forecast_function().call(arguments.call()).alias(STEP);
    let aggregated = LogicalPlanBuilder::from(arguments.input).aggregate(ids.clone(), vec![forecast])?;
    let without_nothing = UnnestOptions::new().with_preserve_nulls(false);
    let steps = aggregated.unnest_column_with_options(STEP, without_nothing)?;
    let is_pooled = pool.is_some();
    let steps = match pool {
        Some(pool) => steps.cross_join(pool)?,
        None => steps,
    };
    let field = |name: &str| get_field(quoted(STEP), name);
    let bound_at = |near: &str, far: &str, side: Side| {
        let mean = field("forecast_value");
        let (near, far) = (field(near), field(far));
        let (near, far) = if is_pooled { stretched(&mean, near, far, side) } else { (near, far) };
        bound(mean, near, far, arguments.confidence_level)
    };
    let mut columns = ids;
    columns.extend([
        field("forecast_timestamp").alias("forecast_timestamp"),
        field("forecast_value").alias("forecast_value"),
        lit(arguments.confidence_level).alias("confidence_level"),
        bound_at("lo80", "lo95", Side::Lower).alias("prediction_interval_lower_bound"),
        bound_at("hi80", "hi95", Side::Upper).alias("prediction_interval_upper_bound"),
        field("status").alias("ai_forecast_status"),
    ]);
    steps.project(columns)?.build()
}

/// A column by its name as it is.
pub(super) fn quoted(name: &str) -> Expr {
    col(format!("\"{name}\""))
}
