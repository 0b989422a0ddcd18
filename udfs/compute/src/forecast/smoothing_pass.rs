//! One pass of the exponential smoothing recursion (Hyndman et al. 2008) over a series, for 32 candidates.

use pulp::Simd;

use super::lanes::{LANES, Lanes};
use crate::random::{exponent_field, ln_normal};

/// What a forecast is made of, and how its one-step errors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// No season, additive errors.
    Plain,
    /// No season, errors relative to the forecast.
    PlainRelative,
    /// A season added to the level, additive errors.
    AdditiveSeason,
    /// A season multiplied with the level, errors relative to the forecast.
    MultiplicativeSeason,
}

impl Form {
    /// Whether there is a factor for every place in the season.
    #[must_use]
    pub const fn has_season(self) -> bool {
        matches!(self, Self::AdditiveSeason | Self::MultiplicativeSeason)
    }

    /// Whether errors count relative to the forecast.
    #[must_use]
    pub const fn is_relative(self) -> bool {
        matches!(self, Self::PlainRelative | Self::MultiplicativeSeason)
    }
}

/// Forms as constant parameters.
pub(crate) const PLAIN: u8 = 0;
pub(crate) const PLAIN_RELATIVE: u8 = 1;
pub(crate) const ADDITIVE_SEASON: u8 = 2;
pub(crate) const MULTIPLICATIVE_SEASON: u8 = 3;

/// Smoothing parameters: of one candidate (`f64`) or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Smoothing<T> {
    /// Share of a one-step error that goes into the level.
    pub level: T,
    /// Share of a one-step error that goes into the slope.
    pub slope: T,
    /// Share of a one-step error that goes into the season.
    pub season: T,
    /// What is left of the slope after a step.
    pub damping: T,
}

impl Smoothing<Lanes> {
    pub(crate) fn lane(&self, lane: usize) -> Smoothing<f64> {
        Smoothing {
            level: self.level.0[lane],
            slope: self.slope.0[lane],
            season: self.season.0[lane],
            damping: self.damping.0[lane],
        }
    }
}

/// Where a pass leaves the candidates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Sum of squared errors.
    pub(crate) squared: Lanes,
    /// The product of the forecasts' sizes is `mantissa × 2^exponent` (only where errors are relative).
    pub(crate) mantissa: Lanes,
    pub(crate) exponent: Lanes,
    pub(crate) level: Lanes,
    pub(crate) slope: Lanes,
}

impl Outcome {
    pub(crate) const ZERO: Self = Self {
        squared: Lanes::ZERO,
        mantissa: Lanes::splat(1.0),
        exponent: Lanes::ZERO,
        level: Lanes::ZERO,
        slope: Lanes::ZERO,
    };
}

/// Registers worked on together: enough to hide the latency of the recursion.
const TOGETHER: usize = 4;
/// Steps after which the product of the forecasts is brought back into 1..2.
const STEPS_PER_PRODUCT: usize = 8;

