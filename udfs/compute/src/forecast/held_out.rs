//! How far past errors reached into the intervals: what intervals of many series are calibrated by.

use super::adjustments::Adjustments;
use super::backtest::origins;
use super::model::Model;
use super::request::{Forecaster, Here, Request};
use super::series::{Basis, SeriesError, SeriesRef};

/// An error of a past forecast over the distances from the forecast to its bounds: above 1 it was beyond them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// Over the distance to the bounds of the 80 % interval.
    pub of80: f64,
    /// Over the distance to the bounds of the 95 % interval.
    pub of95: f64,
}

/// Forecasts the last values from up to `folds` origins as [`super::backtest`] does, and gives the reach of every
/// error. Forecasts from a short history, and those without an interval, are left out: their bounds are of another
/// kind.
///
/// # Errors
/// When `values` is empty or holds a value that is not finite.
pub fn held_out(
    values: &[f64],
    season: usize,
    horizon: usize,
    folds: usize,
    model: Model,
    adjustments: &Adjustments,
) -> Result<Vec<Reach>, SeriesError> {
    let series = SeriesRef { values, season, horizon };
    held_out_by(&Request { series, adjustments: *adjustments, model }, folds, &mut Here)
}

/// [`held_out`] of the series of `whole`, with forecasts by `forecaster`.
///
/// # Errors
/// When there are no values or one is not finite.
pub fn held_out_by(
    whole: &Request<'_>,
    folds: usize,
    forecaster: &mut dyn Forecaster,
) -> Result<Vec<Reach>, SeriesError> {
    whole.check()?;
    let SeriesRef { values, season, horizon } = whole.series;
    let mut found = Vec::with_capacity(folds * horizon);
    for origin in origins(values.len(), season, horizon, folds) {
        let forecast = forecaster.forecast(&whole.until(origin))?;
        if forecast.basis != Basis::Full || forecast.clamped {
            continue;
        }
        for (value, step) in values[origin..].iter().zip(&forecast.steps) {
            let error = (value - step.mean).abs();
            let reach =
                Reach { of80: error / (step.hi80 - step.mean), of95: error / (step.hi95 - step.mean) };
            if reach.of80.is_finite() && reach.of95.is_finite() {
                found.push(reach);
            }
        }
    }
    Ok(found)
}

/// What [`held_out_by`] asks for, in its order.
#[must_use]
pub fn held_out_requests<'a>(whole: &Request<'a>, folds: usize) -> Vec<Request<'a>> {
    let SeriesRef { values, season, horizon } = whole.series;
    if whole.check().is_err() {
        return Vec::new();
    }
    let origins = origins(values.len(), season, horizon, folds);
    origins.into_iter().map(|origin| whole.until(origin)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::adjustments::forecast_adjusted;
    use super::*;

    fn of(values: &[f64], folds: usize) -> Vec<Reach> {
        held_out(values, 4, 3, folds, Model::Snaive, &Adjustments::none()).expect("finite values")
    }

    #[test]
    fn errors_are_measured_in_their_intervals() {
        let mut values: Vec<f64> = (0..40_u32).map(|t| f64::from(t % 4) + f64::from(t * 7 % 5)).collect();
        let step = forecast_adjusted(&values[..37], 4, 3, Model::Snaive, &Adjustments::none())
            .expect("finite")
            .steps[0];
        values[37] = step.hi95;
        let found = of(&values, 1);
        assert_eq!(found.len(), 3);
        assert!((found[0].of95 - 1.0).abs() < 1e-12 && found[0].of80 > 1.0, "{found:?}");
        assert_eq!(of(&values, 2).len(), 6);
        assert_eq!(of(&values, 2)[3..], found);
    }

    #[test]
    fn what_has_no_interval_of_its_own_is_left_out() {
        assert!(of(&[5.0; 40], 2).is_empty());
        assert!(of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0, 8.0, 7.0], 2).is_empty());
        assert!(of(&[1.0], 2).is_empty());
        assert!(held_out(&[], 4, 3, 1, Model::Snaive, &Adjustments::none()).is_err());
    }
}
