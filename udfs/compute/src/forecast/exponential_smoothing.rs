//! The exponential smoothing recursion (Hyndman et al. 2008) and its fit, for the members `ets` and `hw`.

use super::statistics::{mean, moving_average};
use super::zoom::{SearchSpace, zoom};

/// How one-step errors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errors {
    Additive,
    /// Relative to the forecast.
    Multiplicative,
}

/// The slope of the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    None,
    Additive,
    Damped,
}

/// How the season meets the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Season {
    None,
    Additive,
    Multiplicative,
}

/// One model of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) errors: Errors,
    pub(crate) trend: Trend,
    pub(crate) season: Season,
}

/// What a fit gives.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    pub(crate) forecast: Vec<f64>,
    /// Corrected information criterion; comparable between shapes of one series.
    pub(crate) aicc: f64,
}

/// Objective of a fit without any error.
const PERFECT: f64 = -1e9;
/// Below this, a level or a factor is not divided by.
const TINY: f64 = 1e-10;

impl Shape {
    fn has_trend(self) -> bool {
        self.trend != Trend::None
    }

    fn has_season(self) -> bool {
        self.season != Season::None
    }

    /// Smoothing parameters.
    fn parameters(self) -> usize {
        1 + usize::from(self.has_trend())
            + usize::from(self.trend == Trend::Damped)
            + usize::from(self.has_season())
    }

    /// Initial states, which the criterion counts although they are not searched.
    fn states(self, season: usize) -> usize {
        1 + usize::from(self.has_trend()) + if self.has_season() { season.saturating_sub(1) } else { 0 }
    }

    /// Fits the smoothing parameters from heuristic initial states and forecasts.
    ///
    /// `None` where the series is too short for the shape or the forecast is not finite.
    pub(crate) fn fit(self, values: &[f64], season: usize, horizon: usize) -> Option<Fit> {
        let counted = self.parameters() + self.states(season);
        if values.len() <= counted + 2 {
            return None;
        }
        match self.parameters() {
            1 => self.fit_with::<1>(values, season, horizon),
            2 => self.fit_with::<2>(values, season, horizon),
            3 => self.fit_with::<3>(values, season, horizon),
            _ => self.fit_with::<4>(values, season, horizon),
        }
    }

    fn fit_with<const D: usize>(self, values: &[f64], season: usize, horizon: usize) -> Option<Fit> {
        let season = season.max(1);
        let initial = initial_state(values, season, self);
        let space = self.search_space::<D>(season);
        let mut ring = initial.factors.clone();
        let (point, objective) = zoom(&space, |p| {
            ring.copy_from_slice(&initial.factors);
            let mut run = Run::new(self, &self.smoothing(p), &initial, &mut ring);
            run.through(values)
        });
        ring.copy_from_slice(&initial.factors);
        let smoothing = self.smoothing(&point);
        let mut run = Run::new(self, &smoothing, &initial, &mut ring);
        run.through(values);
        let forecast = run.forecast(horizon, values.len());
        let (n, k) = (values.len() as f64, (self.parameters() + self.states(season) + 1) as f64);
        let aicc = objective + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0).max(0.1);
        (aicc.is_finite() && forecast.iter().all(|v| v.is_finite())).then_some(Fit { forecast, aicc })
    }

    /// Order of the coordinates: level, trend, season, damping, as far as the shape has them.
    fn search_space<const D: usize>(self, season: usize) -> SearchSpace<D> {
        let level_start = if self.has_season() && season > 4 { 0.15 } else { 0.3 };
        let mut coordinates = vec![(level_start, 1e-3, 0.999)];
        if self.has_trend() {
            coordinates.push((0.1, 1e-3, 0.999));
        }
        if self.has_season() {
            coordinates.push((0.1, 1e-3, 0.999));
        }
        if self.trend == Trend::Damped {
            coordinates.push((0.95, 0.8, 0.98));
        }
        let mut space = SearchSpace { start: [0.0; D], low: [0.0; D], high: [0.0; D] };
        for (i, (start, low, high)) in coordinates.into_iter().enumerate().take(D) {
            space.start[i] = start;
            space.low[i] = low;
            space.high[i] = high;
        }
        space
    }

    fn smoothing<const D: usize>(self, point: &[f64; D]) -> Smoothing {
        let mut rest = point.iter().copied();
        let alpha = rest.next().unwrap_or(0.0);
        let trend_share = if self.has_trend() { rest.next().unwrap_or(0.0) } else { 0.0 };
        let gamma = if self.has_season() { (1.0 - alpha) * rest.next().unwrap_or(0.0) } else { 0.0 };
        let damping = match self.trend {
            Trend::None => 0.0,
            Trend::Additive => 1.0,
            Trend::Damped => rest.next().unwrap_or(1.0),
        };
        Smoothing { alpha, trend_share, gamma, damping }
    }
}

