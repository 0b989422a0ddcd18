//! Member `ets`: an average of exponential smoothing models, weighted by how well each explains the series.

use super::analysis::Analysis;
use super::exponential_smoothing::{Shape, Trend};
use super::parameter::Parameter;
use super::smoothing_pass::Form;
use crate::random::exp;

/// Weight below which a model is left out.
const NEGLIGIBLE: f64 = 1e-6;

/// {no, additive, damped} trend × {no, additive, multiplicative} season, as far as length and sign of the series
/// allow, averaged with weights exp(−ΔAICc/2). The last value where nothing can be fitted.
pub(crate) fn ets(analysis: &mut Analysis<'_>) -> Vec<f64> {
    let Some(last) = analysis.values.last() else { return Vec::new() };
    let weighted = weighted_shapes(analysis);
    if weighted.is_empty() {
        return vec![*last; analysis.horizon];
    }
    let mut total = 0.0;
    let mut average = vec![0.0; analysis.horizon];
    for (shape, weight) in weighted {
        let Some(fit) = analysis.fit(shape) else { continue };
        total += weight;
        for (sum, value) in average.iter_mut().zip(&fit.forecast) {
            *sum += weight * value;
        }
    }
    for sum in &mut average {
        *sum /= total;
    }
    average
}

/// The shapes that count, with their weights relative to the best one's, which is 1.
fn weighted_shapes(analysis: &mut Analysis<'_>) -> Vec<(Shape, f64)> {
    let shapes = shapes(analysis.values, analysis.season);
    let fitted: Vec<(Shape, f64)> =
        shapes.into_iter().filter_map(|shape| Some((shape, analysis.fit(shape)?.aicc))).collect();
    let best = fitted.iter().fold(f64::INFINITY, |best, (_, aicc)| best.min(*aicc));
    let weighted = fitted.into_iter().map(|(shape, aicc)| (shape, exp(-0.5 * (aicc - best))));
    weighted.filter(|(_, weight)| *weight > NEGLIGIBLE).collect()
}

/// Weight and smoothing parameters of every shape that counts, under its name in Hyndman et al. (2008).
pub(crate) fn parameters(analysis: &mut Analysis<'_>) -> Vec<Parameter> {
    let weighted = weighted_shapes(analysis);
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut found = Vec::new();
    for (shape, weight) in weighted {
        let name = shape.name();
        found.push(Parameter::share("weight", weight / total).of(name));
        let fitted = analysis.fit(shape).map(|fit| shape.parameters_of(fit)).unwrap_or_default();
        found.extend(fitted.into_iter().map(|parameter| parameter.of(name)));
    }
    found
}

pub(crate) fn shapes(values: &[f64], season: usize) -> Vec<Shape> {
    let positive = values.iter().all(|v| *v > 0.0);
    let seasonal = season > 1 && values.len() > 2 * season;
    let mut shapes = Vec::with_capacity(9);
    for trend in [Trend::None, Trend::Additive, Trend::Damped] {
        shapes.push(Shape { form: if positive { Form::PlainRelative } else { Form::Plain }, trend });
        if seasonal {
            shapes.push(Shape { form: Form::AdditiveSeason, trend });
            if positive {
                shapes.push(Shape { form: Form::MultiplicativeSeason, trend });
            }
        }
    }
    shapes
}

#[cfg(test)]
mod tests {
    use super::super::exponential_smoothing::Ring;
    use super::*;

    fn ets(values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
        super::ets(&mut Analysis::new(values, season, horizon, &mut Ring::new(), pulp::Arch::new()))
    }

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
