//! Revenue forecasting: six cheap members, their median, and calibrated intervals.

mod adjustments;
mod ar;
mod auto;
mod backtest;
mod calibration;
mod dot;
mod ets;
mod exponential_smoothing;
mod growth;
mod holiday;
mod hw;
mod interval;
mod model;
mod scale;
mod seasonal_adjustment;
mod series;
mod smedian;
mod snaive;
mod statistics;
mod zoom;

pub use adjustments::{Adjustments, forecast_adjusted};
pub use backtest::{Backtest, backtest};
pub use model::Model;
pub use series::{Basis, Forecast, SeriesError, Step, forecast_series};