/// Smoothing parameters; the trend's is a share of the level's (β = α × share), the season's at most 1 − α.
#[derive(Debug, Clone, Copy)]
struct Smoothing {
    alpha: f64,
    trend_share: f64,
    gamma: f64,
    damping: f64,
}

#[derive(Debug, Clone)]
struct InitialState {
    level: f64,
    slope: f64,
    /// One factor for each place in the season; a single neutral one without season.
    factors: Vec<f64>,
}

/// A classical decomposition for the season; mean or least-squares line of the first values for level and slope.
fn initial_state(values: &[f64], season: usize, shape: Shape) -> InitialState {
    let (factors, adjusted): (Vec<f64>, Vec<f64>) = match shape.season {
        Season::None => (vec![0.0], values.to_vec()),
        Season::Additive => {
            let factors = classical_factors(values, season, false);
            let adjusted = values.iter().zip(factors.iter().cycle()).map(|(v, s)| v - s).collect();
            (factors, adjusted)
        }
        Season::Multiplicative => {
            let factors = classical_factors(values, season, true);
            let adjusted = values.iter().zip(factors.iter().cycle()).map(|(v, s)| v / s).collect();
            (factors, adjusted)
        }
    };
    let window = &adjusted[..adjusted.len().min((2 * season).max(10))];
    let level = mean(window);
    if shape.trend == Trend::None {
        return InitialState { level, slope: 0.0, factors };
    }
    let centre = (window.len() as f64 + 1.0) / 2.0;
    let (mut covariance, mut spread) = (0.0, 0.0);
    for (t, value) in window.iter().enumerate() {
        let place = (t + 1) as f64 - centre;
        covariance += place * (value - level);
        spread += place * place;
    }
    let slope = if spread > 0.0 { covariance / spread } else { 0.0 };
    InitialState { level: level - slope * centre, slope, factors }
}

/// Seasonal factors of a classical decomposition with a moving average: mean 1 and at least 0.01 where
/// multiplicative, else mean 0.
fn classical_factors(values: &[f64], season: usize, multiplicative: bool) -> Vec<f64> {
    let half = season / 2;
    let neutral = if multiplicative { 1.0 } else { 0.0 };
    let mut totals = vec![0.0; season];
    let mut counts = vec![0.0; season];
    for t in half..values.len().saturating_sub(half) {
        let trend = moving_average(values, season, t);
        totals[t % season] += match multiplicative {
            true if trend.abs() > 1e-12 => values[t] / trend,
            true => 1.0,
            false => values[t] - trend,
        };
        counts[t % season] += 1.0;
    }
    let mut factors: Vec<f64> = totals
        .iter()
        .zip(&counts)
        .map(|(total, count)| if *count > 0.0 { total / count } else { neutral })
        .collect();
    let centre = mean(&factors);
    for factor in &mut factors {
        if multiplicative {
            *factor = (*factor / centre).max(0.01);
        } else {
            *factor -= centre;
        }
    }
    factors
}

/// One pass over a series.
struct Run<'a> {
    shape: Shape,
    smoothing: Smoothing,
    level: f64,
    slope: f64,
    factors: &'a mut [f64],
}

impl<'a> Run<'a> {
    fn new(shape: Shape, smoothing: &Smoothing, initial: &InitialState, factors: &'a mut [f64]) -> Self {
        Self { shape, smoothing: *smoothing, level: initial.level, slope: initial.slope, factors }
    }

