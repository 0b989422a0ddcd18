//! The aggregate functions, one file each, and what they share: [`series`].

mod backtest;
mod forecast;
mod forecast_explain;
mod forecast_reach;
mod nowcast;
mod series;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

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
    ]
}
