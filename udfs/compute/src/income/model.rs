use super::evidence::Checked;
use super::likelihood::Compliance;
use super::sponsorship::Deals;
use super::{Evidence, Flag, Flags, Priors};
use crate::random::{LognormalSum, RowKey, exp, ln};

/// Days of a year over the thirty days of the view statistics.
const PERIODS: f64 = 365.0 / 30.0;
/// Standard deviations beyond which prices of deals do not belong to the reach.
const IMPLAUSIBLE: f64 = 6.0;

/// What each random block is for. The numbers are part of the results: never reuse or reorder them.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum Purpose {
    Shared = 0,
    ReportedFirst = 1,
    ReportedSecond = 2,
    DetectedFirst = 3,
    DetectedSecond = 4,
    DealRate = 5,
    DealCount = 6,
    DealPrices = 7,
    Donations = 8,
    GroupBuys = 9,
    CampaignRate = 10,
    CampaignSales = 11,
    Remittance = 12,
    Months = 13,
}

/// A normal distribution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Normal {
    pub(crate) mean: f64,
    pub(crate) spread: f64,
}

/// What follows from the number of followers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) ln_followers: f64,
    /// Logarithm of the median price of a deal.
    pub(crate) ln_price: f64,
    /// Expected deals a year.
    pub(crate) deals: f64,
    pub(crate) shares_ads: bool,
    pub(crate) fan_funded: bool,
}

/// One row, ready to draw from: everything that does not change from draw to draw.
#[derive(Debug)]
pub(crate) struct Model<'a> {
    pub(crate) priors: &'a Priors,
    pub(crate) key: RowKey,
    /// Known followers' consequences, or the distribution of their logarithm.
    pub(crate) reach: Result<Reach, Normal>,
    /// Known views.
    pub(crate) views: Option<f64>,
    pub(crate) posts: Option<f64>,
    /// Median advertising revenue a view.
    pub(crate) ads_per_view: f64,
    pub(crate) deals: Deals,
    pub(crate) donation_share: f64,
    pub(crate) group_buy_share: f64,
    pub(crate) ln_campaign: f64,
    pub(crate) campaign_sum: LognormalSum,
    pub(crate) ln_remittance: Option<f64>,
    pub(crate) compliance: Option<Compliance>,
    /// Share of platform revenue that counts as income.
    pub(crate) platform_contribution: f64,
    /// Whether anything makes some draws likelier than others.
    pub(crate) weighted: bool,
}

impl<'a> Model<'a> {
    pub(crate) fn new(evidence: &Evidence, priors: &'a Priors, seed: u64, flags: &mut Flags) -> Self {
        let checked = evidence.checked(flags);
        let foreign = checked.foreign_share.unwrap_or(priors.foreign_share);
        let deals = Deals::new(&checked, priors);
        let compliance = checked.declared.and_then(|declared| {
            if declared <= 0.0 {
                flags.raise(Flag::NothingDeclared);
            } else if declared <= deals.seen_sum() {
                flags.raise(Flag::DeclaredBelowReported);
            } else {
                return Some(Compliance::new(declared, deals.seen_sum(), priors));
            }
            None
        });
        let does_group_buys = if checked.category.is_some_and(super::Category::sells_to_groups) {
            priors.group_buy_share.1
        } else {
            priors.group_buy_share.0
        };
        let reach = match checked.followers {
            Some(followers) => Ok(reach(priors, &checked, ln(followers))),
            None => Err(followers_given_views(priors, checked.views)),
        };
        if let Ok(reach) = &reach
            && deals.surprise(reach, priors) > IMPLAUSIBLE
        {
            flags.raise(Flag::ConflictingEvidence);
        }
        Self {
            priors,
            key: RowKey::new(seed, &evidence.identity()),
            reach,
            views: checked.views,
            posts: checked.posts,
            ads_per_view: priors.ads_per_thousand / 1000.0
                * priors.ads_factor(checked.category)
                * (1.0 + foreign * (priors.foreign_views_factor - 1.0)),
            weighted: deals.weighted() || checked.remittance.is_some() || compliance.is_some(),
            deals,
            donation_share: with_signal(priors, priors.donation_share, checked.donation_signal),
            group_buy_share: with_signal(priors, does_group_buys, checked.group_buy_signal),
            ln_campaign: ln(priors.campaign_sales * priors.commission),
            campaign_sum: LognormalSum::new(priors.campaign_spread),
            ln_remittance: checked.remittance.map(ln),
            compliance,
            platform_contribution: 1.0 - foreign * (1.0 - priors.foreign_contribution),
        }
    }

