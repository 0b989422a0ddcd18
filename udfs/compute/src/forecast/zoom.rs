//! The parameter search that every fitted member shares.

use super::lanes::{LANES, Lanes};

/// Rounds; each looks around the best candidate so far.
pub const ROUNDS: usize = 3;
/// Half-width of a round's box relative to the round before.
pub const SHRINK: f64 = 0.35;
/// Most parameters of a search.
pub const MOST: usize = 4;

/// Roots of x^(d+1) = x + 1 for d = 1..4: the bases of the additive low-discrepancy sequence in d dimensions
/// (Roberts 2018).
const BASES: [f64; MOST] =
    [1.618_033_988_749_895, 1.324_717_957_244_746, 1.220_744_084_605_759_6, 1.167_303_978_261_418_7];

/// The sequence in -1..1, by number of dimensions, round and dimension.
static OFFSETS: [[[Lanes; MOST]; ROUNDS]; MOST] = offsets();

const fn offsets() -> [[[Lanes; MOST]; ROUNDS]; MOST] {
    let mut table = [[[Lanes::ZERO; MOST]; ROUNDS]; MOST];
    let mut dimensions = 1;
    while dimensions <= MOST {
        let mut stride = 1.0;
        let mut dimension = 0;
        while dimension < dimensions {
            stride /= BASES[dimensions - 1];
            let mut index = 0;
            let mut number = 0.0;
            while index < ROUNDS * LANES {
                let mut unit = 0.5 + stride * number;
                while unit >= 1.0 {
                    unit -= 1.0;
                }
                table[dimensions - 1][index / LANES][dimension].0[index % LANES] = 2.0 * unit - 1.0;
                index += 1;
                number += 1.0;
            }
            dimension += 1;
        }
        dimensions += 1;
    }
    table
}

/// One parameter of a search.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Coordinate {
    /// Where its search starts, which may lie outside the bounds.
    pub start: f64,
    /// Least value of any other candidate.
    pub low: f64,
    /// Largest value of any other candidate.
    pub high: f64,
}

/// The places of a search's candidates within its box, -1..1 in every dimension: by number of dimensions (from 1),
/// round, dimension and candidate, the last index the fastest.
#[must_use]
pub fn candidate_offsets() -> Vec<f64> {
    OFFSETS.iter().flatten().flatten().flat_map(|lanes| lanes.0).collect()
}

/// What is searched for.
pub(crate) trait Objective {
    /// The objective of 32 candidates; only as many coordinates are set as are searched. NaN counts as
    /// infinite.
    fn evaluate(&mut self, candidates: &[Lanes; MOST]) -> Lanes;

    /// Told after an evaluation that the candidate in `lane` is the best so far.
    fn keep(&mut self, lane: usize, candidates: &[Lanes; MOST]);
}

/// The smallest value of `objective` among 3 × 32 candidates, of which the first is the start. Infinite if
/// none is finite; nothing is kept then.
///
/// Deterministic. There are 1 to 4 coordinates.
#[inline(always)]
pub(crate) fn zoom(coordinates: &[Coordinate], objective: &mut impl Objective) -> f64 {
    let dimensions = coordinates.len().clamp(1, MOST);
    let mut best = f64::INFINITY;
    let mut centre = [0.0; MOST];
    let mut half_width = [0.0; MOST];
    for (i, coordinate) in coordinates.iter().enumerate().take(dimensions) {
        centre[i] = 0.5 * (coordinate.low + coordinate.high);
        half_width[i] = 0.5 * (coordinate.high - coordinate.low);
    }
    let mut candidates = [Lanes::ZERO; MOST];
    for (round, offsets) in OFFSETS[dimensions - 1].iter().enumerate() {
        for (i, coordinate) in coordinates.iter().enumerate().take(dimensions) {
            let (centre, half_width) = (centre[i], half_width[i]);
            for (value, offset) in candidates[i].0.iter_mut().zip(&offsets[i].0) {
                let free = centre + offset * half_width;
                let above = if free > coordinate.low { free } else { coordinate.low };
                *value = if above < coordinate.high { above } else { coordinate.high };
            }
            if round == 0 {
                candidates[i].0[0] = coordinate.start;
            }
        }
        let values = objective.evaluate(&candidates);
        let mut winner = None;
        for (lane, value) in values.0.iter().enumerate() {
            if *value < best {
                best = *value;
                winner = Some(lane);
            }
        }
        if let Some(lane) = winner {
            objective.keep(lane, &candidates);
            for (centre, candidate) in centre.iter_mut().zip(&candidates) {
                *centre = candidate.0[lane];
            }
        }
        for width in &mut half_width {
            *width *= SHRINK;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bowl<'a> {
        target: &'a [f64],
        evaluations: usize,
        kept: Option<[f64; MOST]>,
    }

    impl Objective for Bowl<'_> {
        fn evaluate(&mut self, candidates: &[Lanes; MOST]) -> Lanes {
            let mut values = Lanes::ZERO;
            for lane in 0..LANES {
                for (candidate, target) in candidates.iter().zip(self.target) {
                    assert!((0.0..=1.0).contains(&candidate.0[lane]));
                    values.0[lane] += (candidate.0[lane] - target) * (candidate.0[lane] - target);
                }
            }
            self.evaluations += LANES;
            values
        }

        fn keep(&mut self, lane: usize, candidates: &[Lanes; MOST]) {
            self.kept = Some(candidates.map(|c| c.0[lane]));
        }
    }

    fn search(target: &[f64]) -> (f64, Bowl<'_>) {
        let mut bowl = Bowl { target, evaluations: 0, kept: None };
        let unit = Coordinate { start: 0.5, low: 0.0, high: 1.0 };
        (zoom(&vec![unit; target.len()], &mut bowl), bowl)
    }

    #[test]
    fn finds_the_minimum_of_a_bowl() {
        let check = |target: &[f64], tolerance: f64| {
            let (value, bowl) = search(target);
            let kept = bowl.kept.expect("a distance is finite");
            let distance: f64 = kept.iter().zip(target).map(|(a, b)| (a - b) * (a - b)).sum();
            assert_eq!(distance, value);
            assert!(value.sqrt() < tolerance, "{kept:?} is {} from {target:?}", value.sqrt());
            assert_eq!(bowl.evaluations, 96);
        };
        check(&[0.9], 0.01);
        check(&[0.2, 0.7], 0.05);
        check(&[0.2, 0.7, 0.45], 0.1);
        check(&[0.2, 0.7, 0.45, 0.6], 0.15);
        check(&[5.0], 4.02);
    }

    #[test]
    fn an_objective_that_is_never_finite_keeps_nothing() {
        let (value, bowl) = search(&[f64::NAN]);
        assert_eq!(value, f64::INFINITY);
        assert!(bowl.kept.is_none());
    }

    #[test]
    fn the_start_is_a_candidate() {
        let mut bowl = Bowl { target: &[0.125], evaluations: 0, kept: None };
        let value = zoom(&[Coordinate { start: 0.125, low: 0.0, high: 1.0 }], &mut bowl);
        assert_eq!((value, bowl.kept.map(|k| k[0])), (0.0, Some(0.125)));
    }
}
