use super::keys::{Keys, Neighbour};
use super::layout::Layout;
use super::taxpayer::Community;
use crate::calendar::{YEARS, day};
use crate::random::{Stream, Topic, to_whole};
use crate::reference::{Category, category_by_weight, words};

/// Where a paid promotion appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DealFormat {
    Video,
    Post,
    ShortVideo,
    Story,
}

/// One paid promotion.
#[derive(Clone, Debug)]
pub(crate) struct Deal {
    /// Position of the payer among the community's businesses.
    pub(crate) payer: usize,
    pub(crate) brand: &'static str,
    pub(crate) day: i32,
    pub(crate) format: DealFormat,
    pub(crate) amount: i64,
    /// The payer reported it to the authority.
    pub(crate) reported: bool,
    /// Its text leaves traces (a code, a link, a label).
    pub(crate) detectable: bool,
    /// Its text says openly that it is paid for.
    pub(crate) disclosed: bool,
}

/// What a creator truly earned in a year, NT$, gross.
#[derive(Clone, Debug)]
pub(crate) struct YearTruth {
    pub(crate) year: i32,
    /// Views of long videos and of Shorts in the year.
    pub(crate) long_views: i64,
    pub(crate) short_views: i64,
    pub(crate) ads: i64,
    pub(crate) deals: Vec<Deal>,
    pub(crate) sponsorship: i64,
    pub(crate) donations: i64,
    pub(crate) group_buy: i64,
    pub(crate) campaigns: u32,
    pub(crate) other: i64,
    pub(crate) total: i64,
    pub(crate) declared: i64,
    /// Money from abroad, when it comes in by bank.
    pub(crate) remitted: Option<i64>,
}

/// A person with a channel.
#[derive(Clone, Debug)]
pub(crate) struct Creator {
    /// Index over the whole lake.
    pub(crate) index: u64,
    /// Position in the community's taxpayers.
    pub(crate) taxpayer: usize,
    pub(crate) channel_id: String,
    /// Begins with `@`; the same on every platform.
    pub(crate) handle: String,
    pub(crate) nick: &'static str,
    pub(crate) title: String,
    pub(crate) category: &'static Category,
    pub(crate) followers: i64,
    pub(crate) follower_count_hidden: bool,
    pub(crate) opened_on: i32,
    pub(crate) live: bool,
    pub(crate) keys: Keys,
    pub(crate) compliant: bool,
    /// Videos and posts in each year: (long videos, Shorts, posts).
    pub(crate) documents: [(u64, u64, u64); 2],
    pub(crate) years: Vec<YearTruth>,
}

/// Spread of the multiplier that a creator's prices and ad rates share.
const SHARED_SPREAD: f64 = 0.5;

/// The creators of a community.
pub(crate) fn creators(seed: u64, layout: &Layout, community: &Community) -> Vec<Creator> {
    let count = layout.creators(community.index).min(community.individuals.len() as u64);
    let documents = layout.documents(community.index);
    let share = |total: u64, nth: u64| total * (nth + 1) / count - total * nth / count;
    let mut creators: Vec<Creator> = (0..count)
        .map(|nth| {
            let ordinal = usize::try_from(nth * community.individuals.len() as u64 / count).unwrap_or(0);
            build(seed, community, community.individuals[ordinal], (nth, count), share(documents, nth))
        })
        .collect();
    let mut neighbours: Vec<Neighbour> = creators
        .iter()
        .map(|creator| Neighbour { handle: creator.handle.clone(), channel_id: creator.channel_id.clone() })
        .collect();
    if !neighbours.is_empty() {
        neighbours.rotate_left(1);
    }
    for (creator, neighbour) in creators.iter_mut().zip(neighbours) {
        creator.keys.neighbour = neighbour;
    }
    creators
}

