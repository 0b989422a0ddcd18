//! Member `ar`: an autoregression on the series, differenced by rule.

use super::parameter::Parameter;
use super::statistics::{is_seasonal, mean, variance};
use crate::random::ln;

/// A seasonal difference if the season is significant, a first difference if it lowers the variance, then an
/// autoregression by Burg's method whose order (at most one season and one) minimises AICc.
pub(crate) fn ar(values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
    fit(values, season).map(|fit| fit.forecast(values, season, horizon)).unwrap_or_default()
}

/// The differences taken, the coefficients in the order of their lags, and the mean of the differenced series.
pub(crate) fn parameters(values: &[f64], season: usize) -> Vec<Parameter> {
    let Some(fit) = fit(values, season) else { return Vec::new() };
    let count = |taken: bool| if taken { 1.0 } else { 0.0 };
    let mut found = vec![
        Parameter::share("seasonal_differences", count(fit.seasonal)),
        Parameter::share("first_differences", count(fit.first)),
    ];
    found.extend(
        (1..).zip(&fit.coefficients).map(|(lag, value)| Parameter::share(format!("phi{lag}"), *value)),
    );
    found.push(Parameter::amount("mean", fit.centre));
    found
}

/// A fitted autoregression.
struct Autoregression {
    seasonal: bool,
    first: bool,
    /// The differenced series without its mean.
    series: Vec<f64>,
    /// Last value before the first difference.
    last: f64,
    centre: f64,
    coefficients: Vec<f64>,
}

/// `None` for no values.
fn fit(values: &[f64], season: usize) -> Option<Autoregression> {
    let n = values.len();
    let seasonal = season > 1 && n >= 3 * season + 4 && is_seasonal(values, season);
    let mut series: Vec<f64> = if seasonal { difference(values, season) } else { values.to_vec() };
    let last = series.last().copied()?;
    let steps = difference(&series, 1);
    let required = if seasonal { 0.9 } else { 1.0 };
    let first = series.len() > 6 && variance(&steps) < variance(&series) * required;
    if first {
        series = steps;
    }
    let centre = if first && seasonal { 0.0 } else { mean(&series) };
    for value in &mut series {
        *value -= centre;
    }
    let coefficients = burg(&series, if season > 1 { season + 1 } else { 5 });
    Some(Autoregression { seasonal, first, series, last, centre, coefficients })
}

impl Autoregression {
    fn forecast(self, values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
        let Self { seasonal, first, mut series, last, centre, coefficients } = self;
        let (n, known) = (values.len(), series.len());
        for _ in 0..horizon {
            let t = series.len();
            series.push(coefficients.iter().enumerate().map(|(i, a)| a * series[t - 1 - i]).sum());
        }
        let mut path: Vec<f64> = series[known..].iter().map(|v| v + centre).collect();
        if first {
            let mut level = last;
            for value in &mut path {
                level += *value;
                *value = level;
            }
        }
        if seasonal {
            for step in 0..path.len() {
                path[step] += if step < season { values[n + step - season] } else { path[step - season] };
            }
        }
        path
    }
}

fn difference(values: &[f64], lag: usize) -> Vec<f64> {
    values.iter().zip(values.iter().skip(lag)).map(|(before, after)| after - before).collect()
}

/// Autoregressive coefficients, most recent lag first, of the order up to `largest` with the smallest AICc.
/// `series` has mean zero. Burg's recursion keeps every order stationary.
fn burg(series: &[f64], largest: usize) -> Vec<f64> {
    let n = series.len();
    let largest = largest.min(n / 3).max(1);
    let mut forward = series.to_vec();
    let mut backward = series.to_vec();
    let mut coefficients: Vec<f64> = Vec::with_capacity(largest);
    let mut error = series.iter().map(|v| v * v).sum::<f64>() / n as f64;
    let start = if error > 0.0 { error } else { 1e-30 };
    let criterion = |error: f64, order: usize| {
        let (n, p) = (n as f64, order as f64);
        n * ln((error / start).max(1e-12))
            + 2.0 * (p + 1.0)
            + 2.0 * ((p + 1.0) * (p + 2.0)) / (n - p - 2.0).max(1.0)
    };
    let mut best = (criterion(error, 0), Vec::new());
    for order in 1..=largest {
        let (mut numerator, mut denominator) = (0.0, 0.0);
        for t in order..n {
            numerator += forward[t] * backward[t - 1];
            denominator += forward[t] * forward[t] + backward[t - 1] * backward[t - 1];
        }
        if denominator.is_nan() || denominator <= 0.0 {
            break;
        }
        let reflection = 2.0 * numerator / denominator;
        let previous = coefficients.clone();
        for (value, mirrored) in coefficients.iter_mut().zip(previous.iter().rev()) {
            *value -= reflection * mirrored;
        }
        coefficients.push(reflection);
        for t in (order..n).rev() {
            let (ahead, behind) = (forward[t], backward[t - 1]);
            forward[t] = ahead - reflection * behind;
            backward[t] = behind - reflection * ahead;
        }
        error *= 1.0 - reflection * reflection;
        let value = criterion(error, order);
        if value < best.0 {
            best = (value, coefficients.clone());
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burg_finds_the_coefficient_of_an_oscillation() {
        let mut series = vec![1.0];
        let mut noise = 1_u32;
        for _ in 1..200 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let shock = f64::from(noise) / f64::from(u32::MAX) - 0.5;
            series.push(-0.8 * series[series.len() - 1] + shock);
        }
        let coefficients = burg(&series, 5);
        assert!((coefficients[0] + 0.8).abs() < 0.15, "{coefficients:?}");
    }

    #[test]
    fn continues_a_season_and_a_line() {
        let pattern = [3.0, 9.0, 4.0, 1.0];
        let values: Vec<f64> = (0..40_u32).map(|t| pattern[(t % 4) as usize] + 0.5 * f64::from(t)).collect();
        for (step, forecast) in ar(&values, 4, 6).iter().enumerate() {
            let expected = pattern[step % 4] + 0.5 * (40 + step) as f64;
            assert!((forecast - expected).abs() < 0.05, "step {step}: {forecast} for {expected}");
        }
    }

    #[test]
    fn short_and_flat_series_stay() {
        assert_eq!(ar(&[4.0], 12, 2), [4.0, 4.0]);
        assert_eq!(ar(&[4.0; 30], 12, 2), [4.0, 4.0]);
        assert!(ar(&[], 12, 2).is_empty());
    }
}
