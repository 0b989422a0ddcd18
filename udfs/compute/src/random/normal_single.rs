use std::f32::consts::LN_2;

/// Logarithm of a positive, normal and finite number in single precision, to about one unit in its last place (the
/// polynomial of FreeBSD's `logf`).
#[inline(always)]
fn ln_single(x: f32) -> f32 {
    let bits = x.to_bits().wrapping_add(0x3F80_0000 - 0x3F35_04F3);
    let exponent = ((bits >> 23).cast_signed() - 127) as f32;
    let f = f32::from_bits((bits & 0x007F_FFFF).wrapping_add(0x3F35_04F3)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let tail = z * (0.666_666_6 + z * (0.400_009_72 + z * (0.284_987_87 + z * 0.242_790_79)));
    let half_square = 0.5 * f * f;
    exponent * LN_2 + (f - (half_square - s * (half_square + tail)))
}

/// The standard normal number that a random word names, in single precision, rising with the word: AS 241's PPND7 (see
/// [`super::normal_quantile`]) at the middle of the word's cell, exactly as often negative as positive. Within 2e-6
/// of the quantile in double precision.
///
/// Without branches, so that a loop over it becomes vector instructions; half as wide numbers are twice as many in
/// a vector.
#[must_use]
#[inline(always)]
pub fn normal_single(word: u32) -> f32 {
    let below = word.min(!word);
    let p = (below.cast_signed() as f32 + 0.5) * (1.0 / 4_294_967_296.0);
    let q = 0.5 - p;
    let r = 0.180_625 - q * q;
    let top = q * (((59.109_375 * r + 159.291_14) * r + 50.434_272) * r + 3.387_132_6);
    let bottom = ((67.187_56 * r + 78.757_76) * r + 17.895_17) * r + 1.0;
    let r = (-ln_single(p)).sqrt() - 1.6;
    let tail_top = ((0.170_238_21 * r + 1.306_728_5) * r + 2.756_815_4) * r + 1.423_437_2;
    let tail_bottom = (0.120_211_33 * r + 0.737_001_66) * r + 1.0;
    let central = q <= 0.425;
    let size = (if central { top } else { tail_top }) / (if central { bottom } else { tail_bottom });
    f32::from_bits(size.to_bits() ^ (!word & 0x8000_0000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{normal_quantile, uniform};

    #[test]
    fn is_the_quantile_of_the_word() {
        let mut before = f32::NEG_INFINITY;
        for word in (0..u32::MAX).step_by(9_973).chain([u32::MAX]) {
            let (found, expected) = (normal_single(word), normal_quantile(uniform(word)));
            assert!((f64::from(found) - expected).abs() < 2e-6, "{word}: {found} {expected}");
            assert!(found >= before - 2e-6, "{word}");
            assert_eq!(found.to_bits(), (-normal_single(!word)).to_bits(), "{word}");
            before = found;
        }
        for word in (0..100_000).chain(2_147_400_000..2_147_600_000) {
            let (found, expected) = (normal_single(word), normal_quantile(uniform(word)));
            assert!((f64::from(found) - expected).abs() < 2e-6, "{word}: {found} {expected}");
        }
    }

    /// Every backend must give these very bits, not merely close ones.
    #[test]
    fn keeps_exact_bits() {
        let bits = [0, 1, 77_777, 0x1333_3333, 0x7FFF_FFFF, 0x8000_0000, 0xC000_0000].map(normal_single);
        assert_eq!(format!("{:x?}", bits.map(f32::to_bits)), BITS);
    }

    const BITS: &str = "[c0cad08e, c0c55361, c0842bff, bfb84291, 80000000, 0, 3f2cab5c]";
}
