//! The elementary functions and random numbers of many draws at once, bit for bit those of one at a time.
//!
//! Everything is a loop without branches over arrays, which becomes vector instructions inside a function
//! compiled for them. Vectors change nothing: every lane takes the same IEEE operations, never fused.

use std::f64::consts::LOG2_E;

use super::elementary::{EXP, LN_2_HIGH, LN_2_LOW, ROUNDING, ln_normal, multiply_add, polynomial};
use super::{RowKey, normal_single, philox4x32_10};

/// Draws worked on together.
pub(crate) const LANES: usize = 128;

/// A number for each of the draws worked on together.
pub(crate) type Block = [f64; LANES];

/// A random word for each of them.
pub(crate) type Words = [u32; LANES];

/// [`super::exp`] without branches.
#[inline(always)]
pub(crate) fn exp_lane(x: f64) -> f64 {
    let shifted = multiply_add(x, LOG2_E, ROUNDING);
    let power = shifted - ROUNDING;
    let r = multiply_add(power, -LN_2_HIGH, x);
    let r = multiply_add(power, -LN_2_LOW, r);
    let tail = r * r * multiply_add(polynomial(&EXP, r), r, 0.5);
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    let value = (1.0 + (r + tail)) * scale;
    let value = if x < -708.0 { 0.0 } else { value };
    if x > 709.0 { f64::INFINITY } else { value }
}

/// [`super::ln`] without branches.
#[inline(always)]
pub(crate) fn ln_lane(x: f64) -> f64 {
    let small = x < f64::MIN_POSITIVE;
    let scaled = if small { x * 18_014_398_509_481_984.0 } else { x };
    let value = ln_normal(scaled, if small { -54.0 } else { 0.0 });
    let value = if x < f64::INFINITY { value } else { x };
    let value = if x >= 0.0 { value } else { f64::NAN };
    if x == 0.0 { f64::NEG_INFINITY } else { value }
}

/// The random words of these draws for one purpose and step.
#[inline(always)]
pub(crate) fn words(key: RowKey, draws: &[u32], purpose: u32, step: u32, out: &mut [Words; 4]) {
    let [first, second, third, fourth] = out;
    let lanes = first.iter_mut().zip(second).zip(third).zip(fourth);
    for (draw, (((first, second), third), fourth)) in draws.iter().zip(lanes) {
        [*first, *second, *third, *fourth] = philox4x32_10([*draw, purpose, step, 0], key.words());
    }
}

/// The standard normal numbers that the first words name.
#[inline(always)]
pub(crate) fn normals(words: &Words, count: usize, out: &mut [f32; LANES]) {
    for (normal, word) in out.iter_mut().zip(words).take(count) {
        *normal = normal_single(*word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{exp, ln};

    fn same(found: f64, expected: f64, at: f64) {
        assert!(found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()), "{at}");
    }

    #[test]
    fn lanes_have_the_bits_of_the_plain_functions() {
        let edges = [0.0, -0.0, -1.0, 5e-324, 1e-310, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY];
        let edges = edges.into_iter().chain([f64::NEG_INFINITY, f64::NAN, -708.0, -708.1, 709.0, 709.1]);
        let spread = (0..200_000_u32).map(|i| (f64::from(i) * 0.0071 - 710.0) * 1.01);
        for x in edges.chain(spread) {
            same(exp_lane(x), exp(x), x);
            same(ln_lane(x), ln(x), x);
            same(ln_lane(exp(x)), ln(exp(x)), x);
        }
    }
}