fn build(seed: u64, community: &Community, taxpayer: usize, place: (u64, u64), documents: u64) -> Creator {
    let index = community.taxpayers[taxpayer].index;
    let mut random = Stream::new(seed, Topic::Creator, 0, index);
    let category = category_by_weight(&mut random);
    let word = random.index(words().nickname.len());
    let nick = words().nickname[word];
    let suffix = random.pick(&category.suffixes).unwrap_or_default();
    let short_share = u64::from(random.below(6));
    let live = random.per_mille(if category.key == "gaming" { 600 } else { 220 });
    let halves = [documents / 2, documents - documents / 2].map(|of_year| {
        let videos = of_year * 2 / 5;
        let shorts = videos * short_share / 10;
        (videos - shorts, shorts, of_year - videos)
    });
    let mut creator = Creator {
        index,
        taxpayer,
        channel_id: channel_id(&mut random),
        handle: format!("@{}{}", words().handle[word], base36(index)),
        nick,
        title: format!("{nick}{suffix}"),
        category,
        followers: to_whole(random.log_normal(30_000.0, 1.3).clamp(300.0, 8_000_000.0)),
        follower_count_hidden: random.per_mille(40),
        opened_on: day(2012, 1, 1) + random.days(0, 4_200),
        live,
        keys: Keys::draw(seed, community, place, taxpayer, random.per_mille(244)),
        compliant: random.per_mille(550),
        documents: halves,
        years: Vec::new(),
    };
    let shared = SHARED_SPREAD * random.normal();
    let reporting = random.beta(6.0, 4.0);
    for (year, documents) in YEARS.into_iter().zip(halves) {
        let mut random = Stream::new(seed, Topic::CreatorYear, u32::try_from(year).unwrap_or(0), index);
        let earner = Earner { creator: &creator, shared, reporting, payers: community.businesses.len() };
        let truth = earner.year(year, documents, &mut random);
        creator.years.push(truth);
    }
    creator
}

struct Earner<'a> {
    creator: &'a Creator,
    /// Logarithm of the multiplier on prices and ad rates.
    shared: f64,
    /// Chance that a payer reports a deal.
    reporting: f64,
    payers: usize,
}

