//! The aggregate functions, one file each, and what they share: [`series`].

mod avg;
mod backtest;
mod distinct_sketch;
mod forecast;
mod forecast_explain;
mod forecast_reach;
mod nowcast;
mod series;
mod spread;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::AggregateUDF;

use crate::backend::Backend;
use crate::documentation::FunctionDoc;
use crate::registry::{FunctionEntry, Implementation};
pub(crate) use forecast_reach::FOLDS as REACH_FOLDS;
use series::SeriesAggregate;

/// `forecast`.
pub(crate) fn forecast_function() -> Arc<AggregateUDF> {
    SeriesAggregate::<forecast::Forecast>::create()
}

/// `forecast_reach`, which only the plan of `ai_forecast` calls.
pub(crate) fn forecast_reach_function() -> Arc<AggregateUDF> {
    SeriesAggregate::<forecast_reach::ForecastReach>::create()
}

/// The aggregate functions that plans call and users cannot: a worker, which nobody asks by name, needs them too.
#[must_use]
pub fn hidden_aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![forecast_reach_function()]
}

/// `avg`, in the place of DataFusion's: the same, and of whole numbers exact.
pub(crate) fn avg() -> Arc<AggregateUDF> {
    avg::function()
}

/// `stddev`, `var` and their like, in the places of DataFusion's: the same, and of whole numbers exact.
pub(crate) fn spreads() -> Vec<Arc<AggregateUDF>> {
    spread::functions()
}

/// `distinct_sketch`.
#[must_use]
pub fn distinct_sketch() -> Arc<AggregateUDF> {
    distinct_sketch::sketch_function()
}

/// `distinct_estimate`.
#[must_use]
pub fn distinct_estimate() -> Arc<AggregateUDF> {
    distinct_sketch::estimate_function()
}

/// Every aggregate function that users call.
pub(crate) fn entries() -> Vec<FunctionEntry> {
    let entry = |doc: &'static FunctionDoc, function: Arc<AggregateUDF>| FunctionEntry {
        doc,
        implementation: Implementation::Aggregate(function),
    };
    vec![
        entry(&forecast::FORECAST, forecast_function()),
        entry(
            &forecast_explain::FORECAST_EXPLAIN,
            SeriesAggregate::<forecast_explain::ForecastExplain>::create(),
        ),
        entry(&nowcast::NOWCAST, SeriesAggregate::<nowcast::NowcastFunction>::create()),
        entry(&backtest::BACKTEST, SeriesAggregate::<backtest::BacktestFunction>::create()),
        entry(&distinct_sketch::DISTINCT_SKETCH, distinct_sketch()),
        entry(&distinct_sketch::DISTINCT_ESTIMATE, distinct_estimate()),
    ]
}

/// `function` with a backend; `None` for one that does not compute on any.
///
/// # Errors
/// When `backend` is one.
pub(crate) fn with_backend(
    function: &AggregateUDF,
    backend: impl FnOnce() -> Result<Backend>,
) -> Result<Option<Arc<AggregateUDF>>> {
    let bound = [
        SeriesAggregate::<forecast::Forecast>::with_backend,
        SeriesAggregate::<forecast_reach::ForecastReach>::with_backend,
        SeriesAggregate::<forecast_explain::ForecastExplain>::with_backend,
        SeriesAggregate::<nowcast::NowcastFunction>::with_backend,
        SeriesAggregate::<backtest::BacktestFunction>::with_backend,
    ];
    let Some(bound) = bound.into_iter().find_map(|of| of(function)) else { return Ok(None) };
    Ok(Some(bound(backend()?)))
}
