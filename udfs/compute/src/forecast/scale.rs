//! Brings a series to the order of one.

/// The power of two at or below the mean absolute value; 1 for a series of zeros.
///
/// A power of two, so that dividing by it and multiplying again gives the same bits: a seasonal naive
/// forecast repeats the very numbers it was given.
pub(crate) fn power_of_two_scale(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return 1.0;
    }
    let relative = values.iter().map(|v| v.abs() / largest).sum::<f64>() / values.len() as f64;
    let size = (largest * relative).max(f64::MIN_POSITIVE);
    let exponent_alone = size.to_bits() & 0x7ff0_0000_0000_0000;
    f64::from_bits(exponent_alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_power_of_two_at_or_below_the_mean() {
        let check = |values: &[f64], expected: f64| assert_eq!(power_of_two_scale(values), expected);
        check(&[0.0, 0.0], 1.0);
        check(&[5.0, -5.0], 4.0);
        check(&[0.3], 0.25);
        check(&[f64::MAX, -f64::MAX], 2.0_f64.powi(1023));
        check(&[5e-324], f64::MIN_POSITIVE);
    }

    #[test]
    fn gives_back_the_same_bits() {
        for value in [1.1, -3.7e12, 2.3e-200, 1e300] {
            let scale = power_of_two_scale(&[value]);
            assert_eq!((value / scale * scale).to_bits(), value.to_bits());
        }
    }
}
