use super::model::reach_of;
use super::{Category, Evidence, Priors};
use crate::random::{RowKey, Stream, beta, exp, gamma, ln, normal_quantile, poisson_quantile, uniform};

/// The truth of an invented creator, NT$.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Gross receipts.
    pub total: f64,
    /// Advertising revenue.
    pub ads: f64,
    /// Sponsored deals.
    pub sponsorship: f64,
    /// Donations and memberships.
    pub donations: f64,
    /// Group buys and affiliate commissions.
    pub group_buy: f64,
    /// Everything else.
    pub other: f64,
}

/// An invented creator: what is true, and all that could be observed of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Every field observed; set a field to `None` to hide it.
    pub evidence: Evidence,
    /// What the evidence came from.
    pub truth: Truth,
}

/// Invents creator number `index` of a world: the model run forwards, every deal, campaign and thinning on its
/// own, with none of the estimator's shortcuts. Change `priors` for a world the estimator does not expect.
#[must_use]
pub fn simulate(priors: &Priors, world: u64, index: u32) -> Simulated {
    let key = RowKey::new(world, b"simulated");
    let mut step = 0;
    let mut next = || {
        step += 1;
        key.stream(index, 1_000 + step)
    };
    let mut normals = next();
    let mut uniforms = next();
    let mut normal = || normal_quantile(uniform(normals.words()[0]));
    let mut chance = || uniform(uniforms.words()[0]);

    let ln_followers = priors.followers_location + priors.followers_spread * normal();
    let followers = exp(ln_followers).max(1.0).floor();
    let ln_followers = ln(followers);
    let views =
        (exp(priors.views_intercept + priors.views_slope * ln_followers + priors.views_spread * normal())
            * (365.0 / 30.0))
            .floor();
    let category = Category::ALL[pick(chance(), Category::ALL.len())];
    let foreign = chance() * 0.4;
    let posts = (20.0 + 200.0 * chance()).floor();
    let remitted = chance() < 0.5;
    let reach = reach_of(priors, Some(posts), false, ln_followers);
    let multiplier = priors.creator_spread * normal();

    let thousands = views / 1000.0;
    let ads = if reach.shares_ads {
        thousands
            * priors.ads_per_thousand
            * priors.ads_factor(Some(category))
            * (1.0 + foreign * (priors.foreign_views_factor - 1.0))
            * exp(priors.ads_loading * multiplier + priors.ads_spread * normal())
    } else {
        0.0
    };

    let rate = gamma(&mut next(), priors.deals_shape) / priors.deals_shape * reach.deals;
    let reported = share(&mut next(), &mut next(), priors.reported_share);
    let shown = share(&mut next(), &mut next(), priors.detected_share);
    let (mut sponsorship, mut seen, mut detected) = (0.0, Vec::new(), 0.0);
    let mut left = poisson_quantile(rate, chance());
    while left >= 1.0 {
        let price = exp(reach.ln_price + multiplier + priors.deal_price_spread * normal());
        sponsorship += price;
        if chance() < reported {
            seen.push(price);
        }
        if chance() < shown {
            detected += 1.0;
        }
        left -= 1.0;
    }

    let takes_donations = chance() < priors.donation_share;
    let mut donations = 0.0;
    if takes_donations && reach.fan_funded {
        let common = priors.donation_loading * multiplier;
        donations = thousands
            * priors.live_share
            * priors.donations_per_thousand
            * exp(common + priors.donation_spread * normal());
        if chance() < priors.membership_share {
            donations += priors.membership_per_follower
                * exp(ln_followers + common + priors.membership_spread * normal());
        }
    }

    let common = exp(priors.ads_loading * multiplier);
    let mut group_buy =
        thousands * priors.affiliate_per_thousand * common * exp(priors.affiliate_spread * normal());
    let other = thousands * priors.other_per_thousand * common * exp(priors.other_spread * normal());
    let sells = if category.sells_to_groups() { priors.group_buy_share.1 } else { priors.group_buy_share.0 };
    let runs_group_buys = chance() < sells;
    if runs_group_buys {
        let rate =
            gamma(&mut next(), priors.campaigns_shape) / priors.campaigns_shape * (priors.campaigns - 1.0);
        let center = ln(priors.campaign_sales * priors.commission)
            + 0.5 * (ln_followers - ln(50_000.0))
            + multiplier
            + priors.commission_spread * normal();
        let mut left = 1.0 + poisson_quantile(rate, chance());
        while left >= 1.0 {
            group_buy += exp(center + priors.campaign_spread * normal());
            left -= 1.0;
        }
    }

    let total = ads + sponsorship + donations + group_buy + other;
    let owed = ads + priors.remitted_donations * donations;
    let (contaminated, wide) = priors.remittance_contamination;
    let spread = if chance() < contaminated { wide } else { priors.remittance_spread };
    let remittance = (remitted && owed > 0.0).then(|| owed * exp(spread * normal()));

    let seen_sum: f64 = seen.iter().sum();
    let compliant = chance() < priors.compliant_share;
    let declared_share =
        share(&mut next(), &mut next(), if compliant { priors.compliant } else { priors.evading });
    let (astray, spread) = priors.declaration_contamination;
    let declared = if chance() < astray {
        total * exp(spread * normal())
    } else {
        seen_sum + declared_share * (total - seen_sum)
    };

    let signals = |shows: bool, chance: f64| {
        chance < if shows { priors.signal_sensitivity } else { 1.0 - priors.signal_specificity }
    };
    Simulated {
        evidence: Evidence {
            channel_id: Some(format!("SIM{world}-{index}")),
            year: Some(2025),
            followers: Some(followers),
            annual_views: Some(views),
            category: Some(format!("{category:?}")),
            posts: Some(posts),
            sponsored_posts: Some(detected),
            donation_signal: Some(signals(takes_donations, chance())),
            group_buy_signal: Some(signals(runs_group_buys, chance())),
            seen_deal_amounts: Some(seen),
            remittance,
            declared_income: Some(declared),
            foreign_audience_share: Some(foreign),
            minor: None,
        },
        truth: Truth { total, ads, sponsorship, donations, group_buy, other },
    }
}

fn share(first: &mut Stream, second: &mut Stream, (a, b): (f64, f64)) -> f64 {
    beta(first, second, a, b)
}

#[expect(clippy::cast_possible_truncation, reason = "a share of a small number of choices")]
#[expect(clippy::cast_sign_loss, reason = "a share of a small number of choices")]
fn pick(chance: f64, choices: usize) -> usize {
    let choices_f = choices as f64;
    ((chance * choices_f) as usize).min(choices - 1)
}
