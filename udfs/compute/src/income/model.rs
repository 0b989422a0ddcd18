use super::counts::Counts;
use super::likelihood::Compliance;
use super::sponsorship::Deals;
use super::{Evidence, Flag, Flags, Priors};
use crate::random::{LognormalSum, RowKey, ln};

/// Days of a year over the thirty days of the view statistics.
const PERIODS: f64 = 365.0 / 30.0;
/// Standard deviations beyond which prices of deals do not belong to the reach.
const IMPLAUSIBLE: f64 = 6.0;

/// What each random block is for. The numbers are part of the results: never reuse or reorder them.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum Purpose {
    /// The multiplier, advertising (or what the platform owed), the number of unseen deals, their sum.
    Prices = 0,
    /// Affiliate commissions, everything else; in halves whether there are group buys, whether there are donations;
    /// whether a remittance is strange.
    Sidelines = 1,
    /// Followers and views.
    Reach = 2,
    /// Donations, whether there are memberships, memberships.
    Donations = 3,
    /// Campaigns, the commission.
    GroupBuys = 4,
    CampaignSales = 5,
    /// Deals one by one, where their prices spread so far that they must be.
    DealPrices = 6,
    Months = 7,
}

/// Expected deals are told apart by this many equally probable ranges of unknown followers, which the first bits of
/// a word name.
pub(crate) const REACHES: u32 = 64;
pub(crate) const REACH_SHIFT: u32 = 32 - REACHES.ilog2();

/// A normal distribution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Normal {
    pub(crate) mean: f64,
    pub(crate) spread: f64,
}

/// What follows from the number of followers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// Logarithm of the median price of a deal.
    pub(crate) ln_price: f64,
    /// Expected deals a year.
    pub(crate) deals: f64,
    pub(crate) shares_ads: bool,
    pub(crate) fan_funded: bool,
}

/// An amount lognormal around a median that may depend on more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lognormal {
    pub(crate) location: f64,
    pub(crate) spread: f64,
}

/// What a remittance tells of what the platform owed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remittance {
    pub(crate) ln_amount: f64,
    /// Words below it draw a remittance that carries something else.
    pub(crate) strange_below: u32,
    pub(crate) spread: f64,
    pub(crate) strange_spread: f64,
    pub(crate) donations: f64,
}

/// One row, ready to draw from: everything that does not change from draw to draw. Logarithms of amounts are of NT$
/// a year.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) key: RowKey,
    /// Whether followers and views are known: known ones have no spread, and views then no slope on followers.
    pub(crate) reach_known: bool,
    pub(crate) ln_followers: Normal,
    pub(crate) ln_views: Lognormal,
    pub(crate) views_slope: f64,
    pub(crate) prices: Prices,
    /// The multiplier is this times how far reported prices lie above the reach's, and a normal number.
    pub(crate) price_gain: f64,
    pub(crate) multiplier_spread: f64,
    pub(crate) mean_ln_price: f64,
    /// Half the inverse variance of reported prices around the reach's; 0 where every draw has the same reach.
    pub(crate) half_price_precision: f64,
    pub(crate) deals: Deals,
    pub(crate) common_loading: f64,
    pub(crate) affiliate: Lognormal,
    pub(crate) other: Lognormal,
    pub(crate) fan_funded_from: f64,
    pub(crate) donates_below: u32,
    pub(crate) donation_loading: f64,
    pub(crate) donation: Lognormal,
    pub(crate) member_below: u32,
    pub(crate) membership: Lognormal,
    pub(crate) sells_below: u32,
    pub(crate) campaigns: Counts,
    pub(crate) campaign: Lognormal,
    pub(crate) campaign_sum: LognormalSum,
    pub(crate) shares_ads_from: f64,
    pub(crate) ads: Lognormal,
    pub(crate) remittance: Option<Remittance>,
    pub(crate) compliance: Option<Compliance>,
    pub(crate) peak_season: f64,
    pub(crate) taxable_share: f64,
    /// Share of platform revenue that counts as income.
    pub(crate) platform_contribution: f64,
    /// Whether anything makes some draws likelier than others.
    pub(crate) weighted: bool,
}

