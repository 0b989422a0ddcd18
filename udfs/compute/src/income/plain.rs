//! One draw at a time, in plain code: what every lane of a block must be, bit for bit.

use super::model::{Lognormal, Model, Purpose, REACH_SHIFT};
use super::months::{Lump, peak, reached};
use crate::random::{exp, ln, normal_single};

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
    /// How many of the monthly thresholds the highest month reaches.
    pub(crate) months: f64,
    /// Logarithm of how likely the evidence makes it, up to a constant.
    pub(crate) ln_weight: f64,
}

/// What the components share.
struct Shared {
    draw: u32,
    ln_followers: f64,
    ln_views: f64,
    multiplier: f64,
}

fn normal(word: u32) -> f64 {
    f64::from(normal_single(word))
}

impl Model {
    /// One draw. Its random numbers are fixed by the row's key and `draw` alone.
    pub(crate) fn plain(&self, draw: u32) -> Outcome {
        let [multiplier, ads, unseen, deal_sum] = self.words(draw, Purpose::Prices);
        let [affiliate, other, halves, strange] = self.words(draw, Purpose::Sidelines);
        let mut shared = Shared {
            draw,
            ln_followers: self.ln_followers.mean,
            ln_views: self.ln_views.location,
            multiplier: 0.0,
        };
        let mut range = 0;
        if !self.reach_known {
            let [followers, views, ..] = self.words(draw, Purpose::Reach);
            shared.ln_followers += self.ln_followers.spread * normal(followers);
            shared.ln_views += self.views_slope * shared.ln_followers + self.ln_views.spread * normal(views);
            if self.ln_followers.spread > 0.0 {
                range = (followers >> REACH_SHIFT) as usize;
            }
        }
        let ln_price = self.prices.ln_price(shared.ln_followers);
        let surprise = self.mean_ln_price - ln_price;
        shared.multiplier = self.price_gain * surprise + self.multiplier_spread * normal(multiplier);
        let mut ln_weight = -self.half_price_precision * (surprise * surprise);
        if self.weighted && self.ln_followers.spread > 0.0 && self.deals.informative() {
            ln_weight += self.deals.unseen.ln_probabilities()[range];
        }
        let unseen = self.deals.unseen.of_word(range, unseen);
        let location = ln_price + shared.multiplier;
        let prices = &mut self.key.stream(draw, Purpose::DealPrices as u32);
        let (seen_count, seen_sum) = self.deals.seen.map_or((0.0, 0.0), |seen| (seen.count, seen.sum));
        let sum = if self.deals.sum.is_narrow() {
            self.deals.sum.approximation(deal_sum, unseen, location)
        } else {
            self.deals.sum.sample(prices, unseen, location)
        };
        let sponsorship = seen_sum + sum;

        let donations = self.plain_donations(&shared, halves & 0xFFFF);
        let loaded = shared.ln_views + self.common_loading * shared.multiplier;
        let center = loaded + self.ads.location;
        let ads = match &self.remittance {
            None if shared.ln_followers < self.shares_ads_from => 0.0,
            None => exp(center + self.ads.spread * normal(ads)),
            Some(remittance) => {
                let spread = if strange < remittance.strange_below {
                    remittance.strange_spread
                } else {
                    remittance.spread
                };
                let ln_owed = remittance.ln_amount + spread * normal(ads);
                let ads = exp(ln_owed) - remittance.donations * donations;
                if ads > 0.0 {
                    let z = (ln(ads) - center) / self.ads.spread;
                    ln_weight += ln_owed - ln(ads) - 0.5 * (z * z);
                    ads
                } else {
                    ln_weight = f64::NEG_INFINITY;
                    0.0
                }
            }
        };
        let affiliate = exp(loaded + self.affiliate.location + self.affiliate.spread * normal(affiliate));
        let other = exp(loaded + self.other.location + self.other.spread * normal(other));
        let (group_buys, campaigns) =
            if halves >> 16 < self.sells_below { self.plain_group_buys(&shared) } else { (0.0, 0.0) };
        let group_buy = group_buys + affiliate;
        let total = ads + sponsorship + donations + group_buy + other;
        let taxable = self.taxable_share
            * ((ads + donations) * self.platform_contribution + sponsorship + group_buy + other);
        if let Some(compliance) = &self.compliance {
            ln_weight += compliance.ln_density(total);
        }
        let steady = (donations + affiliate + other + ads * self.peak_season) * (1.0 / 12.0);
        let lumps = [
            Lump { amount: sponsorship, count: seen_count + unseen },
            Lump { amount: group_buys, count: campaigns },
        ];
        let months = reached(steady + peak(self.words(draw, Purpose::Months), lumps));
        Outcome { ads, sponsorship, donations, group_buy, other, total, taxable, months, ln_weight }
    }

    fn words(&self, draw: u32, purpose: Purpose) -> [u32; 4] {
        self.key.stream(draw, purpose as u32).words()
    }

    fn plain_donations(&self, shared: &Shared, donates: u32) -> f64 {
        if donates >= self.donates_below || shared.ln_followers < self.fan_funded_from {
            return 0.0;
        }
        let [given, member, members, _] = self.words(shared.draw, Purpose::Donations);
        let loaded = self.donation_loading * shared.multiplier;
        let given =
            exp(shared.ln_views + loaded + self.donation.location + self.donation.spread * normal(given));
        if member >= self.member_below {
            return given;
        }
        let Lognormal { location, spread } = self.membership;
        given + exp(shared.ln_followers + loaded + location + spread * normal(members))
    }

    /// Group buys and their number.
    fn plain_group_buys(&self, shared: &Shared) -> (f64, f64) {
        let [campaigns, commission, ..] = self.words(shared.draw, Purpose::GroupBuys);
        let campaigns = self.campaigns.of_word(0, campaigns);
        let location = self.campaign.location
            + 0.5 * shared.ln_followers
            + shared.multiplier
            + self.campaign.spread * normal(commission);
        let sales = &mut self.key.stream(shared.draw, Purpose::CampaignSales as u32);
        (self.campaign_sum.sample(sales, campaigns, location), campaigns)
    }
}
