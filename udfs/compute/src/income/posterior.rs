use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::model::Model;
use super::quantile::weighted_quantiles;
use super::{Evidence, Flag, Flags, Priors};
use crate::random::{exp_lane, weighted_sum};

/// Effective draws that must carry the estimate, as a share of the draws asked for.
const LEAST_SHARE: f64 = 0.02;
/// Effective draws below which quantiles are rough.
const LEAST_DRAWS: f64 = 100.0;
/// How many times the draws asked for are made at most.
const MORE: u32 = 8;
/// Draws are never doubled beyond this.
const MOST_DRAWS: u32 = 65_536;
/// Halvings in the search for the weight that evidence can be given.
const TEMPERING_STEPS: u32 = 16;
/// Added to a weight, it leaves the weight in units of 2⁻³¹ in the low bits.
const UNITS: f64 = 2_097_152.0;

/// An amount a posterior describes, NT$ a year.
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
}

const QUANTITIES: usize = 7;

/// Weighted draws of one creator's year.
#[derive(Debug, Clone, Default)]
pub struct Posterior {
    values: [Vec<f64>; QUANTITIES],
    /// How many of the monthly thresholds the highest month reaches.
    months: Vec<f64>,
    ln_weights: Vec<f64>,
    weights: Weights,
    flags: Flags,
}

/// The weight of each draw over the largest one's.
#[derive(Debug, Clone, Default)]
struct Weights {
    of_draw: Vec<f64>,
    /// The same in units, so that their sums are exact.
    units: Vec<u32>,
    sum: f64,
    effective: f64,
}

/// Draws from the distribution of a creator's year given the evidence.
///
/// `draws` is the number of draws; while too few of them agree with the evidence they are doubled, up to eight times
/// as many (65,536 at most), and when that is not enough the evidence is tempered: its likelihood is raised to
/// the highest power below one that leaves as many effective draws as two in a hundred of `draws`. Flags tell
/// of both. A minor's posterior is empty.
#[must_use]
pub fn posterior(evidence: &Evidence, priors: &Priors, draws: u32, seed: u64) -> Posterior {
    let mut posterior = Posterior::default();
    posterior.draw(evidence, priors, draws, seed);
    posterior
}

impl Posterior {
    /// Becomes [`posterior`] of this evidence, in the memory it has.
    pub(super) fn draw(&mut self, evidence: &Evidence, priors: &Priors, draws: u32, seed: u64) {
        let Some(model) = self.begin(evidence, priors, seed) else { return };
        let mut next = Some(0..draws);
        while let Some(range) = next {
            let made = range.end;
            self.sample(&model, range);
            next = self.settle(&model, draws, made);
        }
    }

    /// Forgets all draws; gives what to draw from, if anything may be estimated.
    pub(super) fn begin(&mut self, evidence: &Evidence, priors: &Priors, seed: u64) -> Option<Model> {
        self.columns().for_each(Vec::clear);
        self.flags = Flags::default();
        if evidence.minor == Some(true) {
            self.flags.raise(Flag::MinorExcluded);
            self.weights.equal(0);
            return None;
        }
        Some(Model::new(evidence, priors, seed, &mut self.flags))
    }

    /// Weighs the draws made so far; gives those to make beyond them, if too few agree with the evidence.
    pub(super) fn settle(&mut self, model: &Model, draws: u32, made: u32) -> Option<Range<u32>> {
        if !model.weighted {
            self.weights.equal(self.ln_weights.len());
            return None;
        }
        self.weights.set(&self.ln_weights, 1.0);
        let least = LEAST_SHARE * f64::from(draws);
        if self.weights.effective >= least {
            return None;
        }
        self.flags.raise(Flag::MoreDraws);
        let most = draws.saturating_mul(MORE).min(MOST_DRAWS).max(draws);
        if made < most {
            return Some(made..made.saturating_mul(2).min(most));
        }
        // Measured by the draws asked for: more draws are there to carry what few could not, and tempering
        // throws evidence away.
        self.flags.raise(Flag::Tempered);
        self.weights.temper(&self.ln_weights, least);
        None
    }

    /// Adds these draws to those that are there.
    fn sample(&mut self, model: &Model, draws: Range<u32>) {
        self.columns().for_each(|column| column.reserve_exact(draws.len()));
        model.blocks(draws, |outcomes, drawn| {
            for (column, block) in self.columns().zip(outcomes.columns()) {
                column.extend_from_slice(&block[..drawn]);
            }
        });
    }

    /// Adds draws given as columns of this many, in the order of [`super::draw::Outcomes::columns`].
    pub(super) fn take(&mut self, found: &[f64], count: usize) {
        for (column, found) in self.columns().zip(found.chunks_exact(count)) {
            column.extend_from_slice(found);
        }
    }

    fn columns(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        self.values.iter_mut().chain([&mut self.months, &mut self.ln_weights])
    }