/// Runs all candidates through `values` from `level`, `slope` and the seasonal factors in `ring`, where the
/// last factors are left.
///
/// A product of eight forecasts beyond the range of a double is taken as the nearest power of two in it.
#[inline(always)]
pub(crate) fn pass<S: Simd, const FORM: u8, const TREND: bool>(
    simd: S,
    values: &[f64],
    (level, slope): (f64, f64),
    smoothing: &Smoothing<Lanes>,
    ring: &mut [Lanes],
    outcome: &mut Outcome,
) {
    let seasonal = FORM == ADDITIVE_SEASON || FORM == MULTIPLICATIVE_SEASON;
    let relative = FORM == PLAIN_RELATIVE || FORM == MULTIPLICATIVE_SEASON;
    let width = S::F64_LANES * TOGETHER;
    let load = |lanes: &Lanes, first: usize| -> [S::f64s; TOGETHER] {
        let registers = &S::as_simd_f64s(&lanes.0[first..first + width]).0[..TOGETHER];
        std::array::from_fn(|k| registers[k])
    };
    let store = |lanes: &mut Lanes, first: usize, from: &[S::f64s; TOGETHER]| {
        let registers = &mut S::as_mut_simd_f64s(&mut lanes.0[first..first + width]).0[..TOGETHER];
        registers.copy_from_slice(from);
    };
    for first in (0..LANES).step_by(width) {
        let alpha = load(&smoothing.level, first);
        let beta = load(&smoothing.slope, first);
        let gamma = load(&smoothing.season, first);
        let damping = load(&smoothing.damping, first);
        let mut level = [simd.splat_f64s(level); TOGETHER];
        let mut slope = [simd.splat_f64s(slope); TOGETHER];
        let mut squared = [simd.splat_f64s(0.0); TOGETHER];
        let mut exponent = [simd.splat_f64s(0.0); TOGETHER];
        let mut product = [simd.splat_f64s(1.0); TOGETHER];
        let mut place = 0;
        for chunk in values.chunks(STEPS_PER_PRODUCT) {
            for value in chunk {
                let value = simd.splat_f64s(*value);
                let mut factors = [value; TOGETHER];
                if seasonal {
                    factors = load(&ring[place], first);
                }
                for k in 0..TOGETHER {
                    let damped = if TREND { simd.mul_f64s(damping[k], slope[k]) } else { slope[k] };
                    let base = if TREND { simd.add_f64s(level[k], damped) } else { level[k] };
                    let (forecast, error) = match FORM {
                        MULTIPLICATIVE_SEASON => {
                            let forecast = simd.mul_f64s(base, factors[k]);
                            (forecast, simd.sub_f64s(value, forecast))
                        }
                        ADDITIVE_SEASON => (base, simd.sub_f64s(simd.sub_f64s(value, factors[k]), base)),
                        _ => (base, simd.sub_f64s(value, base)),
                    };
                    let mut counted = error;
                    if relative {
                        counted = simd.div_f64s(error, forecast);
                        product[k] = simd.mul_f64s(product[k], simd.abs_f64s(forecast));
                    }
                    squared[k] = simd.add_f64s(squared[k], simd.mul_f64s(counted, counted));
                    // (y / factor - base) and (y / base - factor) without their divisions.
                    let (of_level, of_season) = if FORM == MULTIPLICATIVE_SEASON {
                        (simd.mul_f64s(base, counted), simd.mul_f64s(factors[k], counted))
                    } else {
                        (error, error)
                    };
                    level[k] = simd.add_f64s(base, simd.mul_f64s(alpha[k], of_level));
                    if TREND {
                        slope[k] = simd.add_f64s(damped, simd.mul_f64s(beta[k], of_level));
                    }
                    if seasonal {
                        factors[k] = simd.add_f64s(factors[k], simd.mul_f64s(gamma[k], of_season));
                    }
                }
                if seasonal {
                    store(&mut ring[place], first, &factors);
                    place = if place + 1 == ring.len() { 0 } else { place + 1 };
                }
            }
            if relative {
                store(&mut outcome.mantissa, first, &product);
                store(&mut outcome.exponent, first, &exponent);
                normalise(
                    &mut outcome.mantissa.0[first..first + width],
                    &mut outcome.exponent.0[first..first + width],
                );
                product = load(&outcome.mantissa, first);
                exponent = load(&outcome.exponent, first);
            }
        }
        store(&mut outcome.squared, first, &squared);
        store(&mut outcome.level, first, &level);
        store(&mut outcome.slope, first, &slope);
    }
}

/// Moves the binary exponents of positive numbers out of them.
#[inline(always)]
fn normalise(mantissas: &mut [f64], exponents: &mut [f64]) {
    for (mantissa, exponent) in mantissas.iter_mut().zip(exponents) {
        let bits = mantissa.to_bits();
        *exponent += exponent_field(bits) - 1023.0;
        *mantissa = f64::from_bits(bits & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000);
    }
}

/// Objective of a pass without any error.
const PERFECT: f64 = -1e9;