    /// Consequences of a number of followers drawn for this row.
    pub(crate) fn reach_at(&self, ln_followers: f64) -> Reach {
        reach_of(self.priors, self.posts, self.ln_remittance.is_some(), ln_followers)
    }

    /// Views of a year drawn for this row.
    pub(crate) fn views_at(&self, ln_followers: f64, normal: f64) -> f64 {
        let priors = self.priors;
        let center = priors.views_intercept + priors.views_slope * ln_followers;
        exp(center + priors.views_spread * normal) * PERIODS
    }
}

fn reach(priors: &Priors, checked: &Checked, ln_followers: f64) -> Reach {
    reach_of(priors, checked.posts, checked.remittance.is_some(), ln_followers)
}

pub(crate) fn reach_of(priors: &Priors, posts: Option<f64>, paid: bool, ln_followers: f64) -> Reach {
    let formula = ln(priors.deal_price_per_follower)
        + ln_followers
        + priors.deal_price_power * (ln_followers - ln(20_000.0));
    let expected = deals_expected(priors, ln_followers);
    let deals = match posts {
        Some(posts) => expected.min(priors.deals_per_post * (posts + 1.0)),
        None => expected,
    };
    // Whoever is paid by a platform has passed its thresholds, whatever the count says.
    Reach {
        ln_followers,
        ln_price: formula.max(ln(priors.deal_price_least)),
        deals,
        shares_ads: paid || ln_followers >= ln(priors.ads_threshold),
        fan_funded: paid || ln_followers >= ln(priors.fan_funding_threshold),
    }
}

fn deals_expected(priors: &Priors, ln_followers: f64) -> f64 {
    let [first, rest @ ..] = &priors.deals_by_followers;
    let (mut left, mut below) = (ln(first.0), first.1);
    if ln_followers <= left {
        return below;
    }
    for (followers, deals) in rest {
        let right = ln(*followers);
        if ln_followers <= right {
            return below + (deals - below) * (ln_followers - left) / (right - left);
        }
        (left, below) = (right, *deals);
    }
    below
}

/// Both logarithms are normal and linked by a regression, so the conditional distribution is exact.
fn followers_given_views(priors: &Priors, views: Option<f64>) -> Normal {
    let prior = Normal { mean: priors.followers_location, spread: priors.followers_spread };
    let Some(views) = views.filter(|views| *views > 0.0) else {
        return prior;
    };
    let slope = priors.views_slope;
    let noise = priors.views_spread * priors.views_spread;
    let spread = prior.spread * prior.spread;
    let surprise = ln(views / PERIODS) - priors.views_intercept - slope * prior.mean;
    let gain = slope * spread / (slope * slope * spread + noise);
    Normal { mean: prior.mean + gain * surprise, spread: (spread * (1.0 - gain * slope)).sqrt() }
}

/// Bayes' rule for a yes or no that shows with errors.
fn with_signal(priors: &Priors, share: f64, signal: Option<bool>) -> f64 {
    let (if_any, if_none) = match signal {
        None => return share,
        Some(true) => (priors.signal_sensitivity, 1.0 - priors.signal_specificity),
        Some(false) => (1.0 - priors.signal_sensitivity, priors.signal_specificity),
    };
    share * if_any / (share * if_any + (1.0 - share) * if_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolates_deals_between_the_tiers() {
        let priors = Priors::default();
        let check = |followers: f64, low: f64, high: f64| {
            let deals = deals_expected(&priors, ln(followers));
            assert!((low..=high).contains(&deals), "{followers}: {deals}");
        };
        check(1.0, 1.0, 1.0);
        check(30_000.0, 4.999, 5.001);
        check(60_000.0, 9.4, 9.6);
        check(9e9, 36.0, 36.0);
    }

    #[test]
    fn views_tell_of_followers() {
        let priors = Priors::default();
        let unknown = followers_given_views(&priors, None);
        let popular = followers_given_views(&priors, Some(5e7));
        assert!(popular.mean > unknown.mean + 0.5 && popular.spread < unknown.spread);
    }

    #[test]
    fn a_signal_moves_the_share_both_ways() {
        let priors = Priors::default();
        assert!(with_signal(&priors, 0.3, Some(true)) > 0.9);
        assert!(with_signal(&priors, 0.3, Some(false)) < 0.1);
        assert!((with_signal(&priors, 0.3, None) - 0.3).abs() < 1e-15);
    }
}
