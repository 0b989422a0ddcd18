//! One draw at a time, in plain code: what every lane of a block must be, bit for bit.

use super::draw::peak;
use super::model::{Model, Purpose, Reach};
use super::sponsorship::{Deals, overlap};
use crate::random::{beta, exp, gamma, ln, normal_quantile, poisson_quantile, uniform};

/// One possible year of a creator, NT$.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) ads: f64,
    pub(crate) sponsorship: f64,
    pub(crate) donations: f64,
    pub(crate) group_buy: f64,
    pub(crate) other: f64,
    pub(crate) total: f64,
    pub(crate) taxable: f64,
    pub(crate) peak_month: f64,
    /// Logarithm of how likely the evidence makes it, up to a constant.
    pub(crate) ln_weight: f64,
}

/// One draw of a creator's multiplier and sponsorship.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sponsorship {
    pub(crate) multiplier: f64,
    pub(crate) amount: f64,
    pub(crate) count: f64,
    pub(crate) ln_weight: f64,
}

impl Model<'_> {
    /// One draw. Its random numbers are fixed by the row's key and `draw` alone.
    pub(crate) fn plain(&self, draw: u32) -> Outcome {
        let priors = self.priors;
        let [z_followers, z_views, z_multiplier, z_ads] =
            self.key.stream(draw, Purpose::Shared as u32).normals();
        let reach = match &self.reach {
            Ok(reach) => *reach,
            Err(normal) => self.reach_at(normal.mean + normal.spread * z_followers),
        };
        let views = self.views.unwrap_or_else(|| self.views_at(reach.ln_followers, z_views));
        let deals = self.deals.plain(self, draw, &reach, z_multiplier);
        let multiplier = deals.multiplier;
        let mut ln_weight = deals.ln_weight;

        let donations = self.plain_donations(draw, &reach, views, multiplier);
        let (group_buys, campaigns, affiliate, other) =
            self.plain_commissions(draw, &reach, views, multiplier);
        let ads = if reach.shares_ads {
            let center = ln(views * self.ads_per_view) + priors.ads_loading * multiplier;
            match self.ln_remittance {
                Some(ln_remittance) => {
                    let (ads, ln_density) = self.plain_ads(draw, ln_remittance, center, donations);
                    ln_weight += ln_density;
                    ads
                }
                None => exp(center + priors.ads_spread * z_ads),
            }
        } else {
            0.0
        };
        let group_buy = group_buys + affiliate;
        let total = ads + deals.amount + donations + group_buy + other;
        if let Some(compliance) = &self.compliance {
            ln_weight += compliance.ln_density(total);
        }
        let steady = (donations + affiliate + other) / 12.0 + ads * priors.peak_season / 12.0;
        Outcome {
            ads,
            sponsorship: deals.amount,
            donations,
            group_buy,
            other,
            total,
            taxable: priors.taxable_share
                * ((ads + donations) * self.platform_contribution + deals.amount + group_buy + other),
            peak_month: steady
                + self.plain_peak(draw, [(deals.amount, deals.count), (group_buys, campaigns)]),
            ln_weight,
        }
    }

    fn plain_donations(&self, draw: u32, reach: &Reach, views: f64, multiplier: f64) -> f64 {
        let priors = self.priors;
        let [any, z_donations, member, z_members] = self.key.stream(draw, Purpose::Donations as u32).words();
        if !reach.fan_funded || uniform(any) >= self.donation_share {
            return 0.0;
        }
        let common = priors.donation_loading * multiplier;
        let given = views / 1000.0
            * priors.live_share
            * priors.donations_per_thousand
            * exp(common + priors.donation_spread * normal_quantile(uniform(z_donations)));
        if uniform(member) >= priors.membership_share {
            return given;
        }
        let members =
            reach.ln_followers + common + priors.membership_spread * normal_quantile(uniform(z_members));
        given + priors.membership_per_follower * exp(members)
    }

    /// Group buys, their number, affiliate commissions, and everything else.
    fn plain_commissions(
        &self,
        draw: u32,
        reach: &Reach,
        views: f64,
        multiplier: f64,
    ) -> (f64, f64, f64, f64) {
        let priors = self.priors;
        let mut stream = self.key.stream(draw, Purpose::GroupBuys as u32);
        let [any, count, z_affiliate, z_other] = stream.words();
        let common = priors.ads_loading * multiplier;
        let thousands = views / 1000.0;
        let affiliate = thousands
            * priors.affiliate_per_thousand
            * exp(common + priors.affiliate_spread * normal_quantile(uniform(z_affiliate)));
        let other = thousands
            * priors.other_per_thousand
            * exp(common + priors.other_spread * normal_quantile(uniform(z_other)));
        if uniform(any) >= self.group_buy_share {
            return (0.0, 0.0, affiliate, other);
        }
        let [z_commission, ..] = stream.normals();
        let shape = priors.campaigns_shape;
        let rate = gamma(&mut self.key.stream(draw, Purpose::CampaignRate as u32), shape)
            * (priors.campaigns - 1.0)
            / shape;
        let campaigns = 1.0 + poisson_quantile(rate, uniform(count));
        let center = self.ln_campaign
            + 0.5 * (reach.ln_followers - ln(50_000.0))
            + multiplier
            + priors.commission_spread * z_commission;
        let sales = self.campaign_sum.sample(
            &mut self.key.stream(draw, Purpose::CampaignSales as u32),
            campaigns,
            center,
        );
        (sales, campaigns, affiliate, other)
    }

    /// Draws what the platform owed from the distribution of the remittance around it, so that every draw
    /// agrees with the remittance, and weighs it by the prior of advertising revenue.
    fn plain_ads(&self, draw: u32, ln_remittance: f64, center: f64, donations: f64) -> (f64, f64) {
        let priors = self.priors;
        let [contaminated, z, ..] = self.key.stream(draw, Purpose::Remittance as u32).words();
        let (share, wide) = priors.remittance_contamination;
        let spread = if uniform(contaminated) < share { wide } else { priors.remittance_spread };
        let owed = exp(ln_remittance + spread * normal_quantile(uniform(z)));
        let ads = owed - priors.remitted_donations * donations;
        if ads <= 0.0 {
            return (0.0, f64::NEG_INFINITY);
        }
        let z = (ln(ads) - center) / priors.ads_spread;
        (ads, ln(owed / ads) - 0.5 * z * z)
    }

    fn plain_peak(&self, draw: u32, lumps: [(f64, f64); 2]) -> f64 {
        if lumps.iter().all(|(_, count)| *count < 1.0) {
            return 0.0;
        }
        peak(self.key.stream(draw, Purpose::Months as u32).words(), lumps)
    }
}

