//! The intervals of a call, calibrated by the past errors of all of its series.

use arrow::datatypes::DataType;
use datafusion::common::{Result, UnnestOptions};
use datafusion::functions::core::expr_fn::{coalesce, get_field, greatest, least};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::functions_aggregate::percentile_cont::percentile_cont;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::arguments::Arguments;
use super::plan::quoted;
use crate::aggregate::{REACH_FOLDS, forecast_reach_function};

/// What the distance to the 80 % bounds is multiplied by.
pub(super) const NEAR: &str = "ai_forecast near";
/// What the distance to the 95 % bounds is multiplied by.
pub(super) const FAR: &str = "ai_forecast far";
const REACH: &str = "ai_forecast reach";
const ERRORS: &str = "ai_forecast errors";
/// The multipliers are those of the pool, drawn towards 1 as if so many series more had found no need of one: a few
/// series say little of the tail of their errors.
const DOUBT: f64 = 20.0;

/// One row: the multipliers.
///
/// The errors of the last origins of every series, over the distance to the bound, are pooled over series and steps;
/// their quantile at the level of the bound is where the bound should have been. A series alone cannot say that of
/// itself, and a GROUP BY must not: its answer would depend on which other groups it is computed with.
pub(super) fn calibration(arguments: &Arguments) -> Result<LogicalPlan> {
    let ids: Vec<Expr> = arguments.ids.iter().cloned().map(Expr::Column).collect();
    let reach = forecast_reach_function().call(arguments.call()).alias(REACH);
    let without_nothing = UnnestOptions::new().with_preserve_nulls(false);
    let field = |name: &str| get_field(quoted(REACH), name);
    let quantile = |name: &str, level: f64| percentile_cont(field(name).sort(true, false), lit(level));
    let a_series = arguments.horizon() * REACH_FOLDS as f64;
    let series = cast(quoted(ERRORS), DataType::Float64) / lit(a_series);
    let drawn = |quantile: &str| {
        let shift = (quoted(quantile) - lit(1.0)) * (series.clone() / (series.clone() + lit(DOUBT)));
        coalesce(vec![lit(1.0) + shift, lit(1.0)]).alias(quantile)
    };
    LogicalPlanBuilder::from(arguments.input.clone())
        .aggregate(ids, vec![reach])?
        .unnest_column_with_options(REACH, without_nothing)?
        .aggregate(
            Vec::<Expr>::new(),
            vec![
                quantile("of80", 0.80).alias(NEAR),
                quantile("of95", 0.95).alias(FAR),
                count(field("of95")).alias(ERRORS),
            ],
        )?
        .project(vec![drawn(NEAR), drawn(FAR)])?
        .build()
}

/// A side of the intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Lower,
    Upper,
}

/// The near and the far bound on one side, stretched away from the mean; the far one is never nearer than the near one.
pub(super) fn stretched(mean: &Expr, near: Expr, far: Expr, side: Side) -> (Expr, Expr) {
    let away = |bound: Expr, by: &str| mean.clone() + (bound - mean.clone()) * quoted(by);
    let (near, far) = (away(near, NEAR), away(far, FAR));
    let far = match side {
        Side::Lower => least(vec![near.clone(), far]),
        Side::Upper => greatest(vec![near.clone(), far]),
    };
    (near, far)
}
