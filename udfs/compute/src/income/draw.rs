use pulp::{Simd, WithSimd};

use super::model::{Model, Purpose};
use super::sponsorship::Sponsorships;
use crate::random::{
    Block, LANES, exp_lane, gammas, ln, ln_lane, normal_lane, poisson_quantiles, uniforms, words,
};

/// Deals or campaigns that are placed in months one by one; of more, equal parts are.
const PLACED: f64 = 8.0;

/// Possible years of a creator, NT$, a draw a lane.
#[derive(Debug)]
pub(crate) struct Outcomes {
    pub(crate) ads: Block,
    pub(crate) sponsorship: Block,
    pub(crate) donations: Block,
    pub(crate) group_buy: Block,
    pub(crate) other: Block,
    pub(crate) total: Block,
    pub(crate) taxable: Block,
    pub(crate) peak_month: Block,
    /// Logarithm of how likely the evidence makes each, up to a constant.
    pub(crate) ln_weight: Block,
}

impl Outcomes {
    pub(crate) const ZERO: Self = Self {
        ads: [0.0; LANES],
        sponsorship: [0.0; LANES],
        donations: [0.0; LANES],
        group_buy: [0.0; LANES],
        other: [0.0; LANES],
        total: [0.0; LANES],
        taxable: [0.0; LANES],
        peak_month: [0.0; LANES],
        ln_weight: [0.0; LANES],
    };
}

/// What follows from the followers in each draw; see [`super::model::Reach`].
#[derive(Debug)]
pub(crate) struct Reaches {
    pub(crate) ln_followers: Block,
    pub(crate) ln_price: Block,
    pub(crate) deals: Block,
    pub(crate) shares_ads: [bool; LANES],
    pub(crate) fan_funded: [bool; LANES],
}

/// Group buys, their number, affiliate commissions, and everything else.
struct Commissions {
    group_buys: Block,
    campaigns: Block,
    affiliate: Block,
    other: Block,
}

/// Some of the lanes of a block side by side: what few draws need is worked out for them alone.
struct Chosen {
    count: usize,
    lanes: [usize; LANES],
    draws: [u32; LANES],
}

impl Chosen {
    #[inline(always)]
    fn new(draws: &[u32; LANES], chooses: impl Fn(usize) -> bool) -> Self {
        let mut chosen = Self { count: 0, lanes: [0; LANES], draws: [0; LANES] };
        for (lane, draw) in draws.iter().enumerate() {
            if chooses(lane) {
                chosen.lanes[chosen.count] = lane;
                chosen.draws[chosen.count] = *draw;
                chosen.count += 1;
            }
        }
        chosen
    }

    #[inline(always)]
    fn draws(&self) -> &[u32] {
        &self.draws[..self.count.min(LANES)]
    }

    #[inline(always)]
    fn of(&self, block: &Block) -> Block {
        let mut gathered = [0.0; LANES];
        for (value, lane) in gathered.iter_mut().zip(&self.lanes[..self.count.min(LANES)]) {
            *value = block[*lane];
        }
        gathered
    }
}

/// The draws from `first` on, in the instruction set it is dispatched to; bits are the same in all.
#[derive(Debug)]
pub(crate) struct Draw<'a, 'm> {
    pub(crate) model: &'a Model<'m>,
    pub(crate) first: u32,
    pub(crate) outcomes: &'a mut Outcomes,
}

impl WithSimd for Draw<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.model.draw(self.first, self.outcomes);
    }
}

