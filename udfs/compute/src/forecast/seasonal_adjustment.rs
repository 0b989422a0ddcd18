//! The seasonal step of the members `dot` and `smedian`.

use super::centred_average::CentredAverage;
use super::statistics::{mean, mean_absolute};

/// Weight of a year relative to the one after it.
const DECAY: f64 = 0.8;
/// A trend below this share of the mean absolute value is too close to zero to divide by.
const SAFE_TREND: f64 = 0.02;

/// What a step beside another weighs in its average; see `Rule`.
const NEIGHBOUR: f64 = 0.1;
/// A level is not divided by a smaller seasonal factor.
const LEAST_SHARE: f64 = 0.1;

/// A series without its season, and how to put the season back.
///
/// The trend is a 2×m moving average whose ends are extended by half of the last yearly slope. The season is the
/// weighted mean of the residuals relative to the trend, or of the plain residuals where the trend is not safely
/// positive, so that negative and zero values work. Factors are shrunk towards none (James–Stein), which
/// replaces a test for seasonality.
#[derive(Debug, Clone)]
pub(crate) struct SeasonalAdjustment {
    /// The series without its season.
    pub(crate) adjusted: Vec<f64>,
    factors: Vec<f64>,
    relative: bool,
}

/// What the season does to each step ahead.
#[derive(Debug, Clone, PartialEq)]
pub enum SeasonalEffect {
    /// The level is multiplied by it; 1 is none.
    Factors(Vec<f64>),
    /// It is added to the level, which is not safely above zero; 0 is none.
    Amounts(Vec<f64>),
}

impl SeasonalAdjustment {
    /// Adjusts `values`; a series shorter than two seasons and two steps is left as it is.
    pub(crate) fn new(values: &[f64], season: usize, average: &CentredAverage) -> Self {
        let n = values.len();
        if season < 2 || n < 2 * season + 2 {
            return Self { adjusted: values.to_vec(), factors: vec![0.0], relative: false };
        }
        let trend = extended_trend(average, n, season);
        let floor = SAFE_TREND * mean_absolute(values);
        let relative = trend.iter().all(|t| *t > floor);
        let base: Vec<f64> = if relative { trend.clone() } else { vec![1.0; n] };
        let residual: Vec<f64> = (0..n).map(|t| (values[t] - trend[t]) / base[t]).collect();
        let factors = shrunken_factors(&residual, season);
        let adjusted = (0..n).map(|t| values[t] - factors[t % season] * base[t]).collect();
        Self { adjusted, factors, relative }
    }

    /// A forecast of the adjusted series, with the season put back in place.
    pub(crate) fn reseasonalise(&self, mut forecast: Vec<f64>) -> Vec<f64> {
        let n = self.adjusted.len();
        for (step, value) in forecast.iter_mut().enumerate() {
            let factor = self.factors[(n + step) % self.factors.len()];
            *value = if self.relative { *value * (1.0 + factor) } else { *value + factor };
        }
        forecast
    }

    /// Averages every step but the first and the last, without its season, with the two beside it, each of which weighs
    /// [`NEIGHBOUR`]. Nothing where no season is known, or where one takes nearly all of the level.
    pub(crate) fn smooth(&self, forecast: &mut [f64]) {
        let n = self.adjusted.len();
        let factor = |step: usize| self.factors[(n + step) % self.factors.len()];
        let share = |step: usize| if self.relative { 1.0 + factor(step) } else { 1.0 };
        if self.factors.len() < 2 || (0..forecast.len()).any(|step| share(step) < LEAST_SHARE) {
            return;
        }
        let amount = |step: usize| if self.relative { 0.0 } else { factor(step) };
        let adjusted: Vec<f64> =
            forecast.iter().enumerate().map(|(step, value)| (value - amount(step)) / share(step)).collect();
        for (step, window) in (1..).zip(adjusted.windows(3)) {
            if let ([before, here, after], Some(value)) = (window, forecast.get_mut(step)) {
                let level = NEIGHBOUR * before + (1.0 - 2.0 * NEIGHBOUR) * here + NEIGHBOUR * after;
                *value = level * share(step) + amount(step);
            }
        }
    }

    /// What the season does to the first `horizon` values after the series.
    pub(crate) fn effect(&self, horizon: usize) -> SeasonalEffect {
        let n = self.adjusted.len();
        let factors = (0..horizon).map(|step| self.factors[(n + step) % self.factors.len()]);
        if self.relative {
            SeasonalEffect::Factors(factors.map(|factor| 1.0 + factor).collect())
        } else {
            SeasonalEffect::Amounts(factors.collect())
        }
    }
}

/// The moving average, extended at both ends with half of the nearest yearly slope.
fn extended_trend(average: &CentredAverage, n: usize, season: usize) -> Vec<f64> {
    let (first, last) = (average.first(), n - average.first() - 1);
    let mut trend = vec![0.0; n];
    trend[first..=last].copy_from_slice(average.inner());
    let spans_a_year = last >= first + season;
    let slope = |early: f64, late: f64| if spans_a_year { (late - early) / season as f64 } else { 0.0 };
    let end_slope = slope(trend[last.saturating_sub(season)], trend[last]);
    for t in last + 1..n {
        trend[t] = trend[last] + 0.5 * end_slope * (t - last) as f64;
    }
    let start_slope = slope(trend[first], trend[(first + season).min(n - 1)]);
    for t in 0..first {
        trend[t] = trend[first] - 0.5 * start_slope * (first - t) as f64;
    }
    trend
}