impl Deals {
    /// Draws the multiplier and the deals of a creator with this reach.
    #[inline]
    pub(crate) fn plain(&self, model: &Model<'_>, draw: u32, reach: &Reach, normal: f64) -> Sponsorship {
        let priors = model.priors;
        let stream = |purpose: Purpose| model.key.stream(draw, purpose as u32);
        let mut ln_weight = 0.0;
        let mut shape = priors.deals_shape;
        let mut rate = priors.deals_shape / reach.deals;
        let mut hidden = 1.0;
        let mut multiplier = priors.creator_spread * normal;
        let (mut seen_count, mut seen_sum) = (0.0, 0.0);
        if let Some(seen) = self.seen {
            let (a, b) = priors.reported_share;
            let reported =
                beta(&mut stream(Purpose::ReportedFirst), &mut stream(Purpose::ReportedSecond), a, b);
            (seen_count, seen_sum) = (seen.count, seen.sum);
            ln_weight += shape * ln(rate / (rate + reported)) + seen.count * ln(reported / (rate + reported));
            shape += seen.count;
            rate += reported;
            hidden = 1.0 - reported;
            if seen.count > 0.0 {
                let prior = priors.creator_spread * priors.creator_spread;
                let noise = priors.deal_price_spread * priors.deal_price_spread / seen.count;
                let surprise = seen.mean_ln - reach.ln_price;
                let gain = prior / (prior + noise);
                ln_weight -= 0.5 * surprise * surprise / (prior + noise);
                multiplier = gain * surprise + (noise * gain).sqrt() * normal;
            }
        }
        let count_words = stream(Purpose::DealCount).words().map(uniform);
        let mut unseen = 0.0;
        if let Some(detected) = &self.detected {
            let (a, b) = priors.detected_share;
            let shown = beta(&mut stream(Purpose::DetectedFirst), &mut stream(Purpose::DetectedSecond), a, b);
            let (overlap, ln_possible) = overlap(seen_count, shown, detected.count, count_words[0]);
            let found_unseen = detected.count - overlap;
            let ln_gammas = detected.ln_gammas(found_unseen);
            let thinned = hidden * shown;
            ln_weight += ln_possible + ln_gammas.of_sum - ln_gammas.of_shape - ln_gammas.of_number
                + shape * ln(rate / (rate + thinned))
                + found_unseen * ln(thinned / (rate + thinned));
            shape += found_unseen;
            rate += thinned;
            hidden *= 1.0 - shown;
            unseen = found_unseen;
        }
        let arrivals = gamma(&mut stream(Purpose::DealRate), shape) / rate;
        unseen += poisson_quantile(arrivals * hidden, count_words[1]);
        let amount =
            seen_sum + self.sum.sample(&mut stream(Purpose::DealPrices), unseen, reach.ln_price + multiplier);
        Sponsorship { multiplier, amount, count: seen_count + unseen, ln_weight }
    }
}