impl Model<'_> {
    /// A block of draws. The random numbers of each are fixed by the row's key and the draw's number alone.
    #[inline(always)]
    fn draw(&self, first: u32, outcomes: &mut Outcomes) {
        let priors = self.priors;
        let mut draws = [first; LANES];
        for (draw, lane) in draws.iter_mut().zip(0_u32..) {
            *draw = draw.wrapping_add(lane);
        }
        let mut shared = [[0.0; LANES]; 4];
        uniforms(self.key, &draws, Purpose::Shared as u32, 0, &mut shared);
        let needed = [self.reach.is_err(), self.views.is_none(), true, self.ln_remittance.is_none()];
        for (block, needed) in shared.iter_mut().zip(needed) {
            if needed {
                for number in block {
                    *number = normal_lane(*number);
                }
            }
        }
        let [z_followers, z_views, z_multiplier, z_ads] = &shared;
        let reach = self.reaches(z_followers);
        let mut views = [self.views.unwrap_or(0.0); LANES];
        if self.views.is_none() {
            for lane in 0..LANES {
                views[lane] = self.views_at(reach.ln_followers[lane], z_views[lane]);
            }
        }
        let mut deals = Sponsorships {
            multipliers: [0.0; LANES],
            amounts: [0.0; LANES],
            counts: [0.0; LANES],
            ln_weights: [0.0; LANES],
        };
        self.deals.draw(self, &draws, &reach, z_multiplier, &mut deals);
        outcomes.ln_weight = deals.ln_weights;
        outcomes.donations = self.donations(&draws, &reach, &views, &deals.multipliers);
        let Commissions { group_buys, campaigns, affiliate, other } =
            self.commissions(&draws, &reach, &views, &deals.multipliers);
        self.ads(&draws, &reach, &views, &deals.multipliers, z_ads, outcomes);
        for lane in 0..LANES {
            let (ads, sponsorship, donations) =
                (outcomes.ads[lane], deals.amounts[lane], outcomes.donations[lane]);
            let group_buy = group_buys[lane] + affiliate[lane];
            outcomes.group_buy[lane] = group_buy;
            outcomes.total[lane] = ads + sponsorship + donations + group_buy + other[lane];
            outcomes.taxable[lane] = priors.taxable_share
                * ((ads + donations) * self.platform_contribution + sponsorship + group_buy + other[lane]);
            outcomes.peak_month[lane] =
                (donations + affiliate[lane] + other[lane]) / 12.0 + ads * priors.peak_season / 12.0;
        }
        outcomes.sponsorship = deals.amounts;
        outcomes.other = other;
        if let Some(compliance) = &self.compliance {
            for lane in 0..LANES {
                outcomes.ln_weight[lane] += compliance.ln_density(outcomes.total[lane]);
            }
        }
        let lumpy = Chosen::new(&draws, |lane| deals.counts[lane] >= 1.0 || campaigns[lane] >= 1.0);
        let mut months = [[0; LANES]; 4];
        words(self.key, lumpy.draws(), Purpose::Months as u32, 0, &mut months);
        for (place, lane) in lumpy.lanes[..lumpy.count.min(LANES)].iter().enumerate() {
            let lumps = [(deals.amounts[*lane], deals.counts[*lane]), (group_buys[*lane], campaigns[*lane])];
            outcomes.peak_month[*lane] +=
                peak([months[0][place], months[1][place], months[2][place], months[3][place]], lumps);
        }
    }

    #[inline(always)]
    fn reaches(&self, normals: &Block) -> Reaches {
        let known = match &self.reach {
            Ok(reach) => *reach,
            Err(normal) => self.reach_at(normal.mean),
        };
        let mut reaches = Reaches {
            ln_followers: [known.ln_followers; LANES],
            ln_price: [known.ln_price; LANES],
            deals: [known.deals; LANES],
            shares_ads: [known.shares_ads; LANES],
            fan_funded: [known.fan_funded; LANES],
        };
        if let Err(normal) = &self.reach {
            for (lane, z) in normals.iter().enumerate() {
                let reach = self.reach_at(normal.mean + normal.spread * z);
                reaches.ln_followers[lane] = reach.ln_followers;
                reaches.ln_price[lane] = reach.ln_price;
                reaches.deals[lane] = reach.deals;
                reaches.shares_ads[lane] = reach.shares_ads;
                reaches.fan_funded[lane] = reach.fan_funded;
            }
        }
        reaches
    }

    #[inline(always)]
    fn donations(&self, draws: &[u32; LANES], reach: &Reaches, views: &Block, multipliers: &Block) -> Block {
        let priors = self.priors;
        let mut numbers = [[0.0; LANES]; 4];
        let mut donations = [0.0; LANES];
        uniforms(self.key, draws, Purpose::Donations as u32, 0, &mut numbers);
        let given =
            Chosen::new(draws, |lane| reach.fan_funded[lane] && numbers[0][lane] < self.donation_share);
        let [z_donations, member, z_members] =
            [given.of(&numbers[1]), given.of(&numbers[2]), given.of(&numbers[3])];
        let (views, multipliers, ln_followers) =
            (given.of(views), given.of(multipliers), given.of(&reach.ln_followers));
        let mut amounts = [0.0; LANES];
        for place in 0..given.count.min(LANES) {
            let common = priors.donation_loading * multipliers[place];
            let amount = views[place] / 1000.0
                * priors.live_share
                * priors.donations_per_thousand
                * exp_lane(common + priors.donation_spread * normal_lane(z_donations[place]));
            let members =
                ln_followers[place] + common + priors.membership_spread * normal_lane(z_members[place]);
            let with_members = amount + priors.membership_per_follower * exp_lane(members);
            amounts[place] = if member[place] >= priors.membership_share { amount } else { with_members };
        }
        for (amount, lane) in amounts.iter().zip(&given.lanes[..given.count.min(LANES)]) {
            donations[*lane] = *amount;
        }
        donations
    }

    #[inline(always)]
    fn commissions(
        &self,
        draws: &[u32; LANES],
        reach: &Reaches,
        views: &Block,
        multipliers: &Block,
    ) -> Commissions {
        let (priors, key) = (self.priors, self.key);
        let mut numbers = [[0.0; LANES]; 4];
        uniforms(key, draws, Purpose::GroupBuys as u32, 0, &mut numbers);
        let [any, counts, z_affiliate, z_other] = &numbers;
        let mut drawn = Commissions {
            group_buys: [0.0; LANES],
            campaigns: [0.0; LANES],
            affiliate: [0.0; LANES],
            other: [0.0; LANES],
        };
        for lane in 0..LANES {
            let common = priors.ads_loading * multipliers[lane];
            let thousands = views[lane] / 1000.0;
            drawn.affiliate[lane] = thousands
                * priors.affiliate_per_thousand
                * exp_lane(common + priors.affiliate_spread * normal_lane(z_affiliate[lane]));
            drawn.other[lane] = thousands
                * priors.other_per_thousand
                * exp_lane(common + priors.other_spread * normal_lane(z_other[lane]));
        }
        let sells = Chosen::new(draws, |lane| any[lane] < self.group_buy_share);
        let counts = sells.of(counts);
        let (multipliers, ln_followers) = (sells.of(multipliers), sells.of(&reach.ln_followers));
        let mut commission = [[0.5; LANES]; 4];
        uniforms(key, sells.draws(), Purpose::GroupBuys as u32, 1, &mut commission);
        let shape = priors.campaigns_shape;
        let mut rates = [0.0; LANES];
        gammas(key, sells.draws(), Purpose::CampaignRate as u32, &[shape; LANES], &mut rates);
        let mut centers = [0.0; LANES];
        let ln_middle = ln(50_000.0);
        for place in 0..sells.count.min(LANES) {
            rates[place] = rates[place] * (priors.campaigns - 1.0) / shape;
            centers[place] = self.ln_campaign
                + 0.5 * (ln_followers[place] - ln_middle)
                + multipliers[place]
                + priors.commission_spread * normal_lane(commission[0][place]);
        }
        let (mut campaigns, mut sales) = ([0.0; LANES], [0.0; LANES]);
        poisson_quantiles(&rates, &counts, sells.count.min(LANES), &mut campaigns);
        for number in &mut campaigns {
            *number += 1.0;
        }
        let purpose = Purpose::CampaignSales as u32;
        self.campaign_sum.samples(key, sells.draws(), purpose, &campaigns, &centers, &mut sales);
        for (place, lane) in sells.lanes[..sells.count.min(LANES)].iter().enumerate() {
            drawn.group_buys[*lane] = sales[place];
            drawn.campaigns[*lane] = campaigns[place];
        }
        drawn
    }

    /// Advertising revenue. With a remittance, what the platform owed is drawn from the distribution of the
    /// remittance around it, so that every draw agrees with the remittance, and weighed by the prior of
    /// advertising revenue.
    #[inline(always)]
    fn ads(
        &self,
        draws: &[u32; LANES],
        reach: &Reaches,
        views: &Block,
        multipliers: &Block,
        normals: &Block,
        outcomes: &mut Outcomes,
    ) {
        let priors = self.priors;
        let mut centers = [0.0; LANES];
        for lane in 0..LANES {
            centers[lane] = ln_lane(views[lane] * self.ads_per_view) + priors.ads_loading * multipliers[lane];
        }
        let Some(ln_remittance) = self.ln_remittance else {
            for lane in 0..LANES {
                let ads = exp_lane(centers[lane] + priors.ads_spread * normals[lane]);
                outcomes.ads[lane] = if reach.shares_ads[lane] { ads } else { 0.0 };
            }
            return;
        };
        let mut numbers = [[0.0; LANES]; 4];
        uniforms(self.key, draws, Purpose::Remittance as u32, 0, &mut numbers);
        let [contaminated, zs, ..] = &numbers;
        let (share, wide) = priors.remittance_contamination;
        for lane in 0..LANES {
            let spread = if contaminated[lane] < share { wide } else { priors.remittance_spread };
            let owed = exp_lane(ln_remittance + spread * normal_lane(zs[lane]));
            let ads = owed - priors.remitted_donations * outcomes.donations[lane];
            let z = (ln_lane(ads) - centers[lane]) / priors.ads_spread;
            let ln_density = ln_lane(owed / ads) - 0.5 * z * z;
            let (ads, ln_density) = if ads <= 0.0 { (0.0, f64::NEG_INFINITY) } else { (ads, ln_density) };
            outcomes.ads[lane] = if reach.shares_ads[lane] { ads } else { 0.0 };
            outcomes.ln_weight[lane] += if reach.shares_ads[lane] { ln_density } else { 0.0 };
        }
    }
}