/// Weighted means of the residuals by place in the season, mean zero, shrunk by their own uncertainty.
fn shrunken_factors(residual: &[f64], season: usize) -> Vec<f64> {
    let n = residual.len();
    let half = season / 2;
    let inner = half..n - half;
    let weights: Vec<f64> = {
        let mut by_year = vec![1.0; n.div_ceil(season)];
        for year in 1..by_year.len() {
            by_year[year] = by_year[year - 1] * DECAY;
        }
        (0..n).map(|t| by_year[(n - 1 - t) / season]).collect()
    };
    let mut weight = vec![0.0; season];
    let mut squared_weight = vec![0.0; season];
    let mut factors = vec![0.0; season];
    for t in inner.clone() {
        weight[t % season] += weights[t];
        squared_weight[t % season] += weights[t] * weights[t];
        factors[t % season] += weights[t] * residual[t];
    }
    for (factor, weight) in factors.iter_mut().zip(&weight) {
        *factor = if *weight > 0.0 { *factor / weight } else { 0.0 };
    }
    let centre = mean(&factors);
    for factor in &mut factors {
        *factor -= centre;
    }
    let (mut total, mut total_weight) = (0.0, 0.0);
    for t in inner.clone() {
        let noise = residual[t] - factors[t % season];
        total += weights[t] * noise * noise;
        total_weight += weights[t];
    }
    let season_length = season as f64;
    let freedom = (1.0 - (season_length - 1.0) / inner.len() as f64).max(0.2);
    let noise_variance = total / total_weight / freedom;
    let factor_variance: f64 = weight
        .iter()
        .zip(&squared_weight)
        .map(|(weight, squared)| noise_variance * squared / (weight * weight).max(1e-12))
        .sum();
    let strength: f64 = factors.iter().map(|f| f * f).sum();
    let shrinkage = if strength > 0.0 {
        (1.0 - factor_variance * ((season_length - 3.0).max(1.0) / season_length) / strength).max(0.0)
    } else {
        0.0
    };
    factors.iter().map(|f| f * shrinkage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], season: usize, relative: bool, tolerance: f64) {
        let adjustment = SeasonalAdjustment::new(values, season, &CentredAverage::new(values, season));
        assert_eq!(adjustment.relative, relative);
        let n = values.len();
        let rough = |v: &[f64]| v.windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f64>() / (n - 1) as f64;
        assert!(rough(&adjustment.adjusted) < tolerance * rough(values), "the season is still there");
    }

    #[test]
    fn takes_a_season_out() {
        let pattern = [1.0, 5.0, 2.0, 8.0];
        let positive: Vec<f64> = (0..40_u32).map(|t| 50.0 + pattern[(t % 4) as usize] * 4.0).collect();
        check(&positive, 4, true, 0.05);
        let around_zero: Vec<f64> = (0..40_u32).map(|t| pattern[(t % 4) as usize] - 4.0).collect();
        check(&around_zero, 4, false, 0.05);
    }

    #[test]
    fn puts_the_season_back_where_it_was() {
        let pattern = [1.0, 5.0, 2.0, 8.0, -3.0];
        let values: Vec<f64> = (0..43_u32).map(|t| pattern[(t % 5) as usize]).collect();
        let adjustment = SeasonalAdjustment::new(&values, 5, &CentredAverage::new(&values, 5));
        let level = mean(&adjustment.adjusted);
        let forecast = adjustment.reseasonalise(vec![level; 5]);
        for (step, value) in forecast.iter().enumerate() {
            assert!((value - pattern[(43 + step) % 5]).abs() < 0.2, "{forecast:?}");
        }
    }

    #[test]
    fn smooths_levels_and_keeps_the_season() {
        let of = |values: &[f64]| SeasonalAdjustment::new(values, 4, &CentredAverage::new(values, 4));
        for level in [50.0, -3.0] {
            let values: Vec<f64> =
                (0..40_u32).map(|t| level + [1.0, 5.0, -2.0, 8.0][(t % 4) as usize]).collect();
            let adjustment = of(&values);
            assert_eq!(adjustment.relative, level > 0.0);
            let season = adjustment.reseasonalise(vec![level; 4]);
            let mut smooth = season.clone();
            adjustment.smooth(&mut smooth);
            assert!(smooth.iter().zip(&season).all(|(after, before)| (after - before).abs() < 1e-9));
            let mut bent = adjustment.reseasonalise(vec![level, level + 10.0, level, level]);
            adjustment.smooth(&mut bent);
            let expected = adjustment.reseasonalise(vec![level, level + 8.0, level + 1.0, level]);
            assert!(bent.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9), "{bent:?}");
        }
        let mut short = [1.0, 9.0, 1.0];
        of(&[1.0, 2.0, 3.0]).smooth(&mut short);
        assert_eq!(short, [1.0, 9.0, 1.0]);
    }

    #[test]
    fn leaves_short_series_alone() {
        let values = [1.0, 2.0, 3.0];
        let adjustment = SeasonalAdjustment::new(&values, 12, &CentredAverage::new(&values, 12));
        assert_eq!(adjustment.adjusted, values);
        assert_eq!(adjustment.reseasonalise(vec![7.0]), [7.0]);
    }
}
