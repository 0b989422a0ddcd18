//! The exact sums that a variance is computed from.

use arrow::datatypes::i256;

/// Of whole numbers of 64 bits. They are the same in whatever order numbers are added and parts are put together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) count: u64,
    pub(super) sum: i128,
    pub(super) squares: i256,
}

impl Sums {
    pub(super) fn of(values: &[i64]) -> Self {
        /// Of numbers with no more bits than `BITS`, the squares of so many have a sum of 127.
        const MOST: usize = 1 << 20;
        const BITS: u32 = 53;
        let mut sums = Self::default();
        for values in values.chunks(MOST) {
            let bits = values.iter().fold(0, |bits, value| bits | (value ^ (value >> 63)));
            let mut part = Self { count: u64::try_from(values.len()).unwrap_or(u64::MAX), ..Self::default() };
            if i64::BITS - bits.leading_zeros() <= BITS {
                let (sum, squares) = values.iter().fold((0_i128, 0_i128), |(sum, squares), value| {
                    let value = i128::from(*value);
                    (sum + value, squares + value * value)
                });
                (part.sum, part.squares) = (sum, i256::from_i128(squares));
            } else {
                part = values.iter().map(|value| Self::of_one(*value)).fold(Self::default(), Self::and);
            }
            sums = sums.and(part);
        }
        sums
    }

    pub(super) fn of_one(value: i64) -> Self {
        let value = i128::from(value);
        Self { count: 1, sum: value, squares: i256::from_i128(value * value) }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            count: self.count.wrapping_add(other.count),
            sum: self.sum.wrapping_add(other.sum),
            squares: self.squares.wrapping_add(other.squares),
        }
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self {
            count: self.count.wrapping_sub(other.count),
            sum: self.sum.wrapping_sub(other.sum),
            squares: self.squares.wrapping_sub(other.squares),
        }
    }

    /// `(n Σx² − (Σx)²) / n²`, or over `n (n − 1)` of a sample; rounded twice. None of too few numbers.
    pub(super) fn variance(self, sample: bool) -> Option<f64> {
        let (count, least) = (i128::from(self.count), if sample { 2 } else { 1 });
        if count < least {
            return None;
        }
        let sum = i256::from_i128(self.sum);
        let spread = i256::from_i128(count).wrapping_mul(self.squares).wrapping_sub(sum.wrapping_mul(sum));
        let pairs =
            i256::from_i128(count).wrapping_mul(i256::from_i128(if sample { count - 1 } else { count }));
        Some(as_float(spread) / as_float(pairs))
    }
}

fn as_float(number: i256) -> f64 {
    let (low, high) = number.to_parts();
    match high {
        0 => low as f64,
        _ => high as f64 * 2_f64.powi(128) + low as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_small_numbers_are_summed_alike() {
        let values: Vec<i64> =
            (0..1000).map(|row| (row * 7919 % 1009 - 500) << 20).chain([1 << 52, -(1 << 52)]).collect();
        let one_by_one = values.iter().map(|value| Sums::of_one(*value)).fold(Sums::default(), Sums::and);
        assert_eq!(Sums::of(&values), one_by_one);
        let extreme = [i64::MIN, i64::MAX, i64::MIN, i64::MIN];
        let sums = Sums::of(&extreme);
        assert_eq!(sums, extreme.iter().map(|value| Sums::of_one(*value)).fold(Sums::default(), Sums::and));
        assert_eq!(sums.without(Sums::of(&extreme[1..])), Sums::of_one(i64::MIN));
        // Three at one end and one at the other: 3/16 of the distance squared.
        assert_eq!(sums.variance(false), Some(2_f64.powi(128) * 3.0 / 16.0));
    }

    #[test]
    fn a_mean_far_away_costs_no_digits() {
        let values = [1_000_000_000_000_001, 1_000_000_000_000_002, 1_000_000_000_000_003];
        assert_eq!(Sums::of(&values).variance(true), Some(1.0));
        assert_eq!(Sums::of(&values).variance(false), Some(2.0 / 3.0));
        assert_eq!(Sums::of(&values[..1]).variance(false), Some(0.0));
        assert_eq!(Sums::of(&values[..1]).variance(true), None);
        assert_eq!(Sums::default().variance(false), None);
    }
}
