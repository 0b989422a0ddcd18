use rayon::prelude::*;

use super::explain::{Contribution, contributions};
use super::posterior::{Posterior, Quantity};
use super::{Evidence, Flag, Flags, Priors};

/// The spread between p90 and p10 beyond which the prior speaks.
const DOMINATED: f64 = 6.0;

/// Quantiles and mean of an amount, NT$ a year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// 10 % quantile.
    pub p10: f64,
    /// Median.
    pub p50: f64,
    /// 90 % quantile.
    pub p90: f64,
    /// Mean.
    pub mean: f64,
}

/// Receipts beyond the declared amount, NT$ a year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Undeclared {
    /// Mean.
    pub mean: f64,
    /// 10 % quantile.
    pub p10: f64,
    /// 90 % quantile.
    pub p90: f64,
}

/// What a creator probably received in a year.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The amounts; `None` where nothing may be estimated (a minor).
    pub amounts: Option<Amounts>,
    /// What to know before relying on it.
    pub flags: Flags,
    /// What each observed kind of evidence contributes; `None` where it was not asked for or nothing is
    /// estimated.
    pub contributions: Option<Vec<Contribution>>,
}

/// The amounts of an estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Amounts {
    /// Gross receipts.
    pub total: Summary,
    /// Advertising, sponsorship, donations and memberships, group buys and affiliate commissions, the rest.
    /// Means add up to the total's; quantiles do not.
    pub components: [Summary; 5],
    /// Median of income after contribution rules and the standard expense rate.
    pub taxable_p50: f64,
    /// Receipts beyond what was declared, where that is known.
    pub undeclared: Option<Undeclared>,
    /// Probability that the highest month's sales reach NT$50,000.
    pub p_month_50k: f64,
    /// Probability that the highest month's sales reach NT$200,000.
    pub p_month_200k: f64,
    /// How many equally weighted draws would be as good.
    pub effective_sample_size: f64,
}

/// Estimates one creator's year; with draws and flags.
#[must_use]
pub fn estimate(evidence: &Evidence, priors: &Priors, draws: u32, seed: u64) -> Estimate {
    estimate_in(&mut Posterior::default(), evidence, priors, draws, seed)
}

/// [`estimate`] in the memory of another posterior.
pub(super) fn estimate_in(
    posterior: &mut Posterior,
    evidence: &Evidence,
    priors: &Priors,
    draws: u32,
    seed: u64,
) -> Estimate {
    posterior.draw(evidence, priors, draws, seed);
    summarised(posterior, evidence)
}

/// The estimate that the draws of a row's posterior give.
pub(super) fn summarised(posterior: &Posterior, evidence: &Evidence) -> Estimate {
    let mut flags = posterior.flags();
    if posterior.is_empty() {
        return Estimate { amounts: None, flags, contributions: None };
    }
    let total = summary(posterior, Quantity::Total);
    if total.p90 > DOMINATED * total.p10 {
        flags.raise(Flag::PriorDominated);
    }
    let components =
        [Quantity::Ads, Quantity::Sponsorship, Quantity::Donations, Quantity::GroupBuy, Quantity::Other]
            .map(|quantity| summary(posterior, quantity));
    let [taxable_p50] = posterior.quantiles(Quantity::Taxable, [50]);
    let undeclared = evidence.checked(&mut flags).declared.map(|declared| {
        let beyond = |received: f64| (received - declared).max(0.0);
        Undeclared {
            mean: posterior.mean_of(Quantity::Total, beyond),
            p10: beyond(total.p10),
            p90: beyond(total.p90),
        }
    });
    let [p_month_50k, p_month_200k] = posterior.month_probabilities();
    Estimate {
        amounts: Some(Amounts {
            total,
            components,
            taxable_p50,
            undeclared,
            p_month_50k,
            p_month_200k,
            effective_sample_size: posterior.effective_sample_size(),
        }),
        flags,
        contributions: None,
    }
}

/// Estimates one creator's year and what each kind of evidence contributes to it, by estimates without it: takes
/// one more estimate for every kind observed.
#[must_use]
pub fn explained(evidence: &Evidence, priors: &Priors, draws: u32, seed: u64) -> Estimate {
    explained_in(&mut Posterior::default(), evidence, priors, draws, seed)
}

fn explained_in(
    posterior: &mut Posterior,
    evidence: &Evidence,
    priors: &Priors,
    draws: u32,
    seed: u64,
) -> Estimate {
    let full = estimate_in(posterior, evidence, priors, draws, seed);
    let contributions =
        full.amounts.as_ref().map(|amounts| contributions(posterior, evidence, amounts, priors, draws, seed));
    Estimate { contributions, ..full }
}

fn summary(posterior: &Posterior, quantity: Quantity) -> Summary {
    let [p10, p50, p90] = posterior.quantiles(quantity, [10, 50, 90]);
    Summary { p10, p50, p90, mean: posterior.mean(quantity) }
}

/// Estimates many rows on all cores, and explains them if asked. Each row's answer depends on that row alone.
#[must_use]
pub fn estimate_all(
    rows: &[Option<Evidence>],
    priors: &Priors,
    draws: u32,
    seed: u64,
    explain: bool,
) -> Vec<Option<Estimate>> {
    let of_one = if explain { explained_in } else { estimate_in };
    rows.par_iter()
        .map_init(Posterior::default, |memory, row| {
            row.as_ref().map(|evidence| of_one(memory, evidence, priors, draws, seed))
        })
        .collect()
}
