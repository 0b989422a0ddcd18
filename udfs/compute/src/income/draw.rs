use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::model::{Model, Purpose, REACH_SHIFT};
use super::months::{Lump, bounds, peak, reached};
use crate::random::{Block, LANES, Words, exp_lane, ln_lane, normals, words};

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
    /// How many of the monthly thresholds the highest month reaches.
    pub(crate) months: Block,
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
        months: [0.0; LANES],
        ln_weight: [0.0; LANES],
    };
}

/// Columns of [`Outcomes`].
pub(crate) const COLUMNS: usize = 9;

impl Outcomes {
    /// In the order in which draws are kept.
    pub(crate) fn columns(&self) -> [&Block; COLUMNS] {
        [
            &self.ads,
            &self.sponsorship,
            &self.donations,
            &self.group_buy,
            &self.other,
            &self.total,
            &self.taxable,
            &self.months,
            &self.ln_weight,
        ]
    }
}

/// What all components of a draw share.
struct Common {
    draws: Words,
    ln_followers: Block,
    ln_views: Block,
    multipliers: Block,
}

/// Group buys and their number.
struct GroupBuys {
    amounts: Block,
    campaigns: Block,
}

/// Some of the lanes of a block side by side: what few draws need is worked out for them alone.
struct Chosen {
    count: usize,
    lanes: [usize; LANES],
    draws: Words,
}

impl Chosen {
    #[inline(always)]
    fn new(draws: &Words, chooses: impl Fn(usize) -> bool) -> Self {
        let mut chosen = Self { count: 0, lanes: [0; LANES], draws: [0; LANES] };
        for (lane, draw) in draws.iter().enumerate() {
            chosen.lanes[chosen.count] = lane;
            chosen.draws[chosen.count] = *draw;
            chosen.count += usize::from(chooses(lane));
        }
        chosen
    }

    #[inline(always)]
    fn draws(&self) -> &[u32] {
        &self.draws[..self.count.min(LANES)]
    }

    #[inline(always)]
    fn lanes(&self) -> impl Iterator<Item = (usize, usize)> {
        self.lanes[..self.count.min(LANES)].iter().copied().enumerate()
    }

    #[inline(always)]
    fn of(&self, block: &Block) -> Block {
        let mut gathered = [0.0; LANES];
        for (place, lane) in self.lanes() {
            gathered[place] = block[lane];
        }
        gathered
    }
}

/// The draws from `first` on, in the instruction set it is dispatched to; bits are the same in all.
#[derive(Debug)]
pub(crate) struct Draw<'a> {
    pub(crate) model: &'a Model,
    pub(crate) first: u32,
    pub(crate) outcomes: &'a mut Outcomes,
}

impl WithSimd for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.model.draw(self.first, self.outcomes);
    }
}

impl Model {
    /// Makes these draws, a block at a time, and tells how many of the block are of them.
    pub(crate) fn blocks(&self, draws: Range<u32>, mut each: impl FnMut(&Outcomes, usize)) {
        let arch = Arch::new();
        let mut outcomes = Outcomes::ZERO;
        let count = draws.len();
        for (block, first) in draws.step_by(LANES).enumerate() {
            arch.dispatch(Draw { model: self, first, outcomes: &mut outcomes });
            each(&outcomes, LANES.min(count - block * LANES));
        }
    }