/// The highest month when the lumps, each an amount in a number of equal parts, fall in random months.
#[inline(always)]
pub(crate) fn peak(words: [u32; 4], lumps: [(f64, f64); 2]) -> f64 {
    let mut months = [0.0_f64; 16];
    for ((amount, count), words) in lumps.into_iter().zip([[words[0], words[1]], [words[2], words[3]]]) {
        let parts = count.min(PLACED);
        if parts < 1.0 {
            continue;
        }
        let part = amount / parts;
        let mut left = parts;
        for byte in words.into_iter().flat_map(u32::to_le_bytes) {
            months[((usize::from(byte) * 12) >> 8) & 15] += part;
            left -= 1.0;
            if left < 1.0 {
                break;
            }
        }
    }
    for half in [8, 4, 2, 1] {
        for month in 0..half {
            let other = months[month + half];
            months[month] = if other > months[month] { other } else { months[month] };
        }
    }
    months[0]
}

#[cfg(test)]
mod tests {
    use super::super::{Evidence, Flags, Priors, simulate};
    use super::*;
    use crate::forecast::instruction_sets;

    fn check(evidence: &Evidence, priors: &Priors) {
        let model = Model::new(evidence, priors, 5, &mut Flags::default());
        for arch in instruction_sets() {
            for first in [0, 128, 1_000_003] {
                let mut outcomes = Outcomes::ZERO;
                arch.dispatch(Draw { model: &model, first, outcomes: &mut outcomes });
                for (lane, draw) in (first..).take(LANES).enumerate() {
                    let plain = model.plain(draw);
                    let found = [
                        (outcomes.ads[lane], plain.ads),
                        (outcomes.sponsorship[lane], plain.sponsorship),
                        (outcomes.donations[lane], plain.donations),
                        (outcomes.group_buy[lane], plain.group_buy),
                        (outcomes.other[lane], plain.other),
                        (outcomes.total[lane], plain.total),
                        (outcomes.taxable[lane], plain.taxable),
                        (outcomes.peak_month[lane], plain.peak_month),
                        (outcomes.ln_weight[lane], plain.ln_weight),
                    ];
                    for (which, (found, expected)) in found.into_iter().enumerate() {
                        assert_eq!(
                            found.to_bits(),
                            expected.to_bits(),
                            "{which} of draw {draw} by {arch:?}: {found} {expected} of {evidence:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_lane_on_every_instruction_set_is_the_plain_draw() {
        let priors = Priors::default();
        let small = Priors { deals_shape: 0.4, campaigns: 40.0, campaigns_shape: 0.7, ..priors.clone() };
        for index in 0..60 {
            let full = simulate(&priors, 77, index).evidence;
            check(&full, &priors);
            check(&full, &small);
            check(&Evidence { followers: None, declared_income: None, ..full.clone() }, &priors);
            check(&Evidence { annual_views: None, remittance: None, ..full.clone() }, &priors);
            check(&Evidence { seen_deal_amounts: None, ..full.clone() }, &small);
            check(&Evidence { sponsored_posts: None, followers: Some(400.0), ..full.clone() }, &priors);
            check(&Evidence { annual_views: Some(0.0), remittance: None, ..full.clone() }, &priors);
            check(
                &Evidence {
                    seen_deal_amounts: Some(vec![9_000.0; 300]),
                    sponsored_posts: Some(280.0),
                    followers: Some(2_000_000.0),
                    ..full
                },
                &priors,
            );
        }
        check(&Evidence::default(), &priors);
    }
}
