//! How good a model would have been: forecasts from origins in the past, against what came.

use super::adjustments::Adjustments;
use super::model::Model;
use super::request::{Forecaster, Here, Request};
use super::series::{Forecast, SeriesError, SeriesRef};
use super::statistics::seasonal_naive_error;

/// Fewest values that a fold learns from, whatever the season.
const FEWEST: usize = 4;
/// Share of a fold's values beyond the 95 % interval, on one side, from which it is called a shock.
const SHOCK: f64 = 0.5;

/// The errors of a model over several origins. What cannot be told (a ratio to zero) is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// Origins that there was enough history for.
    pub folds: usize,
    /// Mean of 200·|y − f| / (|y| + |f|), percent, 0 where both are 0: the sMAPE of the M4 competition.
    pub smape: f64,
    /// Mean over the folds of the mean absolute error in units of the mean absolute seasonal difference of what the
    /// fold learnt from (Hyndman & Koehler 2006); folds without such a difference are left out.
    pub mase: Option<f64>,
    /// Sum of |y − f| over sum of |y|, percent.
    pub wape: Option<f64>,
    /// Sum of f − y over sum of |y|, percent: above 0 where the forecasts were too high.
    pub bias: Option<f64>,
    /// Share of values within the 80 % interval, bounds included.
    pub coverage80: f64,
    /// Share of values within the 95 % interval, bounds included.
    pub coverage95: f64,
    /// Sum of absolute errors over that of the seasonal naive forecast from the same origins: below 1 is better.
    pub relative_to_seasonal_naive: Option<f64>,
    /// Index of the first value forecast in the fold with the largest sum of absolute errors, the latest of equals.
    pub worst_fold: usize,
    /// Whether in some fold half of the values lie beyond the 95 % interval on the same side.
    pub shock: bool,
}

/// Sums over the values that were forecast.
#[derive(Debug, Default)]
struct Totals {
    points: usize,
    within80: usize,
    within95: usize,
    relative: f64,
    error: f64,
    excess: f64,
    size: f64,
    naive_error: f64,
}

/// Forecasts the last values from up to `folds` origins that are `horizon` apart; the last one leaves `horizon`
/// values to be forecast. Each fold learns from the values before its origin alone, at least one season and two
/// values, and four values. `None` if there is no such origin.
///
/// # Errors
/// When there are no values or one is not finite.
pub fn backtest(
    values: &[f64],
    season: usize,
    horizon: usize,
    folds: usize,
    model: Model,
    adjustments: &Adjustments,
) -> Result<Option<Backtest>, SeriesError> {
    let series = SeriesRef { values, season, horizon };
    backtest_by(&Request { series, adjustments: *adjustments, model }, folds, &mut Here)
}

/// [`backtest`] of the series of `whole`, with forecasts by `forecaster`.
///
/// # Errors
/// When there are no values or one is not finite.
pub fn backtest_by(
    whole: &Request<'_>,
    folds: usize,
    forecaster: &mut dyn Forecaster,
) -> Result<Option<Backtest>, SeriesError> {
    whole.check()?;
    let SeriesRef { values, season, horizon } = whole.series;
    let origins = origins(values.len(), season, horizon, folds);
    let mut totals = Totals::default();
    let mut scaled = Vec::with_capacity(origins.len());
    let mut worst: Option<(f64, usize)> = None;
    let mut shock = false;
    for origin in &origins {
        let (known, after) = values.split_at(*origin);
        let actual = &after[..horizon];
        let [asked, naive] = requests_at(whole, *origin);
        let (forecast, naive) = (forecaster.forecast(&asked)?, forecaster.forecast(&naive)?);
        let error = totals.add(actual, &forecast, &naive);
        let unit = seasonal_naive_error(known, season).filter(|unit| *unit > 0.0);
        scaled.extend(unit.map(|unit| error / horizon as f64 / unit));
        if worst.is_none_or(|(largest, _)| error >= largest) {
            worst = Some((error, *origin));
        }
        shock |= beyond(actual, &forecast) >= SHOCK;
    }
    Ok(worst.map(|(_, worst_fold)| totals.into_backtest(&scaled, origins.len(), worst_fold, shock)))
}

/// What [`backtest_by`] asks for, in its order.
#[must_use]
pub fn backtest_requests<'a>(whole: &Request<'a>, folds: usize) -> Vec<Request<'a>> {
    let SeriesRef { values, season, horizon } = whole.series;
    if whole.check().is_err() {
        return Vec::new();
    }
    let origins = origins(values.len(), season, horizon, folds);
    origins.into_iter().flat_map(|origin| requests_at(whole, origin)).collect()
}

/// The forecast of a fold, and the one that it is measured against.
fn requests_at<'a>(whole: &Request<'a>, origin: usize) -> [Request<'a>; 2] {
    let asked = whole.until(origin);
    [asked, Request { adjustments: Adjustments::none(), model: Model::Snaive, ..asked }]
}

/// The numbers of values before each origin, oldest first.
pub(crate) fn origins(length: usize, season: usize, horizon: usize, folds: usize) -> Vec<usize> {
    let fewest = FEWEST.max(season.saturating_add(2));
    let mut origins: Vec<usize> = (1..=folds)
        .map_while(|fold| length.checked_sub(fold.checked_mul(horizon)?))
        .take_while(|origin| *origin >= fewest)
        .collect();
    origins.reverse();
    origins
}

