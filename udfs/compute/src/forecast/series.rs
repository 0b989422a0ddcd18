//! The forecasts of one series and of many: the only door to the members.

use rayon::prelude::*;
use thiserror::Error;

use super::analysis::Analysis;
use super::auto::{BEYOND, auto};
use super::exponential_smoothing::Ring;
use super::hw::holt_winters;
use super::interval::{Bounds, bounds, shock_factor, unit_base};
use super::model::Model;
use super::scale::power_of_two_scale;

/// A share of the members' disagreement is added to the unit of the intervals.
const SPREAD_SHARE: f64 = 0.25;

/// A series that cannot be forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SeriesError {
    /// There are no values.
    #[error("the series has no values")]
    Empty,
    /// There is a value that is infinite or not a number.
    #[error("value {index} of the series (counted from 0) is not finite")]
    NotFinite {
        /// Index of the first such value.
        index: usize,
    },
}

/// How much the forecast of a series rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Enough history for the model and the calibrated intervals.
    Full,
    /// Fewer than two seasons and two values, or fewer than eight values: the intervals are wider than calibrated.
    ShortHistory,
    /// All values are the same, and so are the forecasts and their bounds.
    Constant,
    /// A single value, repeated; the bounds are a guess from its size.
    SingleValue,
}

/// One step ahead. `lo95 <= lo80 <= mean <= hi80 <= hi95`, all finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Point forecast.
    pub mean: f64,
    /// The unit in which errors at this step are measured; the bounds are multiples of it.
    pub unit: f64,
    /// Lower bound of the 80 % interval.
    pub lo80: f64,
    /// Upper bound of the 80 % interval.
    pub hi80: f64,
    /// Lower bound of the 95 % interval.
    pub lo95: f64,
    /// Upper bound of the 95 % interval.
    pub hi95: f64,
}

/// The forecast of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The steps 1, 2, … up to the horizon.
    pub steps: Vec<Step>,
    /// The model that made the point forecast: the one asked for, except that a single value is only repeated.
    pub model: Model,
    /// How much the forecast rests on.
    pub basis: Basis,
    /// Whether a value was too large for a double and was cut to the largest one.
    pub clamped: bool,
}

/// Forecasts `horizon` values after `values`, which are equally spaced in time, oldest first.
///
/// `season` is the number of values in a season, 1 for none. Deterministic; the cost is a few hundred passes
/// over the series for [`Model::Auto`] and memory is proportional to `values`, `season` and `horizon`.
///
/// # Errors
/// When `values` is empty or holds a value that is not finite.
pub fn forecast_series(
    values: &[f64],
    season: usize,
    horizon: usize,
    model: Model,
) -> Result<Forecast, SeriesError> {
    let series = SeriesRef { values, season, horizon };
    forecast_with(series, model, &mut Ring::new(), pulp::Arch::new())
}

/// A series to forecast, as [`forecast_series`] takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesRef<'a> {
    /// Equally spaced in time, oldest first.
    pub values: &'a [f64],
    /// The number of values in a season, 1 for none.
    pub season: usize,
    /// The number of values to forecast.
    pub horizon: usize,
}

