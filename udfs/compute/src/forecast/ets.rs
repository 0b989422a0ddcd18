//! Member `ets`: an average of exponential smoothing models, weighted by how well each explains the series.

use super::exponential_smoothing::{Errors, Fit, Season, Shape, Trend};

/// Weight below which a model is left out.
const NEGLIGIBLE: f64 = 1e-6;

/// {no, additive, damped} trend × {no, additive, multiplicative} season, as far as length and sign of the series
/// allow, averaged with weights exp(−ΔAICc/2). The last value where nothing can be fitted.
pub(crate) fn ets(values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
    let Some(last) = values.last() else { return Vec::new() };
    let fits: Vec<Fit> =
        shapes(values, season).into_iter().filter_map(|shape| shape.fit(values, season, horizon)).collect();
    let best = fits.iter().map(|fit| fit.aicc).fold(f64::INFINITY, f64::min);
    if fits.is_empty() {
        return vec![*last; horizon];
    }
    let mut total = 0.0;
    let mut average = vec![0.0; horizon];
    for fit in &fits {
        let weight = (-0.5 * (fit.aicc - best)).exp();
        if weight > NEGLIGIBLE {
            total += weight;
            for (sum, value) in average.iter_mut().zip(&fit.forecast) {
                *sum += weight * value;
            }
        }
    }
    average.iter().map(|sum| sum / total).collect()
}

fn shapes(values: &[f64], season: usize) -> Vec<Shape> {
    let positive = values.iter().all(|v| *v > 0.0);
    let seasonal = season > 1 && values.len() > 2 * season;
    let errors = if positive { Errors::Multiplicative } else { Errors::Additive };
    let mut shapes = Vec::with_capacity(9);
    for trend in [Trend::None, Trend::Additive, Trend::Damped] {
        shapes.push(Shape { errors, trend, season: Season::None });
        if seasonal {
            shapes.push(Shape { errors: Errors::Additive, trend, season: Season::Additive });
            if positive {
                shapes.push(Shape { errors, trend, season: Season::Multiplicative });
            }
        }
    }
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_series_get_multiplicative_models() {
        let count = |values: &[f64], season| shapes(values, season).len();
        assert_eq!(count(&[1.0; 30], 4), 9);
        assert_eq!(count(&[0.0; 30], 4), 6);
        assert_eq!(count(&[1.0; 8], 4), 3);
        assert_eq!(count(&[1.0; 30], 1), 3);
    }

    #[test]
    fn a_growing_season_is_continued() {
        let pattern = [1.0, 2.0, 4.0, 1.0];
        let at = |t: usize| (50.0 + t as f64) * pattern[t % 4];
        let values: Vec<f64> = (0..48).map(at).collect();
        for (step, forecast) in ets(&values, 4, 4).iter().enumerate() {
            assert!((forecast / at(48 + step) - 1.0).abs() < 0.02, "step {step}: {forecast}");
        }
    }

    #[test]
    fn short_and_flat_series_repeat() {
        assert_eq!(ets(&[2.0, 3.0], 12, 2), [3.0, 3.0]);
        assert_eq!(ets(&[0.0; 40], 12, 2), [0.0, 0.0]);
        assert!(ets(&[], 12, 2).is_empty());
    }
}