/// The larger share of values that lie above, or below, the 95 % interval.
fn beyond(actual: &[f64], forecast: &Forecast) -> f64 {
    let pairs = || actual.iter().zip(&forecast.steps);
    let above = pairs().filter(|(value, step)| **value > step.hi95).count();
    let below = pairs().filter(|(value, step)| **value < step.lo95).count();
    above.max(below) as f64 / actual.len().max(1) as f64
}

impl Totals {
    /// Adds a fold and gives the sum of its absolute errors.
    fn add(&mut self, actual: &[f64], forecast: &Forecast, naive: &Forecast) -> f64 {
        let mut fold_error = 0.0;
        for ((value, step), naive) in actual.iter().zip(&forecast.steps).zip(&naive.steps) {
            let error = (value - step.mean).abs();
            // Halved, so that the largest doubles do not overflow.
            let size = 0.5 * value.abs() + 0.5 * step.mean.abs();
            let halved_error = (0.5 * value - 0.5 * step.mean).abs();
            fold_error += error;
            self.points += 1;
            self.within80 += usize::from((step.lo80..=step.hi80).contains(value));
            self.within95 += usize::from((step.lo95..=step.hi95).contains(value));
            self.relative += if size > 0.0 { 200.0 * (halved_error / size) } else { 0.0 };
            self.excess += step.mean - value;
            self.size += value.abs();
            self.naive_error += (value - naive.mean).abs();
        }
        self.error += fold_error;
        fold_error
    }

    fn into_backtest(self, scaled: &[f64], folds: usize, worst_fold: usize, shock: bool) -> Backtest {
        let points = self.points.max(1) as f64;
        let ratio = |part: f64, whole: f64| {
            let ratio = part / whole;
            (whole > 0.0 && ratio.is_finite()).then_some(ratio)
        };
        Backtest {
            folds,
            smape: self.relative / points,
            mase: ratio(scaled.iter().sum(), scaled.len() as f64),
            wape: ratio(100.0 * self.error, self.size),
            bias: ratio(100.0 * self.excess, self.size),
            coverage80: self.within80 as f64 / points,
            coverage95: self.within95 as f64 / points,
            relative_to_seasonal_naive: ratio(self.error, self.naive_error),
            worst_fold,
            shock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], season: usize, horizon: usize, folds: usize) -> Option<Backtest> {
        backtest(values, season, horizon, folds, Model::Snaive, &Adjustments::none()).expect("finite values")
    }

    #[test]
    fn origins_are_a_horizon_apart_and_leave_enough_to_learn_from() {
        assert_eq!(origins(48, 12, 6, 3), [30, 36, 42]);
        assert_eq!(origins(48, 12, 12, 9), [24, 36]);
        assert_eq!(origins(14, 12, 1, 3), [0_usize; 0]);
        assert_eq!(origins(5, 1, 1, 3), [4]);
        assert_eq!(origins(5, usize::MAX, usize::MAX, 3), [0_usize; 0]);
    }

    #[test]
    fn the_errors_are_those_worked_out_by_hand() {
        // Naive from 4 values on (1, 2, 1, 2): forecasts 2, 2 against 4, 0, then 0, 0 against 1, 1.
        let found = check(&[1.0, 2.0, 1.0, 2.0, 4.0, 0.0, 1.0, 1.0], 1, 2, 2).expect("two folds");
        assert_eq!(found.folds, 2);
        let smape = (200.0 * 2.0 / 6.0 + 200.0 + 200.0 + 200.0) / 4.0;
        assert!((found.smape - smape).abs() < 1e-12);
        // |e| is 4 in the first fold (scale 1), 2 in the second (scale (1+1+1+2+4)/5).
        let mase = (2.0 + 1.0 / 1.8) / 2.0;
        assert!(found.mase.is_some_and(|value| (value - mase).abs() < 1e-12));
        assert_eq!(found.wape, Some(100.0));
        assert_eq!(found.bias, Some(100.0 * (-2.0 + 2.0 - 1.0 - 1.0) / 6.0));
        assert_eq!(found.relative_to_seasonal_naive, Some(1.0));
        assert_eq!(found.worst_fold, 4);
    }

    #[test]
    fn a_perfect_forecast_has_no_error_and_a_constant_no_scale() {
        let found = check(&[7.0; 20], 1, 3, 2).expect("two folds");
        assert_eq!((found.smape, found.wape, found.bias), (0.0, Some(0.0), Some(0.0)));
        assert_eq!((found.mase, found.relative_to_seasonal_naive), (None, None));
        assert_eq!((found.coverage80, found.coverage95, found.shock), (1.0, 1.0, false));
        let zeros = check(&[0.0; 20], 1, 3, 2).expect("two folds");
        assert_eq!((zeros.smape, zeros.wape), (0.0, None));
    }

    #[test]
    fn a_collapse_is_a_shock() {
        let mut values: Vec<f64> = (0..36_u32).map(|t| 100.0 + f64::from(t % 3)).collect();
        assert!(!check(&values, 1, 6, 2).expect("two folds").shock);
        values.extend([10.0; 6]);
        let found = check(&values, 1, 6, 2).expect("two folds");
        assert!(found.shock && found.worst_fold == 36);
    }

    #[test]
    fn too_short_is_none_and_the_largest_doubles_survive() {
        assert_eq!(check(&[1.0, 2.0, 3.0], 1, 1, 3), None);
        let found = check(&[f64::MAX, -f64::MAX, f64::MAX, -f64::MAX, f64::MAX, -f64::MAX], 1, 1, 1);
        assert!(found.is_some_and(|found| found.smape.is_finite() && found.wape.is_none()));
        assert!(backtest(&[f64::NAN], 1, 1, 1, Model::Auto, &Adjustments::none()).is_err());
    }
}
