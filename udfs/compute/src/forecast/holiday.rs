//! A holiday that moves between the periods of a season, such as the Lunar New Year between January and February.

use super::centred_average::CentredAverage;

/// Weight of a season against the one after it, chosen on Taiwan's totals up to 2009.
const FADING: f64 = 0.6;
/// Fewest seasons that an effect is estimated from.
const FEWEST_SEASONS: usize = 4;
/// A factor stays this close to 1.
const LARGEST_EFFECT: f64 = 0.5;

/// A period that the holiday may fall into, with a known level around it.
struct Point {
    place: usize,
    weight: f64,
    share: f64,
    ratio: f64,
}

/// Factors for every value and `horizon` steps ahead: below 1 where more of the holiday falls into a period than is
/// usual at its place in the season, above 1 where less does.
///
/// `share` holds the share of the holiday in every period, values and steps ahead. The ratio of a value to its
/// centred moving average, less what is usual at its place, is regressed on the share, less what is usual; later
/// seasons weigh more, and the slope is shrunk towards 0 by its own uncertainty (positive-part James–Stein). `None`
/// where there is nothing to estimate: fewer than four seasons, a level that is not above zero, a holiday that
/// does not move, or an effect within its noise.
pub(crate) fn holiday_factors(
    values: &[f64],
    share: &[f64],
    season: usize,
    horizon: usize,
) -> Option<Vec<f64>> {
    let all = values.len() + horizon;
    if season < 2 || values.len() < FEWEST_SEASONS * season || share.len() < all {
        return None;
    }
    let touched: Vec<bool> =
        (0..season).map(|place| share[..all].iter().skip(place).step_by(season).any(|s| *s > 0.0)).collect();
    let points = points(values, share, season, &touched)?;
    let usual = |place: usize, of: fn(&Point) -> f64| {
        let here = || points.iter().filter(|point| point.place == place);
        let weight: f64 = here().map(|point| point.weight).sum();
        here().map(|point| point.weight * of(point)).sum::<f64>() / weight
    };
    let usual_share: Vec<f64> = (0..season).map(|place| usual(place, |point| point.share)).collect();
    let usual_ratio: Vec<f64> = (0..season).map(|place| usual(place, |point| point.ratio)).collect();
    let centred = points.iter().map(|point| {
        (point.weight, point.share - usual_share[point.place], point.ratio - usual_ratio[point.place])
    });
    let effect = shrunken_slope(&centred.collect::<Vec<_>>())?;
    let factor = |index: usize| {
        let place = index % season;
        if !touched[place] || !usual_share[place].is_finite() {
            return 1.0;
        }
        (1.0 + effect * (share[index] - usual_share[place])).clamp(1.0 - LARGEST_EFFECT, 1.0 + LARGEST_EFFECT)
    };
    Some((0..all).map(factor).collect())
}

fn points(values: &[f64], share: &[f64], season: usize, touched: &[bool]) -> Option<Vec<Point>> {
    let mut points = Vec::new();
    let average = CentredAverage::new(values, season);
    for (index, level) in (average.first()..).zip(average.inner()) {
        let place = index % season;
        if !(*level > 0.0 && level.is_finite()) {
            return None;
        }
        if touched[place] {
            let seasons_back = (values.len() - 1 - index) / season;
            points.push(Point {
                place,
                weight: (0..seasons_back).fold(1.0, |weight, _| weight * FADING),
                share: share[index],
                ratio: values[index] / level,
            });
        }
    }
    Some(points)
}

/// The weighted slope through the origin of `(weight, x, y)`, shrunk; `None` if it is 0.
fn shrunken_slope(points: &[(f64, f64, f64)]) -> Option<f64> {
    let total =
        |of: &dyn Fn(f64, f64, f64) -> f64| points.iter().map(|(w, x, y)| of(*w, *x, *y)).sum::<f64>();
    let moved = total(&|w, x, _| w * x * x);
    if moved <= 0.0 {
        return None;
    }
    let slope = total(&|w, x, y| w * x * y) / moved;
    let noise = total(&|w, x, y| w * (y - slope * x) * (y - slope * x)) / total(&|w, _, _| w);
    let uncertainty = noise * total(&|w, x, _| w * w * x * x) / (moved * moved);
    let kept = 1.0 - uncertainty / (slope * slope);
    (kept > 0.0 && kept.is_finite()).then_some(slope * kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A level of 100 with a season of four, of which the holiday takes `effect` in its first or second period.
    fn series(seasons: usize, effect: f64) -> (Vec<f64>, Vec<f64>) {
        let share: Vec<f64> = (0..seasons * 4)
            .map(|t| match (t % 4, (t / 4 * 7) % 3) {
                (0, 0) | (1, 1) => 1.0,
                (0 | 1, 2) => 0.5,
                _ => 0.0,
            })
            .collect();
        let season = [90.0, 110.0, 95.0, 105.0];
        let values = share.iter().enumerate().map(|(t, s)| season[t % 4] * (1.0 - effect * s)).collect();
        (values, share)
    }

    #[test]
    fn an_effect_is_found_and_taken_out() {
        let (values, share) = series(12, 0.2);
        let factors = holiday_factors(&values[..40], &share, 4, 8).expect("an effect");
        assert_eq!(factors.len(), 48);
        let spread = |values: &[f64]| {
            let first: Vec<f64> = values.iter().step_by(4).copied().collect();
            first.iter().fold(0.0_f64, |a, b| a.max(*b)) - first.iter().fold(f64::MAX, |a, b| a.min(*b))
        };
        let left: Vec<f64> =
            values[..40].iter().zip(&factors).map(|(value, factor)| value / factor).collect();
        assert!(spread(&left) < 0.2 * spread(&values[..40]), "{left:?}");
        assert!(factors[2] == 1.0 && factors[3] == 1.0);
    }

    #[test]
    fn without_an_effect_there_are_no_factors() {
        let (values, share) = series(12, 0.0);
        assert_eq!(holiday_factors(&values, &share, 4, 0), None);
        let (values, share) = series(12, 0.2);
        assert_eq!(holiday_factors(&values[..15], &share, 4, 8), None);
        assert_eq!(holiday_factors(&values, &share, 4, 1), None);
        let negative: Vec<f64> = values.iter().map(|value| -value).collect();
        assert_eq!(holiday_factors(&negative, &share, 4, 0), None);
        assert_eq!(holiday_factors(&values, &vec![0.0; 48], 4, 0), None);
    }
}
