//! The growth of nominal totals, which a median of models underrates where prices rise.

use crate::random::{exp, ln};

/// Years over which growth is measured, at most.
const YEARS: usize = 5;
/// Growth beyond this factor a year is not carried on.
const LARGEST: f64 = 2.0;

/// Factors that carry on `share` of the past growth, one for every value and step ahead; 1 at the last value.
///
/// Growth is the geometric mean, over the last five years or fewer, of the change from one year's sum to the next
/// one's. `None` for a share of 0, for fewer than two years, and where a year's sum is not above zero. Without a
/// season a year is one value.
pub(crate) fn growth_factors(values: &[f64], season: usize, horizon: usize, share: f64) -> Option<Vec<f64>> {
    let season = season.max(1);
    if share == 0.0 || values.len() / 2 < season {
        return None;
    }
    let years = (values.len() / season).min(YEARS + 1);
    let sum = |year: usize| -> f64 {
        let end = values.len() - year * season;
        values[end - season..end].iter().sum()
    };
    let sums: Vec<f64> = (0..years).map(sum).collect();
    let (newest, oldest) = (*sums.first()?, *sums.last()?);
    if sums.iter().any(|sum| !(*sum > 0.0 && sum.is_finite())) {
        return None;
    }
    let limit = ln(LARGEST);
    let yearly = (ln(newest / oldest) / (years - 1) as f64).clamp(-limit, limit);
    let per_step = share * yearly / season as f64;
    let last = values.len() as f64 - 1.0;
    Some((0..values.len() + horizon).map(|place| exp(per_step * (place as f64 - last))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_doubles_in_a_year_is_cut_to_that() {
        let values = [1.0, 2.0, 4.0, 8.0];
        let factors = growth_factors(&values, 1, 2, 1.0).expect("it grows");
        let expected = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0];
        assert!(factors.iter().zip(expected).all(|(found, wanted)| (found - wanted).abs() < 1e-12));
        let half = growth_factors(&values, 1, 2, 0.5).expect("it grows");
        assert!((half[5] - 2.0).abs() < 1e-12);
        assert!((growth_factors(&[1.0, 100.0], 1, 1, 1.0).expect("it grows")[2] - 2.0).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_growth_to_speak_of_has_no_factors() {
        assert_eq!(growth_factors(&[1.0, 2.0], 1, 1, 0.0), None);
        assert_eq!(growth_factors(&[1.0, -2.0], 1, 1, 1.0), None);
        assert_eq!(growth_factors(&[1.0, 2.0, 3.0], 2, 1, 1.0), None);
        assert_eq!(growth_factors(&[], 1, 1, 1.0), None);
    }

    #[test]
    fn a_season_is_a_year() {
        let values: Vec<f64> =
            (0..36_u32).map(|month| 100.0 * 1.1_f64.powi(i32::try_from(month / 12).unwrap_or(0))).collect();
        let factors = growth_factors(&values, 12, 12, 1.0).expect("it grows");
        assert!((factors[47] - 1.1).abs() < 1e-12);
    }
}