    /// A block of draws. The random numbers of each are fixed by the row's key and the draw's number alone.
    #[inline(always)]
    fn draw(&self, first: u32, outcomes: &mut Outcomes) {
        let mut common = Common {
            draws: [first; LANES],
            ln_followers: [self.ln_followers.mean; LANES],
            ln_views: [self.ln_views.location; LANES],
            multipliers: [0.0; LANES],
        };
        for (draw, lane) in common.draws.iter_mut().zip(0_u32..) {
            *draw = draw.wrapping_add(lane);
        }
        let mut prices = [[0; LANES]; 4];
        words(self.key, &common.draws, Purpose::Prices as u32, 0, &mut prices);
        let ranges = self.reach(&mut common);
        let counts = self.sponsorship(&mut common, &prices, &ranges, outcomes);
        let mut sidelines = [[0; LANES]; 4];
        words(self.key, &common.draws, Purpose::Sidelines as u32, 0, &mut sidelines);
        let [affiliate, other, halves, strange] = &sidelines;
        self.donations(&common, halves, outcomes);
        self.ads(&common, &prices[1], strange, outcomes);
        let group_buys = self.group_buys(&common, halves);
        let mut zs = [0.0; LANES];
        normals(affiliate, LANES, &mut zs);
        let mut affiliates = [0.0; LANES];
        for lane in 0..LANES {
            let location = common.ln_views[lane] + self.common_loading * common.multipliers[lane];
            affiliates[lane] =
                exp_lane(location + self.affiliate.location + self.affiliate.spread * f64::from(zs[lane]));
        }
        normals(other, LANES, &mut zs);
        let mut steady = [0.0; LANES];
        for lane in 0..LANES {
            let location = common.ln_views[lane] + self.common_loading * common.multipliers[lane];
            let other = exp_lane(location + self.other.location + self.other.spread * f64::from(zs[lane]));
            let (ads, sponsorship, donations) =
                (outcomes.ads[lane], outcomes.sponsorship[lane], outcomes.donations[lane]);
            let group_buy = group_buys.amounts[lane] + affiliates[lane];
            outcomes.other[lane] = other;
            outcomes.group_buy[lane] = group_buy;
            outcomes.total[lane] = ads + sponsorship + donations + group_buy + other;
            outcomes.taxable[lane] = self.taxable_share
                * ((ads + donations) * self.platform_contribution + sponsorship + group_buy + other);
            steady[lane] = (donations + affiliates[lane] + other + ads * self.peak_season) * (1.0 / 12.0);
        }
        if let Some(compliance) = &self.compliance {
            for lane in 0..LANES {
                outcomes.ln_weight[lane] += compliance.ln_density(outcomes.total[lane]);
            }
        }
        self.months(&common.draws, &steady, &counts, &group_buys, outcomes);
    }

    /// Followers and views; in what range of unknown followers each draw lies.
    #[inline(always)]
    fn reach(&self, common: &mut Common) -> Words {
        let mut ranges = [0; LANES];
        if self.reach_known {
            return ranges;
        }
        let mut drawn = [[0; LANES]; 4];
        words(self.key, &common.draws, Purpose::Reach as u32, 0, &mut drawn);
        let (mut z_followers, mut z_views) = ([0.0; LANES], [0.0; LANES]);
        normals(&drawn[0], LANES, &mut z_followers);
        normals(&drawn[1], LANES, &mut z_views);
        for lane in 0..LANES {
            let ln_followers =
                common.ln_followers[lane] + self.ln_followers.spread * f64::from(z_followers[lane]);
            common.ln_followers[lane] = ln_followers;
            common.ln_views[lane] +=
                self.views_slope * ln_followers + self.ln_views.spread * f64::from(z_views[lane]);
        }
        if self.ln_followers.spread > 0.0 {
            ranges = drawn[0].map(|word| word >> REACH_SHIFT);
        }
        ranges
    }