impl Outcome {
    /// What the search minimises: the likelihood where errors are relative, else the sum of squares, which
    /// orders the candidates in the same way and needs no logarithm.
    #[inline(always)]
    pub(crate) fn ranks(&self, relative: bool, n: f64) -> Lanes {
        let mut ranks = Lanes::ZERO;
        for lane in 0..LANES {
            let value = if relative { self.minus_two_log_likelihood(lane, n) } else { self.squared.0[lane] };
            ranks.0[lane] = if self.level.0[lane].abs() < f64::INFINITY { value } else { f64::INFINITY };
        }
        ranks
    }

    /// −2 log-likelihood of `n` values up to a constant; infinite where it cannot be told.
    #[inline(always)]
    pub(crate) fn minus_two_log_likelihood(&self, lane: usize, n: f64) -> f64 {
        let variance = self.squared.0[lane] / n;
        let told = (f64::MIN_POSITIVE..=f64::MAX).contains(&variance);
        let errors = ln_normal(if told { variance } else { 1.0 }, 0.0);
        let forecasts =
            ln_normal(self.mantissa.0[lane], 0.0) + self.exponent.0[lane] * std::f64::consts::LN_2;
        let value = n * errors + 2.0 * forecasts;
        if told {
            value
        } else if variance < f64::MIN_POSITIVE {
            PERFECT
        } else {
            f64::INFINITY
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulp::WithSimd;

    use super::super::lanes::instruction_sets;
    use super::super::series_strategy::values;
    use super::*;

    struct Call<'a, const FORM: u8, const TREND: bool> {
        values: &'a [f64],
        start: (f64, f64),
        smoothing: &'a Smoothing<Lanes>,
        factors: &'a [f64],
    }

    impl<const FORM: u8, const TREND: bool> WithSimd for Call<'_, FORM, TREND> {
        type Output = (Outcome, Vec<Lanes>);

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut ring: Vec<Lanes> = self.factors.iter().map(|f| Lanes::splat(*f)).collect();
            let mut outcome = Outcome::ZERO;
            pass::<S, FORM, TREND>(simd, self.values, self.start, self.smoothing, &mut ring, &mut outcome);
            (outcome, ring)
        }
    }

    /// The recursion for one candidate, in plain code.
    fn plain<const FORM: u8, const TREND: bool>(
        call: &Call<'_, FORM, TREND>,
        lane: usize,
    ) -> ([f64; 5], Vec<f64>) {
        let [alpha, beta, gamma, damping] =
            [&call.smoothing.level, &call.smoothing.slope, &call.smoothing.season, &call.smoothing.damping]
                .map(|lanes| lanes.0[lane]);
        let (mut level, mut slope) = call.start;
        let mut factors = call.factors.to_vec();
        let (mut squared, mut product, mut exponent) = (0.0, 1.0_f64, 0.0);
        for (t, value) in call.values.iter().enumerate() {
            let place = t % factors.len().max(1);
            let damped = if TREND { damping * slope } else { slope };
            let base = if TREND { level + damped } else { level };
            let mut of_level = value - base;
            let mut of_season = 0.0;
            match FORM {
                PLAIN => squared += of_level * of_level,
                PLAIN_RELATIVE => {
                    squared += of_level / base * (of_level / base);
                    product *= base.abs();
                }
                ADDITIVE_SEASON => {
                    of_level = value - factors[place] - base;
                    of_season = of_level;
                    squared += of_level * of_level;
                }
                _ => {
                    let forecast = base * factors[place];
                    let share = (value - forecast) / forecast;
                    (of_level, of_season) = (base * share, factors[place] * share);
                    squared += share * share;
                    product *= forecast.abs();
                }
            }
            level = base + alpha * of_level;
            if TREND {
                slope = damped + beta * of_level;
            }
            if let Some(factor) = factors.get_mut(place) {
                *factor += gamma * of_season;
            }
            if t % STEPS_PER_PRODUCT == STEPS_PER_PRODUCT - 1 || t == call.values.len() - 1 {
                normalise(std::slice::from_mut(&mut product), std::slice::from_mut(&mut exponent));
            }
        }
        ([squared, level, slope, product, exponent], factors)
    }

    fn same(a: f64, b: f64) -> bool {
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }

    fn check<const FORM: u8, const TREND: bool>(
        values: &[f64],
        start: (f64, f64),
        smoothing: &Smoothing<Lanes>,
        factors: &[f64],
    ) -> Result<(), TestCaseError> {
        let call = || Call::<FORM, TREND> { values, start, smoothing, factors };
        for arch in instruction_sets() {
            let (outcome, ring) = arch.dispatch(call());
            for lane in 0..LANES {
                let (expected, factors) = plain(&call(), lane);
                let Outcome { squared, mantissa, exponent, level, slope } = &outcome;
                let relative = FORM == PLAIN_RELATIVE || FORM == MULTIPLICATIVE_SEASON;
                // The product of a pass that diverged is not looked at.
                let compared = if relative && !expected[0].is_nan() { 5 } else { 3 };
                for (lanes, expected) in
                    [squared, level, slope, mantissa, exponent].into_iter().zip(expected).take(compared)
                {
                    prop_assert!(same(lanes.0[lane], expected), "{arch:?} {FORM} {TREND} {lane}");
                }
                for (row, factor) in ring.iter().zip(&factors) {
                    prop_assert!(same(row.0[lane], *factor), "{arch:?} {FORM} {TREND} {lane}");
                }
            }
        }
        Ok(())
    }

    fn lanes(low: f64, high: f64) -> impl Strategy<Value = Lanes> {
        prop::collection::vec(low..high, LANES).prop_map(|v| Lanes(std::array::from_fn(|i| v[i])))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_lane_on_every_instruction_set_is_the_plain_recursion(
            values in values(60),
            start in (-2.0..2.0_f64, -0.1..0.1_f64),
            level in lanes(0.0, 1.0),
            slope in lanes(0.0, 1.0),
            season in lanes(0.0, 1.0),
            damping in lanes(0.8, 1.0),
            factors in prop::collection::vec(0.1..2.0_f64, 1..14),
        ) {
            let smoothing = Smoothing { level, slope, season, damping };
            check::<PLAIN, false>(&values, start, &smoothing, &[])?;
            check::<PLAIN, true>(&values, start, &smoothing, &[])?;
            check::<PLAIN_RELATIVE, false>(&values, start, &smoothing, &[])?;
            check::<PLAIN_RELATIVE, true>(&values, start, &smoothing, &[])?;
            check::<ADDITIVE_SEASON, false>(&values, start, &smoothing, &factors)?;
            check::<ADDITIVE_SEASON, true>(&values, start, &smoothing, &factors)?;
            check::<MULTIPLICATIVE_SEASON, false>(&values, start, &smoothing, &factors)?;
            check::<MULTIPLICATIVE_SEASON, true>(&values, start, &smoothing, &factors)?;
        }
    }

    #[test]
    fn normalising_keeps_the_product() {
        let (mut mantissas, mut exponents) = ([12.0, 0.375, 1.0, 1e300], [5.0; 4]);
        let before = mantissas;
        normalise(&mut mantissas, &mut exponents);
        for ((mantissa, exponent), before) in mantissas.into_iter().zip(exponents).zip(before) {
            assert!((1.0..2.0).contains(&mantissa));
            assert_eq!(mantissa * 2.0_f64.powf(exponent - 5.0), before);
        }
    }

    #[test]
    fn the_likelihood_of_a_perfect_a_diverged_and_a_plain_pass() {
        let mut outcome = Outcome::ZERO;
        outcome.squared.0[..4].copy_from_slice(&[0.0, f64::INFINITY, f64::NAN, 8.0]);
        (outcome.mantissa.0[3], outcome.exponent.0[3]) = (1.5, 3.0);
        let at = |lane| outcome.minus_two_log_likelihood(lane, 4.0);
        assert_eq!((at(0), at(1), at(2)), (PERFECT, f64::INFINITY, f64::INFINITY));
        assert!((at(3) - (4.0 * 2.0_f64.ln() + 2.0 * 12.0_f64.ln())).abs() < 1e-12);
    }
}
