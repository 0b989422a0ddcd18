use tithe_compute::income::{Posterior, Quantity};

/// How one estimate met the truth.
pub(crate) struct Score {
    pub(crate) inside_80: bool,
    pub(crate) inside_50: bool,
    /// Probability integral transform: the estimated probability of at most the truth.
    pub(crate) rank: f64,
    /// Continuous ranked probability score of the logarithm.
    pub(crate) crps: f64,
    pub(crate) ln_width: f64,
    pub(crate) effective: f64,
}

impl Score {
    pub(crate) fn of(posterior: &Posterior, truth: f64, draws: f64) -> Self {
        let percents: [u64; 19] = std::array::from_fn(|i| 5 * (i as u64 + 1));
        let quantiles = posterior.quantiles(Quantity::Total, percents);
        let [p10, p25, p75, p90] = [quantiles[1], quantiles[4], quantiles[14], quantiles[17]];
        let logs = quantiles.map(|quantile| quantile.max(1.0).ln());
        let ln_truth = truth.max(1.0).ln();
        let distance = logs.iter().map(|log| (log - ln_truth).abs()).sum::<f64>() / 19.0;
        let spread = logs.iter().flat_map(|a| logs.iter().map(move |b| (a - b).abs())).sum::<f64>() / 361.0;
        Self {
            inside_80: (p10..=p90).contains(&truth),
            inside_50: (p25..=p75).contains(&truth),
            rank: posterior.probability_at_most(Quantity::Total, truth),
            crps: distance - 0.5 * spread,
            ln_width: (p90.max(1.0) / p10.max(1.0)).ln(),
            effective: posterior.effective_sample_size() / draws,
        }
    }
}

/// The rank of the truth among the draws; where draws equal it (a component that is nothing), any of their
/// ranks, by `chance`.
pub(crate) fn rank_among(posterior: &Posterior, quantity: Quantity, truth: f64, chance: f64) -> f64 {
    let at_most = posterior.probability_at_most(quantity, truth);
    let below = posterior.mean_of(quantity, |draw| if draw < truth { 1.0 } else { 0.0 });
    below + chance * (at_most - below)
}

/// Distance of ranks from uniform, Kolmogorov and Smirnov.
pub(crate) fn kolmogorov_smirnov(ranks: impl Iterator<Item = f64>) -> f64 {
    let mut ranks: Vec<f64> = ranks.collect();
    ranks.sort_unstable_by(f64::total_cmp);
    let count = ranks.len() as f64;
    let distance = |(i, rank): (usize, &f64)| {
        let below = i as f64 / count;
        (rank - below).max(below + 1.0 / count - rank)
    };
    ranks.iter().enumerate().map(distance).fold(0.0, f64::max)
}

/// The distance that one in twenty uniform samples of this size exceeds.
pub(crate) fn limit_of_5_percent(count: usize) -> f64 {
    1.358 / (count as f64).sqrt()
}

pub(crate) fn share(flags: impl Iterator<Item = bool>) -> f64 {
    mean(flags.map(|flag| if flag { 1.0 } else { 0.0 }))
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { f64::NAN }
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
