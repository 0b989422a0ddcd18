//! One pass of the Dynamic Theta recursion over a series, for 32 candidates.

use pulp::Simd;

use super::lanes::{LANES, Lanes};
use super::running_line::RunningLine;

/// One-step errors before this index are not counted: the running line has no slope yet.
const WARM_UP: usize = 3;
/// Registers worked on together: enough to hide the latency of the recursion.
const TOGETHER: usize = 4;

/// Parameters and state of the Dynamic Theta model: of one candidate (`f64`) or of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Theta<T> {
    /// Share of a value that goes into the level.
    pub alpha: T,
    /// Weight of the line: 1 − 1/θ.
    pub line_weight: T,
    /// The level after the last value.
    pub level: T,
    /// (1 − α) to the power of the values seen.
    pub decay: T,
}

impl Theta<Lanes> {
    pub(crate) fn splat(one: Theta<f64>) -> Self {
        Self {
            alpha: Lanes::splat(one.alpha),
            line_weight: Lanes::splat(one.line_weight),
            level: Lanes::splat(one.level),
            decay: Lanes::splat(one.decay),
        }
    }

    pub(crate) fn lane(&self, lane: usize) -> Theta<f64> {
        Theta {
            alpha: self.alpha.0[lane],
            line_weight: self.line_weight.0[lane],
            level: self.level.0[lane],
            decay: self.decay.0[lane],
        }
    }
}

impl Theta<f64> {
    /// The one-step forecast.
    pub(crate) fn next(&self, line: &RunningLine) -> f64 {
        let decay = self.decay * (1.0 - self.alpha);
        let line = line.intercept * self.decay + line.slope * ((1.0 - decay) * (1.0 / self.alpha));
        self.level + self.line_weight * line
    }

    pub(crate) fn update(&mut self, value: f64) {
        self.level = self.alpha * value + (1.0 - self.alpha) * self.level;
        self.decay *= 1.0 - self.alpha;
    }
}

/// Runs all candidates from their initial levels through `values` and gives the sums of their squared one-step
/// errors. `lines` are intercept and slope before each value but the first.
#[inline(always)]
pub(crate) fn pass<S: Simd>(
    simd: S,
    values: &[f64],
    lines: &[(f64, f64)],
    state: &mut Theta<Lanes>,
) -> Lanes {
    let width = S::F64_LANES * TOGETHER;
    let load = |lanes: &Lanes, first: usize| -> [S::f64s; TOGETHER] {
        let registers = &S::as_simd_f64s(&lanes.0[first..first + width]).0[..TOGETHER];
        std::array::from_fn(|k| registers[k])
    };
    let store = |lanes: &mut Lanes, first: usize, from: &[S::f64s; TOGETHER]| {
        let registers = &mut S::as_mut_simd_f64s(&mut lanes.0[first..first + width]).0[..TOGETHER];
        registers.copy_from_slice(from);
    };
    let mut sums = Lanes::ZERO;
    let one = simd.splat_f64s(1.0);
    let start = simd.splat_f64s(values[0]);
    for first in (0..LANES).step_by(width) {
        let alpha = load(&state.alpha, first);
        let line_weight = load(&state.line_weight, first);
        let keep = alpha.map(|alpha| simd.sub_f64s(one, alpha));
        let inverse = alpha.map(|alpha| simd.div_f64s(one, alpha));
        let mut level = load(&state.level, first);
        let mut decay = keep;
        for k in 0..TOGETHER {
            level[k] = simd.add_f64s(simd.mul_f64s(alpha[k], start), simd.mul_f64s(keep[k], level[k]));
        }
        let mut squared = [simd.splat_f64s(0.0); TOGETHER];
        for (index, (value, (intercept, slope))) in values[1..].iter().zip(lines).enumerate() {
            let value = simd.splat_f64s(*value);
            let (intercept, slope) = (simd.splat_f64s(*intercept), simd.splat_f64s(*slope));
            let counts = index + 1 >= WARM_UP;
            for k in 0..TOGETHER {
                let next_decay = simd.mul_f64s(decay[k], keep[k]);
                let risen = simd.mul_f64s(simd.sub_f64s(one, next_decay), inverse[k]);
                let line = simd.add_f64s(simd.mul_f64s(intercept, decay[k]), simd.mul_f64s(slope, risen));
                let forecast = simd.add_f64s(level[k], simd.mul_f64s(line_weight[k], line));
                let error = simd.sub_f64s(value, forecast);
                if counts {
                    squared[k] = simd.add_f64s(squared[k], simd.mul_f64s(error, error));
                }
                level[k] = simd.add_f64s(simd.mul_f64s(alpha[k], value), simd.mul_f64s(keep[k], level[k]));
                decay[k] = next_decay;
            }
        }
        store(&mut sums, first, &squared);
        store(&mut state.level, first, &level);
        store(&mut state.decay, first, &decay);
    }
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulp::WithSimd;

    use super::super::lanes::instruction_sets;
    use super::super::series_strategy::values;
    use super::*;

    struct Call<'a>(&'a [f64], &'a [(f64, f64)], Theta<Lanes>);

    impl WithSimd for Call<'_> {
        type Output = (Lanes, Theta<Lanes>);

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) -> Self::Output {
            (pass(simd, self.0, self.1, &mut self.2), self.2)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_lane_on_every_instruction_set_is_the_plain_recursion(
            values in values(60),
            parameters in prop::collection::vec((0.1..0.99_f64, 0.0..0.95_f64, -2.0..2.0_f64), LANES),
        ) {
            let mut line = RunningLine::new(values[0]);
            let mut lines = Vec::new();
            for value in &values[1..] {
                lines.push((line.intercept, line.slope));
                line.update(*value);
            }
            let mut start = Theta::splat(Theta { alpha: 0.0, line_weight: 0.0, level: 0.0, decay: 1.0 });
            for (lane, (alpha, line_weight, level)) in parameters.iter().enumerate() {
                start.alpha.0[lane] = *alpha;
                start.line_weight.0[lane] = *line_weight;
                start.level.0[lane] = *level;
            }
            for arch in instruction_sets() {
                let (sums, end) = arch.dispatch(Call(&values, &lines, start));
                for lane in 0..LANES {
                    let mut state = start.lane(lane);
                    let mut line = RunningLine::new(values[0]);
                    state.update(values[0]);
                    let mut squared = 0.0;
                    for (t, value) in values.iter().enumerate().skip(1) {
                        let error = value - state.next(&line);
                        if t >= WARM_UP {
                            squared += error * error;
                        }
                        state.update(*value);
                        line.update(*value);
                    }
                    let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
                    prop_assert!(same(sums.0[lane], squared), "{arch:?} {lane}: {} {squared}", sums.0[lane]);
                    prop_assert!(same(end.lane(lane).level, state.level), "{arch:?} {lane}");
                    prop_assert!(same(end.lane(lane).decay, state.decay), "{arch:?} {lane}");
                }
            }
        }
    }
}
