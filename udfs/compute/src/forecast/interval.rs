//! The unit of a series' errors, and the bounds from the calibration table.

use super::model::Model;
use super::statistics::seasonal_naive_error;

/// Values below which a series is short whatever its season.
const FEW: usize = 8;

/// The bounds around a point forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) lo80: f64,
    pub(crate) hi80: f64,
    pub(crate) lo95: f64,
    pub(crate) hi95: f64,
}

pub(crate) fn unit_base(values: &[f64], season: usize) -> (f64, bool) {
    let short = values.len() < FEW.max(2 * season + 2);
    (seasonal_naive_error(values, season).unwrap_or(0.0), short)
}
pub(crate) fn bounds(mean: f64, unit: f64, _model: Model, _season: usize, _step: usize) -> Bounds {
    Bounds { lo80: mean - unit, hi80: mean + unit, lo95: mean - 2.0 * unit, hi95: mean + 2.0 * unit }
}
