use pulp::{Arch, Simd, WithSimd};

use super::draw::{Draw, Outcomes};
use super::model::Model;
use super::quantile::weighted_quantiles;
use super::{Evidence, Flag, Flags, Priors};
use crate::random::{LANES, exp_lane, tree_sum};

/// Effective draws that must carry the estimate, as a share of the draws asked for.
const LEAST_SHARE: f64 = 0.02;
/// Effective draws below which quantiles are rough.
const LEAST_DRAWS: f64 = 100.0;
/// How many more draws the second attempt makes.
const MORE: u32 = 8;
/// The second attempt never makes more than this (or than the first).
const MOST_DRAWS: u32 = 65_536;
/// Halvings in the search for the weight that evidence can be given.
const TEMPERING_STEPS: u32 = 24;
/// Weights are counted in units of this fraction of the largest, so that their sums are exact.
const WEIGHT_UNITS: f64 = 4_294_967_296.0;

/// An amount a posterior describes, NT$ a year unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Advertising revenue.
    Ads,
    /// Sponsored deals.
    Sponsorship,
    /// Donations and memberships.
    Donations,
    /// Group buys and affiliate commissions.
    GroupBuy,
    /// Everything else.
    Other,
    /// Gross receipts: the sum of all components.
    Total,
    /// Income of the year after contribution rules and standard expenses.
    Taxable,
    /// Sales of the highest month.
    PeakMonth,
}

const QUANTITIES: usize = 8;

/// Weighted draws of one creator's year.
#[derive(Debug, Clone)]
pub struct Posterior {
    values: [Vec<f64>; QUANTITIES],
    weights: Weights,
    flags: Flags,
}

#[derive(Debug, Clone)]
enum Weights {
    Equal,
    Unequal { of_draw: Vec<f64>, units: Vec<u64>, sum: f64, effective: f64 },
}

/// Draws from the distribution of a creator's year given the evidence.
///
/// `draws` is the number of draws; when too few of them agree with the evidence, eight times as many are
/// made (65,536 at most), and when that is not enough the evidence is tempered: its likelihood is raised to
/// the highest power below one that leaves as many effective draws as two in a hundred of `draws`. Flags tell
/// of both. A minor's posterior is empty.
#[must_use]
pub fn posterior(evidence: &Evidence, priors: &Priors, draws: u32, seed: u64) -> Posterior {
    let mut flags = Flags::default();
    if evidence.minor == Some(true) {
        flags.raise(Flag::MinorExcluded);
        return Posterior { values: Default::default(), weights: Weights::Equal, flags };
    }
    let model = Model::new(evidence, priors, seed, &mut flags);
    let arch = Arch::new();
    let (mut values, mut ln_weights) = Default::default();
    sample(arch, &model, 0..draws, &mut values, &mut ln_weights);
    if !model.weighted && model.reach.is_ok() {
        return Posterior { values, weights: Weights::Equal, flags };
    }
    let mut weights = Weights::from_logarithms(&ln_weights, 1.0);
    let least = LEAST_SHARE * f64::from(draws);
    if weights.effective(draws) < least {
        let more = draws.saturating_mul(MORE).min(MOST_DRAWS).max(draws);
        flags.raise(Flag::MoreDraws);
        sample(arch, &model, draws..more, &mut values, &mut ln_weights);
        weights = Weights::from_logarithms(&ln_weights, 1.0);
        // Measured by the draws asked for: more draws are there to carry what few could not, and tempering
        // throws evidence away.
        if weights.effective(more) < least {
            flags.raise(Flag::Tempered);
            weights = tempered(&ln_weights, more, least);
        }
    }
    Posterior { values, weights, flags }
}

/// Adds these draws to those that are there.
fn sample(
    arch: Arch,
    model: &Model<'_>,
    draws: std::ops::Range<u32>,
    values: &mut [Vec<f64>; QUANTITIES],
    ln_weights: &mut Vec<f64>,
) {
    let mut outcomes = Outcomes::ZERO;
    let count = draws.len();
    for column in values.iter_mut().chain([&mut *ln_weights]) {
        column.reserve_exact(count);
    }
    for (block, first) in draws.step_by(LANES).enumerate() {
        arch.dispatch(Draw { model, first, outcomes: &mut outcomes });
        let drawn = LANES.min(count - block * LANES);
        let columns = [
            &outcomes.ads,
            &outcomes.sponsorship,
            &outcomes.donations,
            &outcomes.group_buy,
            &outcomes.other,
            &outcomes.total,
            &outcomes.taxable,
            &outcomes.peak_month,
        ];
        for (column, block) in values.iter_mut().zip(columns) {
            column.extend_from_slice(&block[..drawn]);
        }
        ln_weights.extend_from_slice(&outcomes.ln_weight[..drawn]);
    }
}

/// Weights relative to the largest, from their logarithms.
struct Relative<'a> {
    ln_weights: &'a [f64],
    largest: f64,
    power: f64,
    of_draw: &'a mut [f64],
}

impl WithSimd for Relative<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (weight, ln_weight) in self.of_draw.iter_mut().zip(self.ln_weights) {
            *weight = exp_lane((ln_weight - self.largest) * self.power);
        }
    }
}

fn tempered(ln_weights: &[f64], draws: u32, least: f64) -> Weights {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..TEMPERING_STEPS {
        let middle = 0.5 * (low + high);
        if Weights::from_logarithms(ln_weights, middle).effective(draws) < least {
            high = middle;
        } else {
            low = middle;
        }
    }
    if low > 0.0 { Weights::from_logarithms(ln_weights, low) } else { Weights::Equal }
}

