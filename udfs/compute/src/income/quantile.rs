/// Buckets of the size of amounts: one for zero, then 32 for each doubling, from 1 on.
const BUCKETS: usize = 1 + 48 * 32;
/// Bits of a number below those that name its bucket.
const BELOW: u32 = 47;
/// The first bucket, as numbers name it.
const FIRST: u64 = 1.0_f64.to_bits() >> BELOW;

/// Quantiles by percent of values that are not negative, weighted in whole units: the smallest value that at least
/// that percentage of the weight does not exceed. Zero where nothing weighs anything.
///
/// The bits of a positive number, read as a whole number, order as it does, so the first of them are a bucket: only
/// those with a quantile in them are sorted. Sums of whole units are exact: the answer is the one that sorting all
/// values gives.
pub(super) fn weighted_quantiles<const N: usize>(
    values: &[f64],
    units: &[u32],
    percents: [u64; N],
) -> [f64; N] {
    let mut weight_of = [0_u64; BUCKETS];
    for (value, weight) in values.iter().zip(units) {
        weight_of[bucket(*value)] += u64::from(*weight);
    }
    let total: u64 = weight_of.iter().sum();
    let reaches = |weight: u64, percent: u64| weight * 100 >= total * percent;
    // The bucket in which each quantile lies, and the weight below it.
    let places = percents.map(|percent| {
        let (mut reached, mut place) = (0, 0);
        while place < BUCKETS - 1 && !reaches(reached + weight_of[place], percent) {
            reached += weight_of[place];
            place += 1;
        }
        (place, reached)
    });
    let mut inside: Vec<(usize, u64, u32)> = Vec::with_capacity(values.len() / 8 + 8);
    for (value, weight) in values.iter().zip(units) {
        let bucket = bucket(*value);
        if bucket > 0 && places.iter().any(|(place, _)| *place == bucket) {
            inside.push((bucket, value.to_bits(), *weight));
        }
    }
    inside.sort_unstable();
    let mut quantiles = [0.0; N];
    for ((quantile, (place, mut reached)), percent) in quantiles.iter_mut().zip(places).zip(percents) {
        let mut last = 0;
        for (_, value, weight) in inside.iter().filter(|(bucket, ..)| *bucket == place) {
            // What weighs nothing is no quantile, not even the last one.
            last = if *weight > 0 { *value } else { last };
            reached += u64::from(*weight);
            if total > 0 && reaches(reached, percent) {
                break;
            }
        }
        *quantile = f64::from_bits(last);
    }
    quantiles
}

/// What is below one lies in the second, what is beyond the last in that.
#[inline(always)]
fn bucket(value: f64) -> usize {
    let above = (value.to_bits() >> BELOW).saturating_sub(FIRST).min(BUCKETS as u64 - 2) as usize;
    above + usize::from(value > 0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, proptest};

    use super::weighted_quantiles;

    const PERCENTS: [u64; 5] = [1, 10, 50, 90, 100];

    fn by_sorting(values: &[f64], units: &[u32]) -> [f64; 5] {
        let mut weighted: Vec<(f64, u64)> = values
            .iter()
            .copied()
            .zip(units.iter().map(|unit| u64::from(*unit)))
            .filter(|(_, weight)| *weight > 0)
            .collect();
        weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: u64 = weighted.iter().map(|(_, weight)| weight).sum();
        PERCENTS.map(|percent| {
            let mut reached = 0;
            let found = weighted.iter().find(|(_, weight)| {
                reached += weight;
                reached * 100 >= total * percent
            });
            found.map_or(0.0, |(value, _)| *value)
        })
    }

    proptest! {
        #[test]
        fn are_those_of_sorting(
            exponents in prop::collection::vec((-300.0_f64..300.0, 0_u32..5), 0..300),
            close in prop::collection::vec((1.0_f64..1.001, 0_u32..2_147_483_649), 0..300),
            zeros in 0_usize..50,
        ) {
            let mut rows: Vec<(f64, u32)> = exponents.iter().map(|(x, weight)| (x.exp(), *weight)).collect();
            rows.extend(close);
            rows.extend((0..zeros).map(|_| (0.0, 1)));
            let (values, units): (Vec<f64>, Vec<u32>) = rows.into_iter().unzip();
            assert_eq!(weighted_quantiles(&values, &units, PERCENTS), by_sorting(&values, &units));
        }
    }

    #[test]
    fn nothing_and_only_zeros_give_zero() {
        assert_eq!(weighted_quantiles(&[], &[], PERCENTS), [0.0; 5]);
        assert_eq!(weighted_quantiles(&[5.0], &[0], PERCENTS), [0.0; 5]);
        assert_eq!(weighted_quantiles(&[0.0, 0.0], &[3, 4], PERCENTS), [0.0; 5]);
        assert_eq!(weighted_quantiles(&[7.0], &[1], PERCENTS), [7.0; 5]);
    }
}
