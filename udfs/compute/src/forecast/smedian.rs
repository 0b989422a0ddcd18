//! Member `smedian`: the median of the last year, with the season put back.

use super::seasonal_adjustment::SeasonalAdjustment;
use super::statistics::median;

/// The median of the last season (at least three values) of the adjusted series. Deaf to single spikes.
pub(crate) fn smedian(adjustment: &SeasonalAdjustment, season: usize, horizon: usize) -> Vec<f64> {
    adjustment.reseasonalise(vec![level(adjustment, season); horizon])
}

/// The median that is repeated.
pub(crate) fn level(adjustment: &SeasonalAdjustment, season: usize) -> f64 {
    let adjusted = &adjustment.adjusted;
    let mut recent = adjusted[adjusted.len() - season.max(3).min(adjusted.len())..].to_vec();
    median(&mut recent).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::centred_average::CentredAverage;
    use super::*;

    fn smedian(values: &[f64], season: usize, horizon: usize) -> Vec<f64> {
        let average = CentredAverage::new(values, season);
        super::smedian(&SeasonalAdjustment::new(values, season, &average), season, horizon)
    }

    #[test]
    fn is_deaf_to_a_spike() {
        assert_eq!(smedian(&[5.0, 5.0, 900.0, 5.0], 1, 2), [5.0, 5.0]);
        assert_eq!(smedian(&[5.0, 7.0, 900.0], 1, 1), [7.0]);
        assert_eq!(smedian(&[4.0], 12, 1), [4.0]);
    }

    #[test]
    fn keeps_the_season() {
        let values: Vec<f64> = (0..32_u32).map(|t| [10.0, 20.0, 30.0, 40.0][(t % 4) as usize]).collect();
        for (forecast, expected) in smedian(&values, 4, 4).iter().zip([10.0, 20.0, 30.0, 40.0]) {
            assert!((forecast - expected).abs() < 0.5);
        }
    }
}