    /// The multipliers and sponsored deals; the number of deals.
    #[inline(always)]
    fn sponsorship(
        &self,
        common: &mut Common,
        prices: &[Words; 4],
        ranges: &Words,
        outcomes: &mut Outcomes,
    ) -> Block {
        let [multiplier, _, unseen, deal_sums] = prices;
        let mut zs = [0.0; LANES];
        normals(multiplier, LANES, &mut zs);
        let (mut locations, mut counts) = ([0.0; LANES], [0.0; LANES]);
        let weighs = self.weighted && self.ln_followers.spread > 0.0 && self.deals.informative();
        for lane in 0..LANES {
            let ln_price = self.prices.ln_price(common.ln_followers[lane]);
            let surprise = self.mean_ln_price - ln_price;
            common.multipliers[lane] =
                self.price_gain * surprise + self.multiplier_spread * f64::from(zs[lane]);
            locations[lane] = ln_price + common.multipliers[lane];
            outcomes.ln_weight[lane] = -self.half_price_precision * (surprise * surprise);
        }
        for lane in 0..LANES {
            counts[lane] = self.deals.unseen.of_word(ranges[lane] as usize, unseen[lane]);
        }
        if weighs {
            for (ln_weight, range) in outcomes.ln_weight.iter_mut().zip(ranges) {
                *ln_weight += self.deals.unseen.ln_probabilities()[*range as usize];
            }
        }
        let mut amounts = [0.0; LANES];
        if self.deals.sum.is_narrow() {
            self.deals.sum.approximate(deal_sums, LANES, &counts, &locations, &mut amounts);
        } else {
            let purpose = Purpose::DealPrices as u32;
            self.deals.sum.samples(self.key, &common.draws, purpose, &counts, &locations, &mut amounts);
        }
        let (seen_count, seen_sum) = self.deals.seen.map_or((0.0, 0.0), |seen| (seen.count, seen.sum));
        for (sponsorship, amount) in outcomes.sponsorship.iter_mut().zip(&amounts) {
            *sponsorship = seen_sum + amount;
        }
        for count in &mut counts {
            *count += seen_count;
        }
        counts
    }

    #[inline(always)]
    fn donations(&self, common: &Common, halves: &Words, outcomes: &mut Outcomes) {
        outcomes.donations = [0.0; LANES];
        let given = Chosen::new(&common.draws, |lane| {
            (halves[lane] & 0xFFFF < self.donates_below) & (common.ln_followers[lane] >= self.fan_funded_from)
        });
        let mut drawn = [[0; LANES]; 4];
        words(self.key, given.draws(), Purpose::Donations as u32, 0, &mut drawn);
        let (mut z_donations, mut z_members) = ([0.0; LANES], [0.0; LANES]);
        normals(&drawn[0], given.count, &mut z_donations);
        normals(&drawn[2], given.count, &mut z_members);
        let (ln_views, multipliers, ln_followers) =
            (given.of(&common.ln_views), given.of(&common.multipliers), given.of(&common.ln_followers));
        let mut amounts = [0.0; LANES];
        for place in 0..given.count.min(LANES) {
            let loaded = self.donation_loading * multipliers[place];
            let z = f64::from(z_donations[place]);
            let amount =
                exp_lane(ln_views[place] + loaded + self.donation.location + self.donation.spread * z);
            let z = f64::from(z_members[place]);
            let members = exp_lane(
                ln_followers[place] + loaded + self.membership.location + self.membership.spread * z,
            );
            amounts[place] = amount + if drawn[1][place] < self.member_below { members } else { 0.0 };
        }
        for (place, lane) in given.lanes() {
            outcomes.donations[lane] = amounts[place];
        }
    }

    #[inline(always)]
    fn group_buys(&self, common: &Common, halves: &Words) -> GroupBuys {
        let mut drawn = GroupBuys { amounts: [0.0; LANES], campaigns: [0.0; LANES] };
        let selling = Chosen::new(&common.draws, |lane| halves[lane] >> 16 < self.sells_below);
        let mut numbers = [[0; LANES]; 4];
        words(self.key, selling.draws(), Purpose::GroupBuys as u32, 0, &mut numbers);
        let mut zs = [0.0; LANES];
        normals(&numbers[1], selling.count, &mut zs);
        let (multipliers, ln_followers) = (selling.of(&common.multipliers), selling.of(&common.ln_followers));
        let (mut campaigns, mut locations, mut sales) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for place in 0..selling.count.min(LANES) {
            campaigns[place] = self.campaigns.of_word(0, numbers[0][place]);
        }
        for place in 0..selling.count.min(LANES) {
            locations[place] = self.campaign.location
                + 0.5 * ln_followers[place]
                + multipliers[place]
                + self.campaign.spread * f64::from(zs[place]);
        }
        let purpose = Purpose::CampaignSales as u32;
        self.campaign_sum.samples(self.key, selling.draws(), purpose, &campaigns, &locations, &mut sales);
        for (place, lane) in selling.lanes() {
            drawn.amounts[lane] = sales[place];
            drawn.campaigns[lane] = campaigns[place];
        }
        drawn
    }

