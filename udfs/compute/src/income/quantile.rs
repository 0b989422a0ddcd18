/// Buckets that the values are thrown into; only those with a quantile in them are sorted.
const BUCKETS: usize = 2048;

/// Quantiles by percent of values that are not negative, weighted in whole units: the smallest value that at least
/// that percentage of the weight does not exceed. Zero where nothing weighs anything.
///
/// The bits of a positive number, read as a whole number, order as it does and rise with its logarithm, so buckets of
/// equal width in bits split amounts of any size evenly. Sums of whole units are exact: the answer is the one that
/// sorting all values gives.
pub(super) fn weighted_quantiles<const N: usize>(
    values: &[f64],
    units: &[u64],
    percents: [u64; N],
) -> [f64; N] {
    let weighted = || {
        values
            .iter()
            .zip(units)
            .map(|(value, weight)| (value.to_bits(), *weight))
            .filter(|(_, weight)| *weight > 0)
    };
    // Zero is far below every other amount: as a bucket's edge it would leave the rest few buckets.
    let (mut at_zero, mut total, mut least, mut most) = (0, 0, u64::MAX, 0);
    for (value, weight) in weighted() {
        total += weight;
        if value == 0 {
            at_zero += weight;
        } else {
            least = least.min(value);
            most = most.max(value);
        }
    }
    let width = most.saturating_sub(least).checked_ilog2().map_or(0, |bits| bits + 1);
    let shift = width.saturating_sub(BUCKETS.ilog2());
    let bucket =
        |value: u64| usize::try_from(value.saturating_sub(least) >> shift).unwrap_or(BUCKETS).min(BUCKETS);
    let mut weight_of = [0_u64; BUCKETS];
    for (value, weight) in weighted().filter(|(value, _)| *value > 0) {
        if let Some(sum) = weight_of.get_mut(bucket(value)) {
            *sum += weight;
        }
    }
    // The bucket in which each quantile lies, and the weight below it; none where the quantile is zero.
    let reaches = |weight: u64, percent: u64| weight * 100 >= total * percent;
    let places = percents.map(|percent| {
        let (mut reached, mut place) = (at_zero, 0);
        if reaches(reached, percent) {
            return None;
        }
        while let Some(weight) = weight_of.get(place).filter(|weight| !reaches(reached + **weight, percent)) {
            reached += weight;
            place += 1;
        }
        Some((place, reached))
    });
    let mut wanted = [false; BUCKETS + 1];
    for (place, _) in places.iter().flatten() {
        wanted[*place] = true;
    }
    let mut inside: Vec<(u64, u64)> =
        weighted().filter(|(value, _)| *value > 0 && wanted[bucket(*value)]).collect();
    inside.sort_unstable();
    let mut quantiles = [0.0; N];
    for ((quantile, place), percent) in quantiles.iter_mut().zip(places).zip(percents) {
        let Some((place, mut reached)) = place else { continue };
        let mut last = 0;
        for (value, weight) in inside.iter().filter(|(value, _)| bucket(*value) == place) {
            last = *value;
            reached += weight;
            if reaches(reached, percent) {
                break;
            }
        }
        *quantile = f64::from_bits(last);
    }
    quantiles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, proptest};

    use super::weighted_quantiles;

    const PERCENTS: [u64; 5] = [1, 10, 50, 90, 100];

    fn by_sorting(values: &[f64], units: &[u64]) -> [f64; 5] {
        let mut weighted: Vec<(f64, u64)> =
            values.iter().copied().zip(units.iter().copied()).filter(|(_, weight)| *weight > 0).collect();
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
            exponents in prop::collection::vec((-300.0_f64..300.0, 0_u64..5), 0..300),
            close in prop::collection::vec((1.0_f64..1.001, 0_u64..4_294_967_297), 0..300),
            zeros in 0_usize..50,
        ) {
            let mut rows: Vec<(f64, u64)> = exponents.iter().map(|(x, weight)| (x.exp(), *weight)).collect();
            rows.extend(close);
            rows.extend((0..zeros).map(|_| (0.0, 1)));
            let (values, units): (Vec<f64>, Vec<u64>) = rows.into_iter().unzip();
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
