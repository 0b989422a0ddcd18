//! The parameter search that every fitted member shares.

/// Candidates a round; one for each lane of a warp, so that the search maps onto a GPU unchanged.
const CANDIDATES: u32 = 32;
/// Rounds; each looks around the best candidate so far.
const ROUNDS: usize = 3;
/// Half-width of a round's box relative to the round before.
const SHRINK: f64 = 0.35;

/// Roots of x^(d+1) = x + 1 for d = 1..4: the bases of the additive low-discrepancy sequence in d dimensions
/// (Roberts 2018).
const BASES: [f64; 4] =
    [1.618_033_988_749_895, 1.324_717_957_244_746, 1.220_744_084_605_759_6, 1.167_303_978_261_418_7];

/// A box in `D` dimensions, and the point at which a search starts (which may lie outside the box).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SearchSpace<const D: usize> {
    pub(crate) start: [f64; D],
    pub(crate) low: [f64; D],
    pub(crate) high: [f64; D],
}

/// The point of `space` with the smallest `objective` among 1 + 3 × 32 evaluations, and its objective.
///
/// Deterministic. An objective that is never finite gives a point all the same; callers check the value.
/// `D` is 1 to 4.
pub(crate) fn zoom<const D: usize>(
    space: &SearchSpace<D>,
    mut objective: impl FnMut(&[f64; D]) -> f64,
) -> ([f64; D], f64) {
    let base = BASES[D.clamp(1, BASES.len()) - 1];
    let mut strides = [0.0; D];
    let mut stride = 1.0;
    for slot in &mut strides {
        stride /= base;
        *slot = stride;
    }
    let mut best = space.start;
    let mut best_value = objective(&best);
    let mut centre = [0.0; D];
    let mut half_width = [0.0; D];
    for i in 0..D {
        centre[i] = 0.5 * (space.low[i] + space.high[i]);
        half_width[i] = 0.5 * (space.high[i] - space.low[i]);
    }
    let mut index = 0_u32;
    for _ in 0..ROUNDS {
        for _ in 0..CANDIDATES {
            index += 1;
            let mut candidate = [0.0; D];
            for i in 0..D {
                let unit = (0.5 + strides[i] * f64::from(index)).fract();
                let value = centre[i] + (2.0 * unit - 1.0) * half_width[i];
                candidate[i] = value.max(space.low[i]).min(space.high[i]);
            }
            let value = objective(&candidate);
            if value < best_value || !best_value.is_finite() {
                best = candidate;
                best_value = value;
            }
        }
        centre = best;
        for width in &mut half_width {
            *width *= SHRINK;
        }
    }
    (best, best_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const D: usize>(target: [f64; D], tolerance: f64) {
        let space = SearchSpace { start: [0.5; D], low: [0.0; D], high: [1.0; D] };
        let distance = |p: &[f64; D]| p.iter().zip(&target).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let (point, value) = zoom(&space, distance);
        assert!((distance(&point) - value).abs() < 1e-15);
        assert!(value.sqrt() < tolerance, "{point:?} is {} from {target:?}", value.sqrt());
    }

    #[test]
    fn finds_the_minimum_of_a_bowl() {
        check([0.9], 0.01);
        check([0.2, 0.7], 0.05);
        check([0.2, 0.7, 0.45], 0.1);
        check([0.2, 0.7, 0.45, 0.6], 0.15);
    }

    #[test]
    fn stays_inside_the_box_and_counts_its_evaluations() {
        let space = SearchSpace { start: [2.0], low: [2.0], high: [3.0] };
        let mut evaluations = 0;
        let (point, _) = zoom(&space, |p| {
            evaluations += 1;
            assert!((2.0..=3.0).contains(&p[0]));
            p[0]
        });
        assert_eq!(evaluations, 97);
        assert!(point[0] < 2.01);
    }

    #[test]
    fn survives_an_objective_that_is_never_finite() {
        let space = SearchSpace { start: [0.5, 0.5], low: [0.0; 2], high: [1.0; 2] };
        let (point, value) = zoom(&space, |_| f64::NAN);
        assert!(point.iter().all(|p| (0.0..=1.0).contains(p)));
        assert!(value.is_nan());
    }
}