    /// Advertising revenue. With a remittance, what the platform owed is drawn from the distribution of the
    /// remittance around it, so that every draw agrees with the remittance, and weighed by the prior of
    /// advertising revenue.
    #[inline(always)]
    fn ads(&self, common: &Common, ads: &Words, strange: &Words, outcomes: &mut Outcomes) {
        let mut zs = [0.0; LANES];
        normals(ads, LANES, &mut zs);
        let mut centers = [0.0; LANES];
        for (lane, center) in centers.iter_mut().enumerate() {
            *center =
                common.ln_views[lane] + self.common_loading * common.multipliers[lane] + self.ads.location;
        }
        let Some(remittance) = &self.remittance else {
            for lane in 0..LANES {
                let ads = exp_lane(centers[lane] + self.ads.spread * f64::from(zs[lane]));
                outcomes.ads[lane] =
                    if common.ln_followers[lane] >= self.shares_ads_from { ads } else { 0.0 };
            }
            return;
        };
        for lane in 0..LANES {
            let spread = if strange[lane] < remittance.strange_below {
                remittance.strange_spread
            } else {
                remittance.spread
            };
            let ln_owed = remittance.ln_amount + spread * f64::from(zs[lane]);
            let ads = exp_lane(ln_owed) - remittance.donations * outcomes.donations[lane];
            let ln_ads = ln_lane(ads);
            let z = (ln_ads - centers[lane]) / self.ads.spread;
            let ln_density = ln_owed - ln_ads - 0.5 * (z * z);
            outcomes.ads[lane] = if ads > 0.0 { ads } else { 0.0 };
            outcomes.ln_weight[lane] += if ads > 0.0 { ln_density } else { f64::NEG_INFINITY };
        }
    }

    /// Months are drawn only where they decide what the highest one reaches.
    #[inline(always)]
    fn months(
        &self,
        draws: &Words,
        steady: &Block,
        deals: &Block,
        group_buys: &GroupBuys,
        outcomes: &mut Outcomes,
    ) {
        let lumps = |lane: usize, outcomes: &Outcomes| {
            [
                Lump { amount: outcomes.sponsorship[lane], count: deals[lane] },
                Lump { amount: group_buys.amounts[lane], count: group_buys.campaigns[lane] },
            ]
        };
        let mut most = [0.0; LANES];
        for lane in 0..LANES {
            [outcomes.months[lane], most[lane]] = bounds(steady[lane], lumps(lane, outcomes));
        }
        let open = Chosen::new(draws, |lane| outcomes.months[lane] < most[lane]);
        let mut drawn = [[0; LANES]; 4];
        words(self.key, open.draws(), Purpose::Months as u32, 0, &mut drawn);
        for (place, lane) in open.lanes() {
            let [first, second, third, fourth] = &drawn;
            let lot = [first[place], second[place], third[place], fourth[place]];
            outcomes.months[lane] = reached(steady[lane] + peak(lot, lumps(lane, outcomes)));
        }
    }
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
                        (outcomes.months[lane], plain.months),
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
        let wide = Priors { deal_price_spread: 0.9, campaign_spread: 0.5, ..priors.clone() };
        let small = Priors { deals_shape: 0.4, campaigns: 40.0, campaigns_shape: 0.7, ..priors.clone() };
        for index in 0..60 {
            let full = simulate(&priors, 77, index).evidence;
            check(&full, &priors);
            check(&full, &small);
            check(&full, &wide);
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
