//! One pass of the exponential smoothing recursion (Hyndman et al. 2008) over a series, for 32 candidates.

use pulp::Simd;

use super::lanes::{LANES, Lanes};
use crate::random::{exponent_field, ln_normal};

/// What a forecast is made of, and how its one-step errors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
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
    pub(crate) const fn has_season(self) -> bool {
        matches!(self, Self::AdditiveSeason | Self::MultiplicativeSeason)
    }

    pub(crate) const fn is_relative(self) -> bool {
        matches!(self, Self::PlainRelative | Self::MultiplicativeSeason)
    }
}

/// Forms as constant parameters.
pub(crate) const PLAIN: u8 = 0;
pub(crate) const PLAIN_RELATIVE: u8 = 1;
pub(crate) const ADDITIVE_SEASON: u8 = 2;
pub(crate) const MULTIPLICATIVE_SEASON: u8 = 3;

/// Smoothing parameters of the candidates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Smoothing {
    pub(crate) level: Lanes,
    /// Share of a one-step error that goes into the slope.
    pub(crate) slope: Lanes,
    pub(crate) season: Lanes,
    pub(crate) damping: Lanes,
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
    smoothing: &Smoothing,
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
