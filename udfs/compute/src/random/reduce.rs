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
}
