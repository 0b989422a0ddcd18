//! Revenue forecasting: six cheap members, their median, and calibrated intervals.

mod adjustments;
mod analysis;
mod ar;
mod auto;
mod backtest;
mod batch;
mod calibration;
mod centred_average;
mod dot;
mod ets;
mod explanation;
mod exponential_smoothing;
mod growth;
mod held_out;
mod holiday;
mod hw;
mod initial_state;
mod interval;
mod lanes;
mod model;
mod nowcast;
mod parameter;
mod request;
mod running_line;
mod scale;
mod search;
mod searches;
mod seasonal_adjustment;
mod series;
#[cfg(test)]
mod series_strategy;
mod smedian;
mod smoothing_pass;
mod snaive;
mod statistics;
mod theta_pass;
mod zoom;

pub use adjustments::{Adjustments, forecast_adjusted};
pub use backtest::{Backtest, backtest, backtest_by, backtest_requests};
pub use batch::forecast_batch;
pub use explanation::{Explanation, Member, explain, explain_by};
pub use exponential_smoothing::{Shape, Trend};
pub use held_out::{Reach, held_out, held_out_by, held_out_requests};
pub use lanes::LANES;
#[cfg(test)]
pub(crate) use lanes::instruction_sets;
pub use model::Model;
pub use nowcast::{Nowcast, Receipts, nowcast, nowcast_by, nowcast_requests};
pub use parameter::Parameter;
pub use request::{Forecaster, Here, Made, Request};
pub use search::{Found, SearchDevice, Searches, SmoothingFound, SmoothingSearch, ThetaSearch};
pub use seasonal_adjustment::SeasonalEffect;
pub use series::{Basis, Forecast, SeriesError, SeriesRef, Step, forecast_many, forecast_series};
pub use smoothing_pass::{Form, Smoothing};
pub use theta_pass::Theta;
pub use zoom::{Coordinate, MOST as MOST_COORDINATES, ROUNDS, SHRINK, candidate_offsets};
