//! Member `dot`: the Dynamic Optimised Theta model (Fiorucci et al. 2016) on the seasonally adjusted series.

use pulp::{Simd, WithSimd};

use super::analysis::Analysis;
use super::lanes::{LANES, Lanes};
use super::parameter::Parameter;
use super::running_line::RunningLine;
use super::statistics::mean_absolute;
use super::theta_pass::{Theta, pass};
use super::zoom::{Coordinate, MOST, Objective, zoom};
use crate::random::exp;

/// Shortest series that is fitted; shorter ones repeat their last value.
const SHORTEST: usize = 4;

/// Forecasts a series. Parameters are the initial level, the smoothing of the level and the logarithm of theta.
pub(crate) fn dot(analysis: &mut Analysis<'_>) -> Vec<f64> {
    let horizon = analysis.horizon;
    let fitted = analysis.theta();
    let adjustment = analysis.adjustment();
    adjustment.reseasonalise(forecast(fitted, &adjustment.adjusted, horizon))
}

/// The smoothing of the level, theta and the last level of the adjusted series; none where nothing is fitted.
pub(crate) fn parameters(analysis: &mut Analysis<'_>) -> Vec<Parameter> {
    let Some(DynamicTheta { state, scale, .. }) = analysis.theta() else { return Vec::new() };
    vec![
        Parameter::share("alpha", state.alpha),
        Parameter::share("theta", 1.0 / (1.0 - state.line_weight)),
        Parameter::amount("level", state.level * scale),
    ]
}

fn forecast(fitted: Option<DynamicTheta>, values: &[f64], horizon: usize) -> Vec<f64> {
    let Some(last) = values.last() else { return Vec::new() };
    let Some(DynamicTheta { mut state, mut line, scale }) = fitted else {
        return vec![*last; horizon];
    };
    (0..horizon)
        .map(|_| {
            let value = state.next(&line);
            state.update(value);
            line.update(value);
            value * scale
        })
        .collect()
}

/// A fitted model after the last value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DynamicTheta {
    pub(crate) state: Theta<f64>,
    pub(crate) line: RunningLine,
    /// The values were divided by it.
    pub(crate) scale: f64,
}

/// `None` for a series that is too short.
pub(crate) fn fit(values: &[f64], arch: pulp::Arch) -> Option<DynamicTheta> {
    let Lined { values, lines, line, scale } = Lined::new(values)?;
    let coordinates = coordinates(values[0]);
    let state = arch.dispatch(Search { values: &values, lines: &lines, coordinates });
    Some(DynamicTheta { state, line, scale })
}

/// A series ready for the search.
pub(crate) struct Lined {
    /// Brought to the order of one.
    pub(crate) values: Vec<f64>,
    /// Intercept and slope of the running line before each value but the first.
    pub(crate) lines: Vec<(f64, f64)>,
    /// After the last value.
    pub(crate) line: RunningLine,
    /// The values were divided by it.
    pub(crate) scale: f64,
}

impl Lined {
    /// `None` for a series that is too short.
    pub(crate) fn new(values: &[f64]) -> Option<Self> {
        if values.len() < SHORTEST {
            return None;
        }
        let scale = match mean_absolute(values) {
            size if size > 0.0 => size,
            _ => 1.0,
        };
        let scaled: Vec<f64> = values.iter().map(|v| v / scale).collect();
        let mut line = RunningLine::new(scaled[0]);
        let lines: Vec<(f64, f64)> = scaled[1..]
            .iter()
            .map(|value| {
                let before = (line.intercept, line.slope);
                line.update(*value);
                before
            })
            .collect();
        Some(Self { values: scaled, lines, line, scale })
    }
}

/// Initial level, smoothing of the level, logarithm of theta.
pub(crate) fn coordinates(first: f64) -> [Coordinate; 3] {
    let reach = first.abs() + 0.2;
    [
        Coordinate { start: 0.5 * first, low: 0.5 * first - reach, high: 0.5 * first + reach },
        Coordinate { start: 0.5, low: 0.1, high: 0.99 },
        Coordinate { start: std::f64::consts::LN_2, low: 0.0, high: 3.0 },
    ]
}

/// The search for the parameters; the start is kept where no candidate has a finite error.
pub(crate) struct Search<'a> {
    /// At least one.
    pub(crate) values: &'a [f64],
    pub(crate) lines: &'a [(f64, f64)],
    pub(crate) coordinates: [Coordinate; 3],
}

impl WithSimd for Search<'_> {
    type Output = Theta<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Theta<f64> {
        let coordinates = self.coordinates;
        let kept = Theta { alpha: 0.5, line_weight: 0.5, level: self.values[0], decay: 0.5 };
        let mut run = Run { simd, search: self, state: Theta::splat(kept), kept };
        zoom(&coordinates, &mut run);
        run.kept
    }
}

struct Run<'a, S> {
    simd: S,
    search: Search<'a>,
    state: Theta<Lanes>,
    kept: Theta<f64>,
}

impl<S: Simd> Objective for Run<'_, S> {
    #[inline(always)]
    fn evaluate(&mut self, [level, alpha, log_theta, _]: &[Lanes; MOST]) -> Lanes {
        self.state.level = *level;
        self.state.alpha = *alpha;
        for lane in 0..LANES {
            self.state.line_weight.0[lane] = 1.0 - exp(-log_theta.0[lane]);
        }
        pass(self.simd, self.search.values, self.search.lines, &mut self.state)
    }

    #[inline(always)]
    fn keep(&mut self, lane: usize, _: &[Lanes; MOST]) {
        self.kept = self.state.lane(lane);
    }
}

#[cfg(test)]
mod tests {
    use super::super::exponential_smoothing::Ring;
    use super::*;

    fn dot(values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
        super::dot(&mut Analysis::new(values, season, horizon, &mut Ring::new(), pulp::Arch::new()))
    }

    #[test]
    fn follows_a_line_with_part_of_its_slope() {
        let line: Vec<f64> = (0..40_u32).map(|t| 100.0 + 2.0 * f64::from(t)).collect();
        let forecast = dot(&line, 1, 4);
        assert!(forecast[0] > 178.0 && forecast[0] < 184.0, "{forecast:?}");
        assert!(forecast.windows(2).all(|w| w[1] > w[0] && w[1] - w[0] < 2.5), "{forecast:?}");
    }

    #[test]
    fn short_and_flat_series_repeat() {
        assert_eq!(dot(&[1.0, 2.0, 9.0], 1, 2), [9.0, 9.0]);
        assert_eq!(dot(&[0.0; 8], 1, 2), [0.0, 0.0]);
        assert!((dot(&[7.0; 30], 12, 3)[2] - 7.0).abs() < 0.05);
        assert!(dot(&[], 1, 2).is_empty());
    }
}
