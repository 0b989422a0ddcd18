use pulp::{Arch, Simd, WithSimd};

/// Lanes of the tree; a power of two.
const LANES: usize = 256;

/// The sum of the values in one fixed order: lane `l` adds values `l`, `l + 256`, …, and the lanes are then
/// added by halves. A block of 256 threads that reduces in shared memory makes the same roundings.
#[must_use]
pub fn tree_sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut lanes = [0.0; LANES];
    for (position, value) in values.into_iter().enumerate() {
        lanes[position % LANES] += value;
    }
    by_halves(lanes)
}

/// [`tree_sum`] of a function of each value and its weight, in the instruction set it is dispatched to.
pub(crate) fn weighted_sum(values: &[f64], weights: &[f64], function: impl Fn(f64, f64) -> f64) -> f64 {
    Arch::new().dispatch(WeightedSum { values, weights, function })
}

struct WeightedSum<'a, F> {
    values: &'a [f64],
    weights: &'a [f64],
    function: F,
}

impl<F: Fn(f64, f64) -> f64> WithSimd for WeightedSum<'_, F> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut lanes = [0.0; LANES];
        let (values, rest) = self.values.as_chunks::<LANES>();
        let (weights, weights_of_rest) = self.weights.as_chunks::<LANES>();
        for (values, weights) in values.iter().zip(weights) {
            for lane in 0..LANES {
                lanes[lane] += (self.function)(values[lane], weights[lane]);
            }
        }
        for ((lane, value), weight) in lanes.iter_mut().zip(rest).zip(weights_of_rest) {
            *lane += (self.function)(*value, *weight);
        }
        by_halves(lanes)
    }
}

#[inline(always)]
fn by_halves(mut lanes: [f64; LANES]) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        let (low, high) = lanes.split_at_mut(half);
        for (sum, other) in low.iter_mut().zip(high.iter()) {
            *sum += *other;
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_everything_once() {
        for count in [1_u32, 255, 256, 257, 4096] {
            let expected = f64::from(count) * (f64::from(count) - 1.0) / 2.0;
            assert_eq!(tree_sum((0..count).map(f64::from)).to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn weighted_and_plain_sums_take_the_same_order() {
        for count in [0, 1, 255, 256, 257, 1000] {
            let values: Vec<f64> = (0..count).map(|i| f64::from(i).sqrt()).collect();
            let weights: Vec<f64> = values.iter().map(|value| 1.0 / (value + 0.1)).collect();
            let plain = tree_sum(values.iter().zip(&weights).map(|(value, weight)| value * weight));
            let weighted = weighted_sum(&values, &weights, |value, weight| value * weight);
            assert_eq!(weighted.to_bits(), plain.to_bits());
        }
    }
}