impl Earner<'_> {
    fn year(&self, year: i32, documents: (u64, u64, u64), random: &mut Stream) -> YearTruth {
        let followers = float(self.creator.followers);
        let views = followers * random.log_normal(12.0, 1.2);
        let (long, short) = (documents.0 as f64, documents.1 as f64 * 2.0);
        let parts = (long + short).max(1.0);
        let (long_views, short_views) = (views * long / parts, views * short / parts);
        let factor = f64::from(self.creator.category.revenue_factor) / 100.0;
        let ad_median = long_views / 1000.0 * 35.0 * factor + short_views / 1000.0 * 0.9;
        let ads = to_whole(ad_median * libm::exp(0.6 * self.shared) * random.log_normal(1.0, 0.6));
        let deals = self.deals(year, random);
        let sponsorship = deals.iter().map(|deal| deal.amount).sum();
        let donations = if self.creator.live {
            let median = views * 0.25 / 1000.0 * 60.0;
            to_whole(median * libm::exp(0.4 * self.shared) * random.log_normal(1.0, 0.9))
        } else {
            0
        };
        let (campaigns, group_buy) = self.group_buy(followers, random);
        let other = to_whole(views / 1000.0 * random.log_normal(3.0, 1.2));
        let total = ads + sponsorship + donations + group_buy + other;
        let reported: i64 = deals.iter().filter(|deal| deal.reported).map(|deal| deal.amount).sum();
        let honesty = if self.creator.compliant { random.beta(6.0, 1.0) } else { random.beta(1.2, 3.0) };
        let declared = reported + to_whole(honesty * float(total - reported));
        let remitted = random.chance(0.5).then(|| {
            let spread = if random.chance(0.05) { 0.6 } else { 0.12 };
            to_whole((float(ads) + 0.7 * float(donations)) * random.log_normal(1.0, spread))
        });
        YearTruth {
            year,
            long_views: to_whole(long_views),
            short_views: to_whole(short_views),
            ads,
            deals,
            sponsorship,
            donations,
            group_buy,
            campaigns,
            other,
            total,
            declared,
            remitted: remitted.filter(|&amount| amount > 0),
        }
    }

    fn deals(&self, year: i32, random: &mut Stream) -> Vec<Deal> {
        if self.payers == 0 {
            return Vec::new();
        }
        let followers = float(self.creator.followers);
        let mean = match self.creator.followers {
            ..10_000 => 1.0,
            10_000..50_000 => 5.0,
            50_000..300_000 => 14.0,
            300_000..1_000_000 => 28.0,
            _ => 36.0,
        };
        let rate = random.gamma(1.2) * mean / 1.2;
        let post_price = if self.creator.followers < 10_000 {
            1_500.0
        } else {
            0.26 * followers * libm::pow(followers / 20_000.0, 0.12)
        };
        (0..random.poisson(rate))
            .map(|_| {
                let (format, factor) = match random.below(100) {
                    0..40 => (DealFormat::Video, 2.5),
                    40..70 => (DealFormat::Post, 1.0),
                    70..85 => (DealFormat::ShortVideo, 0.7),
                    _ => (DealFormat::Story, 0.3),
                };
                let price = post_price * factor * 0.75 * libm::exp(self.shared) * random.log_normal(1.0, 0.5);
                Deal {
                    payer: random.index(self.payers),
                    brand: random.pick(&words().brand).unwrap_or_default(),
                    day: day(year, 1, 1) + random.days(0, 364),
                    format,
                    amount: to_whole(price).max(300),
                    reported: random.chance(self.reporting),
                    detectable: random.chance(0.5),
                    disclosed: random.chance(0.35),
                }
            })
            .collect()
    }

    fn group_buy(&self, followers: f64, random: &mut Stream) -> (u32, i64) {
        if !random.per_mille(self.creator.category.group_buy_share * 10) {
            return (0, 0);
        }
        let rate = random.gamma(1.0) * 6.0;
        let campaigns = random.poisson(rate);
        let reach = libm::pow(followers / 50_000.0, 0.7);
        let commission = (0..campaigns)
            .map(|_| {
                let turnover = random.log_normal(150_000.0, 1.3) * reach * libm::exp(0.5 * self.shared);
                to_whole(turnover * random.log_normal(0.15, 0.4).min(0.4))
            })
            .sum();
        (campaigns, commission)
    }
}

fn float(value: i64) -> f64 {
    value as f64
}

fn channel_id(random: &mut Stream) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let tail = (0..22).map(|_| char::from(ALPHABET[random.index(ALPHABET.len())]));
    "UC".chars().chain(tail).collect()
}

fn base36(mut value: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(u32::try_from(value % 36).unwrap_or(0), 36).unwrap_or('0'));
        value /= 36;
        if value == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Size;

    #[test]
    fn incomes_add_up_and_declare_at_least_what_payers_reported() {
        let layout = Layout::new(Size::of(0.01).unwrap());
        let community = Community::build(42, &layout, 0);
        let creators = creators(42, &layout, &community);
        assert_eq!(creators.len(), 200);
        for creator in &creators {
            assert!(creator.channel_id.len() == 24 && creator.handle.starts_with('@'));
            for year in &creator.years {
                assert_eq!(
                    year.total,
                    year.ads + year.sponsorship + year.donations + year.group_buy + year.other
                );
                let reported: i64 = year.deals.iter().filter(|d| d.reported).map(|d| d.amount).sum();
                assert!(reported <= year.declared && year.declared <= year.total, "{year:?}");
            }
        }
        let declared: i64 = creators.iter().flat_map(|c| &c.years).map(|y| y.declared).sum();
        let total: i64 = creators.iter().flat_map(|c| &c.years).map(|y| y.total).sum();
        assert!((0.4..0.95).contains(&(declared as f64 / total as f64)), "{declared} of {total}");
    }
}
