//! Member `hw`: additive Holt–Winters.

use super::analysis::Analysis;
use super::exponential_smoothing::{Fit, Shape, Trend};
use super::parameter::Parameter;
use super::smoothing_pass::Form;
use super::snaive::snaive;

/// The fit of level, slope and additive season (no season where the series is not longer than two seasons and
/// five values); `None` where the series is too short.
pub(crate) fn holt_winters<'a>(analysis: &'a mut Analysis<'_>) -> Option<&'a Fit> {
    let shape = shape(analysis);
    analysis.fit(shape)
}

pub(crate) fn shape(analysis: &Analysis<'_>) -> Shape {
    let seasonal = analysis.season > 1 && analysis.values.len() > 2 * analysis.season + 5;
    let form = if seasonal { Form::AdditiveSeason } else { Form::Plain };
    Shape { form, trend: Trend::Additive }
}

/// Its smoothing parameters; none where the series is too short.
pub(crate) fn parameters(analysis: &mut Analysis<'_>) -> Vec<Parameter> {
    let shape = shape(analysis);
    let fitted = analysis.fit(shape).map(|fit| shape.parameters_of(fit)).unwrap_or_default();
    fitted.into_iter().map(|parameter| parameter.of(shape.name())).collect()
}

/// Its forecast; the seasonal naive where the series is too short.
pub(crate) fn hw(analysis: &mut Analysis<'_>) -> Vec<f64> {
    match holt_winters(analysis) {
        Some(fit) => fit.forecast.clone(),
        None => snaive(analysis.values, analysis.season, analysis.horizon),
    }
}

#[cfg(test)]
mod tests {
    use super::super::exponential_smoothing::Ring;
    use super::*;

    fn hw(values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
        super::hw(&mut Analysis::new(values, season, horizon, &mut Ring::new(), pulp::Arch::new()))
    }

    #[test]
    fn continues_a_line_with_a_season() {
        let at = |t: usize| 10.0 + t as f64 + [0.0, 5.0, -5.0, 0.0][t % 4];
        let values: Vec<f64> = (0..40).map(at).collect();
        for (step, forecast) in hw(&values, 4, 6).iter().enumerate() {
            assert!((forecast - at(40 + step)).abs() < 0.3, "step {step}: {forecast}");
        }
    }

    #[test]
    fn short_series_are_seasonal_naive() {
        assert_eq!(hw(&[1.0, 2.0, 3.0], 2, 3), [2.0, 3.0, 2.0]);
        assert!(hw(&[], 2, 3).is_empty());
    }
}