    /// Whether there are no draws, because nothing may be estimated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ln_weights.is_empty()
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
        self.weights.effective
    }

    fn draws_of(&self, quantity: Quantity) -> &[f64] {
        &self.values[quantity as usize]
    }

    fn mean_over(&self, values: &[f64], function: impl Fn(f64) -> f64) -> f64 {
        let Weights { of_draw, sum, .. } = &self.weights;
        weighted_sum(values, of_draw, |value, weight| function(value) * weight) / sum
    }

    /// The weighted mean of a function of a quantity.
    #[must_use]
    pub fn mean_of(&self, quantity: Quantity, function: impl Fn(f64) -> f64) -> f64 {
        self.mean_over(self.draws_of(quantity), function)
    }

    /// The weighted mean of a quantity.
    #[must_use]
    pub fn mean(&self, quantity: Quantity) -> f64 {
        self.mean_of(quantity, |value| value)
    }

    /// The probability that the highest month's sales reach NT$50,000, and that they reach NT$200,000.
    #[must_use]
    pub fn month_probabilities(&self) -> [f64; 2] {
        [1.0, 2.0].map(|least| self.mean_over(&self.months, |months| if months >= least { 1.0 } else { 0.0 }))
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
        weighted_quantiles(self.draws_of(quantity), &self.weights.units, percents)
    }
}

impl Weights {
    fn equal(&mut self, draws: usize) {
        self.of_draw.clear();
        self.of_draw.resize(draws, 1.0);
        self.units.clear();
        self.units.resize(draws, units(1.0));
        self.sum = draws as f64;
        self.effective = draws as f64;
    }

    /// The weights of these logarithms, each times `power`.
    fn set(&mut self, ln_weights: &[f64], power: f64) {
        self.relative(ln_weights, power);
        self.units.clear();
        self.units.extend(self.of_draw.iter().map(|weight| units(*weight)));
    }

    fn relative(&mut self, ln_weights: &[f64], power: f64) {
        let largest = ln_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.of_draw.clear();
        if !largest.is_finite() {
            (self.sum, self.effective) = (0.0, 0.0);
            return;
        }
        self.of_draw.resize(ln_weights.len(), 0.0);
        Arch::new().dispatch(Relative { ln_weights, largest, power, of_draw: &mut self.of_draw });
        self.sum = weighted_sum(&self.of_draw, &self.of_draw, |weight, _| weight);
        let squares = weighted_sum(&self.of_draw, &self.of_draw, |weight, same| weight * same);
        self.effective = self.sum * self.sum / squares;
    }

    fn temper(&mut self, ln_weights: &[f64], least: f64) {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..TEMPERING_STEPS {
            let middle = 0.5 * (low + high);
            self.relative(ln_weights, middle);
            if self.effective < least {
                high = middle;
            } else {
                low = middle;
            }
        }
        if low > 0.0 {
            self.set(ln_weights, low);
        } else {
            self.equal(ln_weights.len());
        }
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

#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
#[inline(always)]
fn units(weight: f64) -> u32 {
    (weight + UNITS).to_bits() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: Vec<f64>, ln_weights: &[f64]) -> Posterior {
        let mut posterior = Posterior::default();
        posterior.weights.set(ln_weights, 1.0);
        posterior.values[Quantity::Total as usize] = values;
        posterior
    }

    #[test]
    fn a_heavy_draw_takes_the_quantiles() {
        let heavy = of(vec![1.0, 2.0, 3.0], &[0.0, 20.0, 0.0]);
        assert_eq!(heavy.quantiles(Quantity::Total, [10, 50, 90]), [2.0, 2.0, 2.0]);
        assert!(heavy.effective_sample_size() < 1.001);
    }

    #[test]
    fn equal_logarithms_are_equal_weights() {
        let values: Vec<f64> = (0..997_u32).map(|i| f64::from(i * 613 % 997)).collect();
        let mut equal = of(values.clone(), &[]);
        equal.weights.equal(997);
        let same = of(values, &[-3.0; 997]);
        let percents = [1, 10, 50, 90, 100];
        assert_eq!(equal.quantiles(Quantity::Total, percents), same.quantiles(Quantity::Total, percents));
        assert!((equal.mean(Quantity::Total) - 498.0).abs() < 1e-9);
        assert!((same.effective_sample_size() - 997.0).abs() < 1e-6);
    }

    #[test]
    fn units_are_weights_to_31_bits() {
        for (weight, expected) in [(0.0, 0), (1.0, 1 << 31), (0.5, 1 << 30), (4.7e-10, 1), (1e-10, 0)] {
            assert_eq!(units(weight), expected, "{weight}");
        }
    }

    #[test]
    fn tempering_leaves_enough_draws() {
        let ln_weights: Vec<f64> = (0..4096_u32).map(|i| -f64::from(i)).collect();
        let mut weights = Weights::default();
        weights.temper(&ln_weights, 82.0);
        assert!((82.0..90.0).contains(&weights.effective), "{}", weights.effective);
        weights.temper(&[f64::NEG_INFINITY; 64], 2.0);
        assert!((weights.effective - 64.0).abs() < 1e-12);
    }
}
