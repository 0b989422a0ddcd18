//! What is known of a series beyond its values: that it grows with prices, and where a moving holiday falls.
//!
//! Each is a factor for every value and every step ahead. The values are divided by it, forecast, and multiplied
//! again, so that the models see only what is left and nothing is counted twice.

use super::growth::growth_factors;
use super::holiday::holiday_factors;
use super::model::Model;
use super::series::{Forecast, SeriesError, Step, forecast_series};

/// What to take out of a series before it is forecast, and to put back after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjustments<'a> {
    /// Share of the past yearly growth that goes on: 0 for none, 1 for all of it.
    pub drift: f64,
    /// Share of the holiday that falls into each period, for all values and at least the steps ahead.
    pub holiday: Option<&'a [f64]>,
}

impl Adjustments<'_> {
    /// Nothing is known.
    #[must_use]
    pub const fn none() -> Self {
        Self { drift: 0.0, holiday: None }
    }
}

/// [`forecast_series`] with adjustments that are estimated from `values` alone. One that cannot be estimated (too
/// short a history, a level that is not above zero) changes nothing.
///
/// # Errors
/// When `values` is empty or holds a value that is not finite.
pub fn forecast_adjusted(
    values: &[f64],
    season: usize,
    horizon: usize,
    model: Model,
    adjustments: &Adjustments,
) -> Result<Forecast, SeriesError> {
    let Some(factors) = to_take_out(values, season, horizon, adjustments) else {
        return forecast_series(values, season, horizon, model);
    };
    let mut forecast = forecast_series(&quotient(values, &factors), season, horizon, model)?;
    put_back(&mut forecast, &factors[values.len()..]);
    Ok(forecast)
}

/// The factors to divide all values and the steps ahead by; `None` where nothing is taken out.
pub(crate) fn to_take_out(
    values: &[f64],
    season: usize,
    horizon: usize,
    adjustments: &Adjustments,
) -> Option<Vec<f64>> {
    let factors = Factors::estimate(values, season, horizon, adjustments).product(values.len() + horizon);
    factors.iter().any(|factor| *factor != 1.0).then_some(factors)
}

/// Multiplies the steps of a forecast by their factors.
pub(crate) fn put_back(forecast: &mut Forecast, factors: &[f64]) {
    for (step, factor) in forecast.steps.iter_mut().zip(factors) {
        *step = scaled(*step, *factor);
    }
}

/// What the adjustments come to, for all values and the steps ahead; `None` for one that changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Factors {
    pub(crate) growth: Option<Vec<f64>>,
    pub(crate) holiday: Option<Vec<f64>>,
}

impl Factors {
    pub(crate) fn estimate(values: &[f64], season: usize, horizon: usize, adjustments: &Adjustments) -> Self {
        if values.iter().any(|value| !value.is_finite()) {
            return Self { growth: None, holiday: None };
        }
        let mut factors = vec![1.0; values.len() + horizon];
        let growth = growth_factors(values, season, horizon, adjustments.drift);
        multiply(&mut factors, growth.as_deref());
        let left = quotient(values, &factors);
        let holiday = adjustments.holiday.and_then(|share| holiday_factors(&left, share, season, horizon));
        Self { growth, holiday }
    }

    /// The product of all, for `length` values and steps.
    pub(crate) fn product(&self, length: usize) -> Vec<f64> {
        let mut factors = vec![1.0; length];
        multiply(&mut factors, self.growth.as_deref());
        multiply(&mut factors, self.holiday.as_deref());
        factors
    }
}

fn multiply(factors: &mut [f64], by: Option<&[f64]>) {
    for (factor, by) in factors.iter_mut().zip(by.unwrap_or_default()) {
        *factor *= by;
    }
}

pub(crate) fn quotient(values: &[f64], factors: &[f64]) -> Vec<f64> {
    values.iter().zip(factors).map(|(value, factor)| value / factor).collect()
}

fn scaled(step: Step, factor: f64) -> Step {
    let of = |value: f64| (value * factor).clamp(-f64::MAX, f64::MAX);
    Step {
        mean: of(step.mean),
        unit: of(step.unit),
        lo80: of(step.lo80),
        hi80: of(step.hi80),
        lo95: of(step.lo95),
        hi95: of(step.hi95),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_known_changes_nothing() {
        let values: Vec<f64> = (0..50_u32).map(|t| 100.0 + f64::from(t * 31 % 17)).collect();
        let plain = forecast_series(&values, 12, 6, Model::Auto).expect("finite values");
        let none = forecast_adjusted(&values, 12, 6, Model::Auto, &Adjustments::none());
        assert_eq!(none.as_ref(), Ok(&plain));
        let not_movable = Adjustments { drift: 0.0, holiday: Some(&[0.0; 56]) };
        assert_eq!(forecast_adjusted(&values, 12, 6, Model::Auto, &not_movable), Ok(plain));
    }

    #[test]
    fn growth_goes_on_and_the_bounds_grow_with_it() {
        let values: Vec<f64> = (0..8_i32).map(|year| 2.0_f64.powi(year)).collect();
        let all = Adjustments { drift: 1.0, holiday: None };
        let forecast = forecast_adjusted(&values, 1, 2, Model::Snaive, &all).expect("finite values");
        let expected = [256.0, 512.0];
        for (step, expected) in forecast.steps.iter().zip(expected) {
            assert!((step.mean / expected - 1.0).abs() < 1e-12);
            assert!(step.lo95 <= step.lo80 && step.lo80 <= step.mean);
            assert!(step.mean <= step.hi80 && step.hi80 <= step.hi95);
        }
    }

    #[test]
    fn bad_values_are_told_as_without_adjustments() {
        let all = Adjustments { drift: 1.0, holiday: None };
        assert_eq!(forecast_adjusted(&[], 1, 2, Model::Auto, &all), Err(SeriesError::Empty));
        let error = forecast_adjusted(&[1.0, f64::NAN], 1, 2, Model::Auto, &all);
        assert_eq!(error, Err(SeriesError::NotFinite { index: 1 }));
    }
}
