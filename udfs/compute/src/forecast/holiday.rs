//! A holiday that moves between the periods of a season, such as the Lunar New Year between January and February.

use super::centred_average::CentredAverage;

/// Weight of a season against the one after it, chosen on Taiwan's totals up to 2009.
const FADING: f64 = 0.6;
/// Fewest seasons that an effect is estimated from.
const FEWEST_SEASONS: usize = 4;
/// From how many standard deviations on, as half of the points tell them, a point's influence does not grow (Huber 1964);
/// chosen on Taiwan's totals up to 2009.
const FAR: f64 = 2.5;
/// The median of the distances of normal numbers from their mean, in standard deviations.
const MEDIAN_DISTANCE: f64 = 0.6745;
/// How often the weights are worked out again; they change no more long before.
const ROUNDS: usize = 20;
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
/// seasons weigh more, an odd one no more than one that is just far off, and the slope is shrunk towards 0 by its own
/// uncertainty (positive-part James–Stein). `None` where there is nothing to estimate: fewer than four seasons, a level that is not above zero, a holiday that
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
    let mut points = points(values, share, season, &touched)?;
    bound_influence(&mut points, season);
    let (usual_share, centred) = centred(&points, season);
    let effect = shrunken_slope(&centred)?;
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

/// The usual share at each place in the season, and weight, share and ratio of every point less what is usual at its place.
fn centred(points: &[Point], season: usize) -> (Vec<f64>, Vec<(f64, f64, f64)>) {
    let usual = |place: usize, of: fn(&Point) -> f64| {
        let here = || points.iter().filter(|point| point.place == place);
        let weight: f64 = here().map(|point| point.weight).sum();
        here().map(|point| point.weight * of(point)).sum::<f64>() / weight
    };
    let share: Vec<f64> = (0..season).map(|place| usual(place, |point| point.share)).collect();
    let ratio: Vec<f64> = (0..season).map(|place| usual(place, |point| point.ratio)).collect();
    let less_usual =
        |point: &Point| (point.weight, point.share - share[point.place], point.ratio - ratio[point.place]);
    let centred = points.iter().map(less_usual).collect();
    (share, centred)
}

/// Lowers the weights of points that are far from the line through the others.
fn bound_influence(points: &mut [Point], season: usize) {
    let given: Vec<f64> = points.iter().map(|point| point.weight).collect();
    for _ in 0..ROUNDS {
        let (_, centred) = centred(points, season);
        let Some(slope) = slope(&centred) else { return };
        let distances: Vec<f64> = centred.iter().map(|(_, x, y)| (y - slope * x).abs()).collect();
        let far = FAR / MEDIAN_DISTANCE * weighted_median(&distances, &given);
        if far <= 0.0 {
            return;
        }
        for ((point, weight), distance) in points.iter_mut().zip(&given).zip(&distances) {
            point.weight = if *distance > far { weight * far / distance } else { *weight };
        }
    }
}

/// The least value up to which half of the weight lies; 0 for no values.
fn weighted_median(values: &[f64], weights: &[f64]) -> f64 {
    let mut weighted: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut left = 0.5 * weights.iter().sum::<f64>();
    let reached = weighted.iter().find(|(_, weight)| {
        left -= weight;
        left <= 0.0
    });
    reached.map_or(0.0, |(value, _)| *value)
}

/// The weighted slope through the origin of `(weight, x, y)`; `None` where no `x` is other than 0.
fn slope(points: &[(f64, f64, f64)]) -> Option<f64> {
    let moved: f64 = points.iter().map(|(w, x, _)| w * x * x).sum();
    (moved > 0.0).then(|| points.iter().map(|(w, x, y)| w * x * y).sum::<f64>() / moved)
}

/// [`slope`], shrunk; `None` if it is 0.
fn shrunken_slope(points: &[(f64, f64, f64)]) -> Option<f64> {
    let total =
        |of: &dyn Fn(f64, f64, f64) -> f64| points.iter().map(|(w, x, y)| of(*w, *x, *y)).sum::<f64>();
    let moved = total(&|w, x, _| w * x * x);
    let slope = slope(points)?;
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
    fn an_odd_season_moves_the_effect_little() {
        let point = |t: u32| {
            let share = f64::from(t % 2);
            Point { place: 0, weight: 1.0, share, ratio: 1.0 - 0.2 * share + 0.01 * f64::from(t * 7 % 5) }
        };
        let slope_of = |points: &[Point]| slope(&centred(points, 1).1).expect("the holiday moves");
        let mut points: Vec<Point> = (0..20).map(point).collect();
        let usual = slope_of(&points);
        points[19].ratio += 1.0;
        assert!(slope_of(&points) > usual + 0.09);
        bound_influence(&mut points, 1);
        assert!((slope_of(&points) - usual).abs() < 0.01, "{} for {usual}", slope_of(&points));
        assert!(points[19].weight < 0.1 && points[..19].iter().all(|point| point.weight == 1.0));
    }

    #[test]
    fn the_weighted_median_is_the_least_value_that_half_of_the_weight_reaches() {
        assert_eq!(weighted_median(&[3.0, 1.0, 2.0], &[1.0, 1.0, 1.0]), 2.0);
        assert_eq!(weighted_median(&[3.0, 1.0, 2.0], &[5.0, 1.0, 1.0]), 3.0);
        assert_eq!(weighted_median(&[3.0, 1.0], &[1.0, 1.0]), 1.0);
        assert_eq!(weighted_median(&[], &[]), 0.0);
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
