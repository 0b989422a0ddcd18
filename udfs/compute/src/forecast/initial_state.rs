//! Heuristic initial states of the exponential smoothing recursion.

use super::centred_average::CentredAverage;
use super::smoothing_pass::Form;
use super::statistics::mean;

/// States before the first value of a series.
#[derive(Debug, Clone, Default)]
pub(crate) struct InitialState {
    /// Mean of the first two seasons (at least ten values) without their season.
    mean: f64,
    /// Least-squares slope of the same values.
    slope: f64,
    /// Middle of the same values, counted from 1.
    centre: f64,
    /// One factor for each place in the season; none without season.
    pub(crate) factors: Vec<f64>,
}

impl InitialState {
    /// A classical decomposition for the season, a straight line for level and slope.
    pub(crate) fn new(values: &[f64], season: usize, average: &CentredAverage, form: Form) -> Self {
        let multiplicative = form == Form::MultiplicativeSeason;
        let factors =
            if form.has_season() { factors(values, season, average, multiplicative) } else { Vec::new() };
        let length = values.len().min((2 * season).max(10));
        let window: Vec<f64> = match form {
            Form::Plain | Form::PlainRelative => values[..length].to_vec(),
            Form::AdditiveSeason => {
                values[..length].iter().zip(factors.iter().cycle()).map(|(v, s)| v - s).collect()
            }
            Form::MultiplicativeSeason => {
                values[..length].iter().zip(factors.iter().cycle()).map(|(v, s)| v / s).collect()
            }
        };
        let mean = mean(&window);
        let centre = (window.len() as f64 + 1.0) / 2.0;
        let (mut covariance, mut spread) = (0.0, 0.0);
        for (t, value) in window.iter().enumerate() {
            let place = (t + 1) as f64 - centre;
            covariance += place * (value - mean);
            spread += place * place;
        }
        let slope = if spread > 0.0 { covariance / spread } else { 0.0 };
        Self { mean, slope, centre, factors }
    }

    /// Level and slope of a model with or without trend.
    pub(crate) fn level_and_slope(&self, trend: bool) -> (f64, f64) {
        if trend { (self.mean - self.slope * self.centre, self.slope) } else { (self.mean, 0.0) }
    }
}

/// Seasonal factors of a classical decomposition with a moving average: mean 1 and at least 0.01 where
/// multiplicative, else mean 0.
fn factors(values: &[f64], season: usize, average: &CentredAverage, multiplicative: bool) -> Vec<f64> {
    let neutral = if multiplicative { 1.0 } else { 0.0 };
    let mut totals = vec![0.0; season];
    let mut counts = vec![0.0; season];
    let mut place = average.first() % season;
    for (value, trend) in values[average.first()..].iter().zip(average.inner()) {
        totals[place] += match multiplicative {
            true if trend.abs() > 1e-12 => value / trend,
            true => 1.0,
            false => value - trend,
        };
        counts[place] += 1.0;
        place = if place + 1 == season { 0 } else { place + 1 };
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