/// Forecasts many series on all threads of the current rayon pool, in the order given. A series' result is that
/// of [`forecast_series`] to the bit, whatever the other series, their order and the number of threads.
#[must_use]
pub fn forecast_many(series: &[SeriesRef<'_>], model: Model) -> Vec<Result<Forecast, SeriesError>> {
    let arch = pulp::Arch::new();
    series.par_iter().map_init(Ring::new, |ring, one| forecast_with(*one, model, ring, arch)).collect()
}

/// `ring` is memory to be used again; neither it nor `arch` has any influence on the result.
fn forecast_with(
    series: SeriesRef<'_>,
    model: Model,
    ring: &mut Ring,
    arch: pulp::Arch,
) -> Result<Forecast, SeriesError> {
    match open(series, model)? {
        Opened::Repeated(forecast) => Ok(forecast),
        Opened::Scaled(scaled) => {
            let steps = series.horizon.saturating_add(BEYOND);
            let mut analysis = Analysis::new(&scaled.values, scaled.season, steps, ring, arch);
            Ok(close(&mut analysis, scaled.scale, model))
        }
    }
}

/// A series that has been looked at.
pub(crate) enum Opened {
    /// There is nothing to fit.
    Repeated(Forecast),
    /// There is.
    Scaled(Scaled),
}

/// A series of the order of one.
pub(crate) struct Scaled {
    pub(crate) values: Vec<f64>,
    /// At most one more than there are values.
    pub(crate) season: usize,
    /// The values were divided by it.
    pub(crate) scale: f64,
}

/// Checks and scales a series.
pub(crate) fn open(series: SeriesRef<'_>, model: Model) -> Result<Opened, SeriesError> {
    let SeriesRef { values, season, horizon } = series;
    let first = *values.first().ok_or(SeriesError::Empty)?;
    if let Some(index) = values.iter().position(|v| !v.is_finite()) {
        return Err(SeriesError::NotFinite { index });
    }
    let season = season.clamp(1, values.len() + 1);
    let constant = values.iter().all(|v| *v == first);
    if constant {
        return Ok(Opened::Repeated(repeated(first, values.len(), horizon, model)));
    }
    let scale = power_of_two_scale(values);
    Ok(Opened::Scaled(Scaled { values: values.iter().map(|v| v / scale).collect(), season, scale }))
}

/// Forecasts a series that was divided by `scale`, [`BEYOND`] fewer steps than `analysis` has.
pub(crate) fn close(analysis: &mut Analysis<'_>, scale: f64, model: Model) -> Forecast {
    let (season, horizon) = (analysis.season, analysis.horizon.saturating_sub(BEYOND));
    let (point, spread) = if model == Model::Auto {
        let consensus = auto(analysis);
        (consensus.forecast, consensus.spread)
    } else {
        (model.point_forecast(analysis), vec![0.0; horizon])
    };
    let one_step_error = holt_winters(analysis).map(|fit| fit.one_step_error);
    let (base, short) = unit_base(analysis.values, season, one_step_error);
    let shocks = if short { 1.0 } else { shock_factor(analysis.values, season) };
    let mut clamped = false;
    let steps = point
        .iter()
        .zip(&spread)
        .take(horizon)
        .enumerate()
        .map(|(index, (mean, spread))| {
            let unit = shocks * (base + SPREAD_SHARE * spread);
            let bounds = bounds(*mean, unit, model, season, index + 1);
            let step = in_original_unit(*mean, unit, bounds, scale);
            clamped |= !(step.lo95.is_finite() && step.hi95.is_finite());
            clamp(step)
        })
        .collect();
    let basis = if short { Basis::ShortHistory } else { Basis::Full };
    Forecast { steps, model, basis, clamped }
}

/// A constant series, and a single value: the latter may change by as much as its size.
fn repeated(value: f64, length: usize, horizon: usize, model: Model) -> Forecast {
    let single = length == 1;
    let width = if single { value.abs() } else { 0.0 };
    let mut clamped = false;
    let steps = (1..=horizon)
        .map(|step| {
            let reach = width * (step as f64).sqrt();
            let bounds = Bounds {
                lo80: value - 0.5 * reach,
                hi80: value + 0.5 * reach,
                lo95: value - reach,
                hi95: value + reach,
            };
            let step = in_original_unit(value, width, bounds, 1.0);
            clamped |= !(step.lo95.is_finite() && step.hi95.is_finite());
            clamp(step)
        })
        .collect();
    Forecast {
        steps,
        model: if single { Model::Snaive } else { model },
        basis: if single { Basis::SingleValue } else { Basis::Constant },
        clamped,
    }
}

fn in_original_unit(mean: f64, unit: f64, bounds: Bounds, scale: f64) -> Step {
    Step {
        mean: mean * scale,
        unit: unit * scale,
        lo80: bounds.lo80 * scale,
        hi80: bounds.hi80 * scale,
        lo95: bounds.lo95 * scale,
        hi95: bounds.hi95 * scale,
    }
}

fn clamp(step: Step) -> Step {
    let finite = |v: f64| v.clamp(-f64::MAX, f64::MAX);
    Step {
        mean: finite(step.mean),
        unit: finite(step.unit),
        lo80: finite(step.lo80),
        hi80: finite(step.hi80),
        lo95: finite(step.lo95),
        hi95: finite(step.hi95),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lanes::instruction_sets;
    use super::super::series_strategy::values;
    use super::*;

    fn bits(forecast: &Forecast) -> Vec<[u64; 6]> {
        let of = |s: &Step| [s.mean, s.unit, s.lo80, s.hi80, s.lo95, s.hi95].map(f64::to_bits);
        forecast.steps.iter().map(of).collect()
    }

    #[test]
    fn a_step_does_not_depend_on_the_horizon() {
        let values: Vec<f64> = (0..90_u32).map(|t| 60.0 + f64::from(t * 31 % 17 + t % 12 * 9 + t)).collect();
        for season in [1, 4, 12, 24] {
            let far = forecast_series(&values, season, 18, Model::Auto).expect("finite values");
            for horizon in 0..18 {
                let near = forecast_series(&values, season, horizon, Model::Auto).expect("finite values");
                assert_eq!(near.steps, far.steps[..horizon]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_instruction_set_gives_the_same_bits(
            values in values(80),
            season in prop::sample::select(vec![1, 2, 4, 5, 12, 24]),
            model in prop::sample::select(Model::ALL.to_vec()),
        ) {
            let series = SeriesRef { values: &values, season, horizon: 7 };
            let plain = forecast_series(&values, season, 7, model).expect("the values are finite");
            let mut ring = Ring::new();
            for arch in instruction_sets() {
                let forecast = forecast_with(series, model, &mut ring, arch).expect("the values are finite");
                prop_assert_eq!(bits(&forecast), bits(&plain), "{:?}", arch);
            }
        }
    }
}