impl Model {
    pub(crate) fn new(evidence: &Evidence, priors: &Priors, seed: u64, flags: &mut Flags) -> Self {
        let checked = evidence.checked(flags);
        let foreign = checked.foreign_share.unwrap_or(priors.foreign_share);
        let paid = checked.remittance.is_some();
        let ln_followers = match checked.followers {
            Some(followers) => Normal { mean: ln(followers), spread: 0.0 },
            None => followers_given_views(priors, checked.views),
        };
        let known = ln_followers.spread == 0.0;
        let deals = Deals::new(&checked, priors, ln_followers);
        let reported_sum = deals.seen.map_or(0.0, |seen| seen.sum);
        let compliance = checked.declared.and_then(|declared| {
            if declared <= 0.0 {
                flags.raise(Flag::NothingDeclared);
            } else if declared <= reported_sum {
                flags.raise(Flag::DeclaredBelowReported);
            } else {
                return Some(Compliance::new(declared, reported_sum, priors));
            }
            None
        });
        let prices = Prices::new(priors);
        let mut multiplier = Multiplier { gain: 0.0, spread: priors.creator_spread, precision: 0.0 };
        let reported_prices = deals.seen.filter(|seen| seen.count > 0.0);
        if let Some(seen) = reported_prices {
            multiplier = Multiplier::given(seen.count, priors);
            if known {
                let surprise = (seen.mean_ln - prices.ln_price(ln_followers.mean)).abs();
                if surprise * multiplier.precision.sqrt() > IMPLAUSIBLE {
                    flags.raise(Flag::ConflictingEvidence);
                }
                multiplier.precision = 0.0;
            }
        }
        let does_group_buys = if checked.category.is_some_and(super::Category::sells_to_groups) {
            priors.group_buy_share.1
        } else {
            priors.group_buy_share.0
        };
        let ln_periods = ln(PERIODS);
        let (ln_views, views_slope) = match checked.views {
            Some(views) => (Lognormal { location: ln(views), spread: 0.0 }, 0.0),
            None => (
                Lognormal { location: priors.views_intercept + ln_periods, spread: priors.views_spread },
                priors.views_slope,
            ),
        };
        let a_view = |amount_per_thousand: f64, spread: f64| Lognormal {
            location: ln(amount_per_thousand / 1000.0),
            spread,
        };
        let ads_factor =
            priors.ads_factor(checked.category) * (1.0 + foreign * (priors.foreign_views_factor - 1.0));
        let from = |followers: f64| if paid { f64::NEG_INFINITY } else { ln(followers) };
        let varies = !known && deals.informative();
        Self {
            key: RowKey::new(seed, &evidence.identity()),
            reach_known: known && checked.views.is_some(),
            ln_followers,
            ln_views,
            views_slope,
            prices,
            price_gain: multiplier.gain,
            multiplier_spread: multiplier.spread,
            mean_ln_price: reported_prices.map_or(0.0, |seen| seen.mean_ln),
            half_price_precision: 0.5 * multiplier.precision,
            weighted: varies || paid || compliance.is_some(),
            deals,
            common_loading: priors.ads_loading,
            affiliate: a_view(priors.affiliate_per_thousand, priors.affiliate_spread),
            other: a_view(priors.other_per_thousand, priors.other_spread),
            fan_funded_from: from(priors.fan_funding_threshold),
            donates_below: half_below(with_signal(priors, priors.donation_share, checked.donation_signal)),
            donation_loading: priors.donation_loading,
            donation: a_view(priors.live_share * priors.donations_per_thousand, priors.donation_spread),
            member_below: below(priors.membership_share),
            membership: Lognormal {
                location: ln(priors.membership_per_follower),
                spread: priors.membership_spread,
            },
            sells_below: half_below(with_signal(priors, does_group_buys, checked.group_buy_signal)),
            campaigns: Counts::new(priors.campaigns_shape, &[priors.campaigns - 1.0], &[], -1.0),
            campaign: Lognormal {
                location: ln(priors.campaign_sales * priors.commission) - 0.5 * ln(50_000.0),
                spread: priors.commission_spread,
            },
            campaign_sum: LognormalSum::new(priors.campaign_spread),
            shares_ads_from: from(priors.ads_threshold),
            ads: a_view(priors.ads_per_thousand * ads_factor, priors.ads_spread),
            remittance: checked.remittance.map(|amount| Remittance {
                ln_amount: ln(amount),
                strange_below: below(priors.remittance_contamination.0),
                spread: priors.remittance_spread,
                strange_spread: priors.remittance_contamination.1,
                donations: priors.remitted_donations,
            }),
            compliance,
            peak_season: priors.peak_season,
            taxable_share: priors.taxable_share,
            platform_contribution: 1.0 - foreign * (1.0 - priors.foreign_contribution),
        }
    }
}

/// The words below which something of this probability happens.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the words")]
#[expect(clippy::cast_sign_loss, reason = "clamped to the words")]
fn below(probability: f64) -> u32 {
    (probability * 4_294_967_296.0).clamp(0.0, 4_294_967_295.0) as u32
}

/// The half words below which something of this probability happens.
fn half_below(probability: f64) -> u32 {
    (below(probability) >> 15).div_ceil(2)
}

/// The multiplier's distribution given reported prices.
struct Multiplier {
    gain: f64,
    spread: f64,
    precision: f64,
}

impl Multiplier {
    /// Normal prices around a normal multiplier: exact.
    fn given(deals: f64, priors: &Priors) -> Self {
        let prior = priors.creator_spread * priors.creator_spread;
        let noise = priors.deal_price_spread * priors.deal_price_spread / deals;
        let gain = prior / (prior + noise);
        Self { gain, spread: (noise * gain).sqrt(), precision: 1.0 / (prior + noise) }
    }
}

/// The median price of a deal by followers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prices {
    pub(crate) intercept: f64,
    pub(crate) slope: f64,
    pub(crate) ln_least: f64,
}

impl Prices {
    fn new(priors: &Priors) -> Self {
        Self {
            intercept: ln(priors.deal_price_per_follower) - priors.deal_price_power * ln(20_000.0),
            slope: 1.0 + priors.deal_price_power,
            ln_least: ln(priors.deal_price_least),
        }
    }

    /// Its logarithm.
    #[inline(always)]
    pub(crate) fn ln_price(&self, ln_followers: f64) -> f64 {
        let formula = self.intercept + self.slope * ln_followers;
        if formula > self.ln_least { formula } else { self.ln_least }
    }
}

/// What follows from a number of followers, for whoever is `paid` by a platform or not: the paid have passed its
/// thresholds, whatever the count says.
pub(crate) fn reach_of(priors: &Priors, posts: Option<f64>, paid: bool, ln_followers: f64) -> Reach {
    Reach {
        ln_price: Prices::new(priors).ln_price(ln_followers),
        deals: deals_of(priors, posts, ln_followers),
        shares_ads: paid || ln_followers >= ln(priors.ads_threshold),
        fan_funded: paid || ln_followers >= ln(priors.fan_funding_threshold),
    }
}

/// Expected deals a year.
pub(crate) fn deals_of(priors: &Priors, posts: Option<f64>, ln_followers: f64) -> f64 {
    let expected = deals_expected(priors, ln_followers);
    posts.map_or(expected, |posts| expected.min(priors.deals_per_post * (posts + 1.0)))
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