    /// Runs through `values` and gives −2 log-likelihood up to a constant; infinite where the pass diverges.
    fn through(&mut self, values: &[f64]) -> f64 {
        let Smoothing { alpha, trend_share, gamma, damping } = self.smoothing;
        let relative = self.shape.errors == Errors::Multiplicative;
        let mut squared = 0.0;
        let mut log_forecasts = 0.0;
        let mut product = 1.0_f64;
        let mut place = 0;
        for value in values {
            let damped_slope = damping * self.slope;
            let base = self.level + damped_slope;
            let factor = self.factors[place];
            let (forecast, deseasonalised, seasonal) = match self.shape.season {
                Season::None => (base, *value, 0.0),
                Season::Additive => (base + factor, value - factor, value - base),
                Season::Multiplicative => {
                    (base * factor, value / away_from_zero(factor), value / away_from_zero(base))
                }
            };
            let error = value - forecast;
            if relative {
                let share = error / forecast;
                squared += share * share;
                product *= forecast.abs();
                if !(1e-30..=1e30).contains(&product) {
                    log_forecasts += product.ln();
                    product = 1.0;
                }
            } else {
                squared += error * error;
            }
            let level = base + alpha * (deseasonalised - base);
            self.slope = damped_slope + trend_share * ((level - self.level) - damped_slope);
            self.level = level;
            if self.shape.season != Season::None {
                self.factors[place] = factor + gamma * (seasonal - factor);
                place = if place + 1 == self.factors.len() { 0 } else { place + 1 };
            }
        }
        log_forecasts += product.ln();
        let n = values.len() as f64;
        let objective = if squared > 0.0 { n * (squared / n).ln() + 2.0 * log_forecasts } else { PERFECT };
        if objective.is_finite() && self.level.is_finite() { objective } else { f64::INFINITY }
    }

    /// Forecasts after `seen` values.
    fn forecast(&self, horizon: usize, seen: usize) -> Vec<f64> {
        let mut weight = self.smoothing.damping;
        let mut reach = 0.0;
        (0..horizon)
            .map(|step| {
                reach += weight;
                weight *= self.smoothing.damping;
                let base =
                    self.level + if self.shape.trend == Trend::None { 0.0 } else { reach * self.slope };
                let factor = self.factors[(seen + step) % self.factors.len()];
                match self.shape.season {
                    Season::None => base,
                    Season::Additive => base + factor,
                    Season::Multiplicative => base * factor,
                }
            })
            .collect()
    }
}

fn away_from_zero(value: f64) -> f64 {
    if value.abs() < TINY { TINY } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(trend: Trend, season: Season) -> Shape {
        Shape { errors: Errors::Additive, trend, season }
    }

    fn check(shape: Shape, values: &[f64], season: usize, expected: &[f64], tolerance: f64) {
        let fit = shape.fit(values, season, expected.len()).expect("the series is long enough");
        for (forecast, expected) in fit.forecast.iter().zip(expected) {
            assert!((forecast - expected).abs() < tolerance, "{:?}", fit.forecast);
        }
    }

    #[test]
    fn each_component_is_carried_forward() {
        let flat = vec![5.0; 20];
        check(shape(Trend::None, Season::None), &flat, 1, &[5.0; 3], 1e-9);
        let line: Vec<f64> = (0..30_u32).map(|t| 10.0 + 3.0 * f64::from(t)).collect();
        check(shape(Trend::Additive, Season::None), &line, 1, &[100.0, 103.0, 106.0], 0.01);
        let pattern = [1.0, 2.0, 4.0, 1.0];
        let wave: Vec<f64> = (0..32_u32).map(|t| 10.0 + pattern[(t % 4) as usize]).collect();
        check(shape(Trend::None, Season::Additive), &wave, 4, &[11.0, 12.0, 14.0, 11.0], 0.01);
        let times: Vec<f64> = (0..32_u32).map(|t| 10.0 * pattern[(t % 4) as usize]).collect();
        check(shape(Trend::None, Season::Multiplicative), &times, 4, &[10.0, 20.0, 40.0, 10.0], 0.01);
    }

    #[test]
    fn a_damped_line_levels_off() {
        let line: Vec<f64> = (0..30_u32).map(|t| 10.0 + 3.0 * f64::from(t)).collect();
        let fit = shape(Trend::Damped, Season::None).fit(&line, 1, 50).expect("the series is long enough");
        let steps: Vec<f64> = fit.forecast.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(steps.windows(2).all(|w| w[1] < w[0]) && steps[48] > 0.0, "{steps:?}");
    }

    #[test]
    fn too_short_a_series_is_not_fitted() {
        assert!(shape(Trend::None, Season::None).fit(&[1.0; 4], 1, 1).is_none());
        assert!(shape(Trend::None, Season::None).fit(&[1.0; 5], 1, 1).is_some());
        assert!(shape(Trend::Additive, Season::Additive).fit(&[1.0; 18], 12, 1).is_none());
    }

    #[test]
    fn the_criterion_prefers_the_right_shape() {
        let line: Vec<f64> =
            (0..40_u32).map(|t| 10.0 + 3.0 * f64::from(t) + f64::from(t * 37 % 11) * 0.1).collect();
        let aicc =
            |trend| shape(trend, Season::None).fit(&line, 1, 1).expect("the series is long enough").aicc;
        assert!(aicc(Trend::Additive) < aicc(Trend::None));
    }
}
