//! Member `dot`: the Dynamic Optimised Theta model (Fiorucci et al. 2016) on the seasonally adjusted series.

use super::seasonal_adjustment::SeasonalAdjustment;
use super::statistics::mean_absolute;
use super::zoom::{SearchSpace, zoom};

/// Shortest series that is fitted; shorter ones repeat their last value.
const SHORTEST: usize = 4;
/// One-step errors before this index are not counted: the running trend has no slope yet.
const WARM_UP: usize = 3;

/// Forecasts `values`. Parameters are the initial level, the smoothing of the level and the logarithm of theta.
pub(crate) fn dot(values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
    let adjustment = SeasonalAdjustment::new(values, season);
    let forecast = dynamic_theta(&adjustment.adjusted, horizon);
    adjustment.reseasonalise(forecast)
}

fn dynamic_theta(values: &[f64], horizon: usize) -> Vec<f64> {
    let Some(last) = values.last() else { return Vec::new() };
    if values.len() < SHORTEST {
        return vec![*last; horizon];
    }
    let scale = match mean_absolute(values) {
        size if size > 0.0 => size,
        _ => 1.0,
    };
    let scaled: Vec<f64> = values.iter().map(|v| v / scale).collect();
    let level = 0.5 * scaled[0];
    let reach = scaled[0].abs() + 0.2;
    let space = SearchSpace {
        start: [level, 0.5, std::f64::consts::LN_2],
        low: [level - reach, 0.1, 0.0],
        high: [level + reach, 0.99, 3.0],
    };
    let (point, _) = zoom(&space, |p| Theta::new(p).run(&scaled).1);
    let (state, _) = Theta::new(&point).run(&scaled);
    state.forecast(horizon).into_iter().map(|v| v * scale).collect()
}

/// A smoothed level and a straight line fitted to all that was seen, both brought forward step by step.
#[derive(Debug, Clone, Copy)]
struct Theta {
    alpha: f64,
    /// Weight of the line: 1 − 1/θ.
    line_weight: f64,
    level: f64,
    mean: f64,
    intercept: f64,
    slope: f64,
    /// (1 − α) to the power of the values seen.
    decay: f64,
    seen: f64,
}

impl Theta {
    fn new(&[level, alpha, log_theta]: &[f64; 3]) -> Self {
        Self {
            alpha,
            line_weight: 1.0 - 1.0 / log_theta.exp(),
            level,
            mean: 0.0,
            intercept: 0.0,
            slope: 0.0,
            decay: 1.0,
            seen: 0.0,
        }
    }

    /// The state after `values`, and the sum of squared one-step errors.
    fn run(mut self, values: &[f64]) -> (Self, f64) {
        let first = values[0];
        self.level = self.alpha * first + (1.0 - self.alpha) * self.level;
        self.mean = first;
        self.intercept = first;
        self.decay = 1.0 - self.alpha;
        self.seen = 1.0;
        let mut squared = 0.0;
        for (t, value) in values.iter().enumerate().skip(1) {
            let error = value - self.next();
            if t >= WARM_UP {
                squared += error * error;
            }
            self.update(*value);
        }
        (self, squared)
    }

    fn next(&self) -> f64 {
        let keep = 1.0 - self.alpha;
        let line = self.intercept * self.decay + self.slope * (1.0 - self.decay * keep) * (1.0 / self.alpha);
        self.level + self.line_weight * line
    }

    fn update(&mut self, value: f64) {
        let n = self.seen;
        let mean = (n * self.mean + value) / (n + 1.0);
        self.level = self.alpha * value + (1.0 - self.alpha) * self.level;
        self.slope = ((n - 1.0) * self.slope + 6.0 * (value - self.mean) / (n + 1.0)) / (n + 2.0);
        self.intercept = mean - self.slope * (n + 2.0) / 2.0;
        self.mean = mean;
        self.decay *= 1.0 - self.alpha;
        self.seen += 1.0;
    }

    fn forecast(mut self, horizon: usize) -> Vec<f64> {
        (0..horizon)
            .map(|_| {
                let value = self.next();
                self.update(value);
                value
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_a_line_with_part_of_its_slope() {
        let line: Vec<f64> = (0..40_u32).map(|t| 100.0 + 2.0 * f64::from(t)).collect();
        let forecast = dot(&line, 1, 4);
        assert!(forecast[0] > 178.0 && forecast[0] < 184.0, "{forecast:?}");
        assert!(forecast.windows(2).all(|w| w[1] > w[0] && w[1] - w[0] < 2.5), "{forecast:?}");
    }

    #[test]
    fn the_running_line_is_the_least_squares_line() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0];
        let (state, _) = Theta::new(&[0.0, 0.5, 0.7]).run(&values);
        let n = values.len() as f64;
        let weighted = values.iter().enumerate().map(|(t, v)| v * (t + 1) as f64).sum::<f64>() / n;
        let mean = values.iter().sum::<f64>() / n;
        let slope = 6.0 * (2.0 * weighted - (n + 1.0) * mean) / (n * n - 1.0);
        assert!((state.slope - slope).abs() < 1e-12);
        assert!((state.intercept - (mean - (n + 1.0) * slope / 2.0)).abs() < 1e-12);
    }

    #[test]
    fn short_and_flat_series_repeat() {
        assert_eq!(dot(&[1.0, 2.0, 9.0], 1, 2), [9.0, 9.0]);
        assert_eq!(dot(&[0.0; 8], 1, 2), [0.0, 0.0]);
        assert!((dot(&[7.0; 30], 12, 3)[2] - 7.0).abs() < 0.05);
        assert!(dot(&[], 1, 2).is_empty());
    }
}