impl Weights {
    fn from_logarithms(ln_weights: &[f64], power: f64) -> Self {
        let largest = ln_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !largest.is_finite() {
            return Self::Unequal { of_draw: Vec::new(), units: Vec::new(), sum: 0.0, effective: 0.0 };
        }
        let mut of_draw = vec![0.0; ln_weights.len()];
        Arch::new().dispatch(Relative { ln_weights, largest, power, of_draw: &mut of_draw });
        let sum = tree_sum(of_draw.iter().copied());
        let squares = tree_sum(of_draw.iter().map(|weight| weight * weight));
        let units = of_draw.iter().map(|weight| units(*weight)).collect();
        Self::Unequal { of_draw, units, sum, effective: sum * sum / squares }
    }

    fn effective(&self, draws: u32) -> f64 {
        match self {
            Self::Equal => f64::from(draws),
            Self::Unequal { effective, .. } => *effective,
        }
    }
}

impl Posterior {
    /// Whether there are no draws, because nothing may be estimated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values[0].is_empty()
    }

    /// What to know before relying on it, but for what follows from its spread.
    #[must_use]
    pub fn flags(&self) -> Flags {
        let mut flags = self.flags;
        if !self.is_empty() && self.effective_sample_size() < LEAST_DRAWS {
            flags.raise(Flag::LowEss);
        }
        flags
    }

    /// How many equally weighted draws would be as good.
    #[must_use]
    pub fn effective_sample_size(&self) -> f64 {
        match &self.weights {
            Weights::Equal => self.values[0].iter().map(|_| 1.0).sum(),
            Weights::Unequal { effective, .. } => *effective,
        }
    }

    fn draws_of(&self, quantity: Quantity) -> &[f64] {
        &self.values[quantity as usize]
    }

    /// The weighted mean of a function of a quantity.
    #[must_use]
    pub fn mean_of(&self, quantity: Quantity, function: impl Fn(f64) -> f64) -> f64 {
        let draws = self.draws_of(quantity);
        match &self.weights {
            Weights::Equal => {
                tree_sum(draws.iter().map(|value| function(*value))) / self.effective_sample_size()
            }
            Weights::Unequal { of_draw, sum, .. } => {
                tree_sum(draws.iter().zip(of_draw).map(|(value, weight)| function(*value) * weight)) / sum
            }
        }
    }

    /// The weighted mean of a quantity.
    #[must_use]
    pub fn mean(&self, quantity: Quantity) -> f64 {
        self.mean_of(quantity, |value| value)
    }

    /// The probability that a quantity is at most this.
    #[must_use]
    pub fn probability_at_most(&self, quantity: Quantity, value: f64) -> f64 {
        self.mean_of(quantity, |draw| if draw <= value { 1.0 } else { 0.0 })
    }

    /// Quantiles by percent, in ascending order of `percents`: the smallest draw that at least that percentage
    /// of the weight does not exceed.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, quantity: Quantity, percents: [u64; N]) -> [f64; N] {
        let draws = self.draws_of(quantity);
        match &self.weights {
            Weights::Equal => equal_quantiles(draws, percents),
            Weights::Unequal { units, .. } => weighted_quantiles(draws, units, percents),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a weight is in 0..=1, so units fit 33 bits")]
#[expect(clippy::cast_sign_loss, reason = "a weight is in 0..=1")]
fn units(weight: f64) -> u64 {
    (weight * WEIGHT_UNITS) as u64
}

fn equal_quantiles<const N: usize>(draws: &[f64], percents: [u64; N]) -> [f64; N] {
    let mut bits: Vec<u64> = draws.iter().map(|value| value.to_bits()).collect();
    percents.map(|percent| {
        if bits.is_empty() {
            return f64::NAN;
        }
        let rank = (bits.len() * usize::try_from(percent).unwrap_or(100)).div_ceil(100).max(1) - 1;
        let rank = rank.min(bits.len() - 1);
        f64::from_bits(*bits.select_nth_unstable(rank).1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: Vec<f64>, weights: Weights) -> Posterior {
        let mut posterior = Posterior { values: Default::default(), weights, flags: Flags::default() };
        posterior.values[0].clone_from(&values);
        posterior.values[Quantity::Total as usize] = values;
        posterior
    }

    #[test]
    fn equal_weights_by_both_ways_agree() {
        let values: Vec<f64> = (0..997_u32).map(|i| f64::from(i * 613 % 997)).collect();
        let equal = of(values.clone(), Weights::Equal);
        let unequal = of(values, Weights::from_logarithms(&[-3.0; 997], 1.0));
        let percents = [1, 10, 50, 90, 100];
        assert_eq!(equal.quantiles(Quantity::Total, percents), unequal.quantiles(Quantity::Total, percents));
        assert!((equal.mean(Quantity::Total) - 498.0).abs() < 1e-9);
        assert!((unequal.effective_sample_size() - 997.0).abs() < 1e-6);
    }

    #[test]
    fn a_heavy_draw_takes_the_quantiles() {
        let heavy = of(vec![1.0, 2.0, 3.0], Weights::from_logarithms(&[0.0, 20.0, 0.0], 1.0));
        assert_eq!(heavy.quantiles(Quantity::Total, [10, 50, 90]), [2.0, 2.0, 2.0]);
        assert!(heavy.effective_sample_size() < 1.001);
    }

    #[test]
    fn tempering_leaves_enough_draws() {
        let ln_weights: Vec<f64> = (0..4096_u32).map(|i| -f64::from(i)).collect();
        let effective = tempered(&ln_weights, 4096, 82.0).effective(4096);
        assert!((82.0..90.0).contains(&effective), "{effective}");
        assert!((tempered(&[f64::NEG_INFINITY; 64], 64, 2.0).effective(64) - 64.0).abs() < 1e-12);
    }
}
