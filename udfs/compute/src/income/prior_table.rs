use super::Priors;

/// How far a prior is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Measured, or a rule.
    High,
    /// Several sources that agree.
    Medium,
    /// One source, or a judgement.
    Low,
}

impl Confidence {
    /// The word in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// What a prior is measured in, and with it which values make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share that may be nothing or all.
    Share,
    /// A probability, never quite zero or one: evidence must be able to speak.
    Probability,
    /// A standard deviation of natural logarithms.
    LogSpread,
    /// A factor on an amount.
    Factor,
    /// An exponent.
    Power,
    /// A parameter of a beta or gamma distribution.
    Shape,
    /// People.
    Followers,
    /// The natural logarithm of people.
    LogFollowers,
    /// The natural logarithm of views in 30 days.
    LogViews,
    /// How often in a year.
    PerYear,
    /// How often in a post.
    PerPost,
    /// NT$.
    Money,
    /// NT$ for a thousand views.
    MoneyPerThousandViews,
    /// NT$ for a follower.
    MoneyPerFollower,
}

impl Unit {
    /// The name in tables, which whoever gives a prior must give with it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Probability => "probability",
            Self::LogSpread => "ln sd",
            Self::Factor => "factor",
            Self::Power => "power",
            Self::Shape => "shape",
            Self::Followers => "followers",
            Self::LogFollowers => "ln followers",
            Self::LogViews => "ln views in 30 days",
            Self::PerYear => "per year",
            Self::PerPost => "per post",
            Self::Money => "NT$",
            Self::MoneyPerThousandViews => "NT$ per 1000 views",
            Self::MoneyPerFollower => "NT$ per follower",
        }
    }

    /// The smallest and the largest value that can be meant. Within them the model gives finite answers.
    #[must_use]
    pub fn bounds(self) -> (f64, f64) {
        match self {
            Self::Share => (0.0, 1.0),
            Self::Probability => (0.001, 0.999),
            Self::LogSpread => (0.01, 4.0),
            Self::Factor => (0.01, 100.0),
            Self::Power => (0.0, 3.0),
            Self::Shape => (0.4, 200.0),
            Self::Followers => (1.0, 1e9),
            Self::LogFollowers => (0.0, 20.0),
            Self::LogViews => (-30.0, 30.0),
            Self::PerYear => (0.01, 1_000.0),
            Self::PerPost => (0.001, 10.0),
            Self::Money => (1.0, 1e8),
            Self::MoneyPerThousandViews => (0.001, 10_000.0),
            Self::MoneyPerFollower => (0.000_1, 1_000.0),
        }
    }
}

/// One of the numbers in [`Priors`]: its name in tables, what it means, how far off it may be.
#[derive(Debug, Clone, Copy)]
pub struct Prior {
    /// Its name.
    pub name: &'static str,
    /// Which of several of one name: a category, a number of followers, a parameter; empty where there is one.
    pub key: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// The lowest value that one who knows the sources would defend.
    pub low: f64,
    /// The highest such value.
    pub high: f64,
    /// What it means, in a sentence for who is no modeller.
    pub meaning: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// How far it is trusted.
    pub confidence: Confidence,
    slot: fn(&mut Priors) -> &mut f64,
}

impl Prior {
    /// Its value in these priors.
    #[must_use]
    pub fn of(&self, priors: &Priors) -> f64 {
        *(self.slot)(&mut priors.clone())
    }

    /// Sets its value.
    pub fn set(&self, priors: &mut Priors, value: f64) {
        *(self.slot)(priors) = value;
    }

    /// The built-in value.
    #[must_use]
    pub fn default_value(&self) -> f64 {
        *(self.slot)(&mut Priors::default())
    }
}

type Slot = fn(&mut Priors) -> &mut f64;

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
const fn row(
    name: &'static str,
    key: &'static str,
    unit: Unit,
    (low, high): (f64, f64),
    meaning: &'static str,
    source: &'static str,
    confidence: Confidence,
    slot: Slot,
) -> Prior {
    Prior { name, key, unit, low, high, meaning, source, confidence, slot }
}

use Confidence::{High, Low, Medium};
use Unit::{
    Factor, Followers, LogFollowers, LogSpread, LogViews, Money, MoneyPerFollower, MoneyPerThousandViews,
    PerPost, PerYear, Power, Probability, Shape, Share,
};

const AUTHOR: &str = "author";
const AUDITS: &str = "author; to be learnt from audits";
const STREAMERS: &str = "1,281 Taiwanese virtual streamers";
const CPM: &str = "CPM tables of Taiwan, US$2.5 to 6";
const TOPICS: &str = "tables of revenue per 1,000 views by topic, scaled to Taiwan";
const INTERPOLATED: &str = "interpolated between topics";
const PARTNERS: &str = "terms of the partner programme";
const TARIFFS: &str = "tariffs of Taiwanese agencies";
const HUA: &str = "Hua et al. 2022: 18 % of videos, 61 % of channels carry paid content";
const GAO: &str = "GAO-07-1014, sole proprietors";
const ORDER: &str = "Ministry of Finance, order of 2025-12-23";
const RATE: &str = "Advertising of this topic over the average";
const DEALS: &str = "Sponsored deals a year at so many followers";

/// Every prior, in the order of tables.
#[rustfmt::skip]
pub const PRIOR_TABLE: [Prior; 76] = [
    row("creator_spread", "", LogSpread, (0.35, 0.70), "How much prices and rates differ between creators alike in all else", AUTHOR, Medium, |p| &mut p.creator_spread),
    row("followers_location", "", LogFollowers, (9.6, 11.0), "Typical followers where they are hidden", AUTHOR, Low, |p| &mut p.followers_location),
    row("followers_spread", "", LogSpread, (1.0, 1.6), "How much followers differ where they are hidden", AUTHOR, Low, |p| &mut p.followers_spread),
    row("views_intercept", "", LogViews, (-4.9, -2.9), "Views that followers bring: level", STREAMERS, High, |p| &mut p.views_intercept),
    row("views_slope", "", Power, (1.31, 1.51), "Views that followers bring: how fast they grow with followers", STREAMERS, High, |p| &mut p.views_slope),
    row("views_spread", "", LogSpread, (1.43, 2.14), "How much views differ at the same number of followers", STREAMERS, High, |p| &mut p.views_spread),
    row("ads_per_thousand", "", MoneyPerThousandViews, (17.0, 63.0), "Advertising paid out for 1,000 views of long videos", CPM, Medium, |p| &mut p.ads_per_thousand),
    row("ads_factor", "finance", Factor, (2.0, 4.0), RATE, TOPICS, Medium, |p| &mut p.ads_factors[0]),
    row("ads_factor", "technology", Factor, (1.3, 2.7), RATE, TOPICS, Medium, |p| &mut p.ads_factors[1]),
    row("ads_factor", "education", Factor, (1.1, 2.1), RATE, TOPICS, Medium, |p| &mut p.ads_factors[2]),
    row("ads_factor", "health", Factor, (0.9, 1.8), RATE, TOPICS, Medium, |p| &mut p.ads_factors[3]),
    row("ads_factor", "beauty", Factor, (0.7, 1.9), RATE, INTERPOLATED, Low, |p| &mut p.ads_factors[4]),
    row("ads_factor", "food", Factor, (0.65, 1.7), RATE, INTERPOLATED, Low, |p| &mut p.ads_factors[5]),
    row("ads_factor", "vlog", Factor, (0.6, 1.3), RATE, TOPICS, Medium, |p| &mut p.ads_factors[6]),
    row("ads_factor", "entertainment", Factor, (0.5, 1.0), RATE, TOPICS, Medium, |p| &mut p.ads_factors[7]),
    row("ads_factor", "gaming", Factor, (0.4, 0.9), RATE, TOPICS, Medium, |p| &mut p.ads_factors[8]),
    row("ads_factor", "music", Factor, (0.27, 0.75), RATE, INTERPOLATED, Low, |p| &mut p.ads_factors[9]),
    row("ads_factor", "kids", Factor, (0.2, 0.6), RATE, INTERPOLATED, Low, |p| &mut p.ads_factors[10]),
    row("ads_factor", "unknown", Factor, (0.6, 1.6), "Advertising over the average where the topic is unknown", AUTHOR, Low, |p| &mut p.ads_factor_unknown),
    row("ads_spread", "", LogSpread, (0.45, 0.75), "How much advertising differs at the same views and topic", CPM, Medium, |p| &mut p.ads_spread),
    row("ads_loading", "", Power, (0.3, 1.0), "How far a creator's price level moves advertising", AUTHOR, Low, |p| &mut p.ads_loading),
    row("foreign_views_factor", "", Factor, (0.6, 2.1), "What advertisers pay for a view abroad over one at home", "CPM of Japan, Hong Kong, Korea, Singapore against Taiwan", Medium, |p| &mut p.foreign_views_factor),
    row("foreign_share", "", Share, (0.0, 0.3), "Share of the audience that is abroad, where it is unknown", AUTHOR, Low, |p| &mut p.foreign_share),
    row("ads_threshold", "", Followers, (1_000.0, 1_500.0), "Followers below which platforms share no advertising", PARTNERS, High, |p| &mut p.ads_threshold),
    row("fan_funding_threshold", "", Followers, (500.0, 750.0), "Followers below which platforms offer no donations", PARTNERS, High, |p| &mut p.fan_funding_threshold),
    row("peak_season", "", Factor, (1.1, 1.5), "Advertising of the best month over the average month", "CPM of the fourth quarter, 30 to 60 % up", Low, |p| &mut p.peak_season),
    row("deals", "3000", PerYear, (0.4, 2.5), DEALS, HUA, Low, |p| &mut p.deals_by_followers[0].1),
    row("deals", "30000", PerYear, (2.5, 10.0), DEALS, HUA, Low, |p| &mut p.deals_by_followers[1].1),
    row("deals", "120000", PerYear, (7.0, 28.0), DEALS, HUA, Low, |p| &mut p.deals_by_followers[2].1),
    row("deals", "500000", PerYear, (14.0, 56.0), DEALS, HUA, Low, |p| &mut p.deals_by_followers[3].1),
    row("deals", "1500000", PerYear, (18.0, 72.0), DEALS, HUA, Low, |p| &mut p.deals_by_followers[4].1),
    row("deals_shape", "", Shape, (0.6, 2.4), "How alike creators are in the number of their deals", HUA, Low, |p| &mut p.deals_shape),
    row("deals_per_post", "", PerPost, (0.25, 1.0), "Most deals a post", AUTHOR, Low, |p| &mut p.deals_per_post),
    row("deal_price_per_follower", "", MoneyPerFollower, (0.25, 0.95), "Price of a deal for each follower, at 20,000 followers", TARIFFS, Medium, |p| &mut p.deal_price_per_follower),
    row("deal_price_power", "", Power, (0.0, 0.27), "How much more than in proportion the price grows with followers", TARIFFS, Medium, |p| &mut p.deal_price_power),
    row("deal_price_least", "", Money, (500.0, 3_000.0), "Least typical price of a deal", TARIFFS, Low, |p| &mut p.deal_price_least),
    row("deal_price_spread", "", LogSpread, (0.4, 0.7), "How much the prices of one creator's deals differ", TARIFFS, Medium, |p| &mut p.deal_price_spread),
    row("reported_share", "alpha", Shape, (3.0, 9.0), "Deals that payers report: more raises the reported share", AUDITS, Low, |p| &mut p.reported_share.0),
    row("reported_share", "beta", Shape, (2.0, 8.0), "Deals that payers report: more lowers the reported share", AUDITS, Low, |p| &mut p.reported_share.1),
    row("detected_share", "alpha", Shape, (2.5, 8.0), "Deals that can be seen in posts: more raises the share", AUDITS, Low, |p| &mut p.detected_share.0),
    row("detected_share", "beta", Shape, (2.5, 8.0), "Deals that can be seen in posts: more lowers the share", AUDITS, Low, |p| &mut p.detected_share.1),
    row("donation_share", "", Probability, (0.15, 0.5), "Share of creators that take donations", AUTHOR, Low, |p| &mut p.donation_share),
    row("donations_per_thousand", "", MoneyPerThousandViews, (20.0, 180.0), "Donations for 1,000 live views", AUTHOR, Low, |p| &mut p.donations_per_thousand),
    row("live_share", "", Share, (0.05, 0.25), "Live views of all views, of those who take donations", AUTHOR, Low, |p| &mut p.live_share),
    row("donation_spread", "", LogSpread, (0.9, 1.7), "How much donations differ at the same views", AUTHOR, Low, |p| &mut p.donation_spread),
    row("donation_loading", "", Power, (0.0, 0.8), "How far a creator's price level moves donations", AUTHOR, Low, |p| &mut p.donation_loading),
    row("membership_share", "", Probability, (0.25, 0.75), "Of those who take donations, share that sells memberships", AUTHOR, Low, |p| &mut p.membership_share),
    row("membership_per_follower", "", MoneyPerFollower, (0.4, 4.0), "Memberships a year for each follower", AUTHOR, Low, |p| &mut p.membership_per_follower),
    row("membership_spread", "", LogSpread, (0.7, 1.4), "How much memberships differ at the same followers", AUTHOR, Low, |p| &mut p.membership_spread),
    row("group_buy_share", "general", Probability, (0.05, 0.2), "Share of creators that run group buys", AUTHOR, Low, |p| &mut p.group_buy_share.0),
    row("group_buy_share", "beauty and food", Probability, (0.2, 0.5), "Share of creators of beauty and food that run group buys", AUTHOR, Low, |p| &mut p.group_buy_share.1),
    row("campaigns", "", PerYear, (3.0, 12.0), "Group buys a year of those who run them", AUTHOR, Low, |p| &mut p.campaigns),
    row("campaigns_shape", "", Shape, (0.5, 2.0), "How alike creators are in the number of their group buys", AUTHOR, Low, |p| &mut p.campaigns_shape),
    row("campaign_sales", "", Money, (50_000.0, 450_000.0), "Sales of one group buy at 50,000 followers", AUTHOR, Low, |p| &mut p.campaign_sales),
    row("campaign_spread", "", LogSpread, (0.9, 1.7), "How much sales of group buys differ", AUTHOR, Low, |p| &mut p.campaign_spread),
    row("commission", "", Share, (0.08, 0.25), "Creator's share of group-buy sales", "Taiwanese platforms, 5 to 20 % and 10 to 30 %", Medium, |p| &mut p.commission),
    row("commission_spread", "", LogSpread, (0.25, 0.55), "How much that share differs between creators", "Taiwanese platforms, 5 to 20 % and 10 to 30 %", Medium, |p| &mut p.commission_spread),
    row("affiliate_per_thousand", "", MoneyPerThousandViews, (1.0, 9.0), "Affiliate commissions for 1,000 views", AUTHOR, Low, |p| &mut p.affiliate_per_thousand),
    row("affiliate_spread", "", LogSpread, (0.8, 1.6), "How much affiliate commissions differ", AUTHOR, Low, |p| &mut p.affiliate_spread),
    row("other_per_thousand", "", MoneyPerThousandViews, (0.5, 4.5), "Courses, goods, events for 1,000 views", AUTHOR, Low, |p| &mut p.other_per_thousand),
    row("other_spread", "", LogSpread, (1.0, 2.0), "How much those differ", AUTHOR, Low, |p| &mut p.other_spread),
    row("signal_sensitivity", "", Probability, (0.6, 0.95), "How often a sign of donations or group buys shows where there are any", AUTHOR, Low, |p| &mut p.signal_sensitivity),
    row("signal_specificity", "", Probability, (0.9, 0.995), "How often no such sign shows where there are none", AUTHOR, Low, |p| &mut p.signal_specificity),
    row("remitted_donations", "", Share, (0.4, 0.9), "Share of donations in what platforms remit from abroad", AUTHOR, Medium, |p| &mut p.remitted_donations),
    row("remittance_spread", "", LogSpread, (0.06, 0.24), "How far remittances differ from what platforms owe", AUTHOR, Low, |p| &mut p.remittance_spread),
    row("remittance_contamination", "share", Probability, (0.02, 0.15), "Share of remittances that carry something else too", AUTHOR, Low, |p| &mut p.remittance_contamination.0),
    row("remittance_contamination", "spread", LogSpread, (0.4, 1.0), "How far those differ from what platforms owe", AUTHOR, Low, |p| &mut p.remittance_contamination.1),
    row("compliant_share", "", Probability, (0.3, 0.75), "Share of creators that declare nearly all that no payer reported", GAO, Medium, |p| &mut p.compliant_share),
    row("compliant", "alpha", Shape, (3.0, 12.0), "Declared share of the compliant: more raises it", GAO, Medium, |p| &mut p.compliant.0),
    row("compliant", "beta", Shape, (0.5, 2.0), "Declared share of the compliant: more lowers it", GAO, Medium, |p| &mut p.compliant.1),
    row("evading", "alpha", Shape, (0.6, 2.4), "Declared share of the others: more raises it", GAO, Medium, |p| &mut p.evading.0),
    row("evading", "beta", Shape, (1.5, 6.0), "Declared share of the others: more lowers it", GAO, Medium, |p| &mut p.evading.1),
    row("declaration_contamination", "share", Probability, (0.005, 0.05), "Share of declarations that follow neither", AUTHOR, Low, |p| &mut p.declaration_contamination.0),
    row("declaration_contamination", "spread", LogSpread, (0.15, 0.6), "How far those lie from the truth", AUTHOR, Low, |p| &mut p.declaration_contamination.1),
    row("taxable_share", "", Share, (0.55, 0.55), "Share of receipts taxed as income, after the standard expenses of 45 %", ORDER, High, |p| &mut p.taxable_share),
    row("foreign_contribution", "", Share, (0.5, 0.5), "Domestic contribution of foreign audience on a foreign platform", ORDER, High, |p| &mut p.foreign_contribution),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::super::{Category, Evidence, PRIORS_VERSION, estimate};
    use super::*;

    #[test]
    fn every_number_has_one_row() {
        let mut marked = Priors::default();
        for (mark, prior) in PRIOR_TABLE.iter().enumerate() {
            prior.set(&mut marked, 1e9 + mark as f64);
        }
        for (mark, prior) in PRIOR_TABLE.iter().enumerate() {
            assert!((prior.of(&marked) - (1e9 + mark as f64)).abs() < 0.5, "{} {}", prior.name, prior.key);
        }
        let names: BTreeSet<_> = PRIOR_TABLE.iter().map(|prior| (prior.name, prior.key)).collect();
        assert_eq!(names.len(), PRIOR_TABLE.len());
        // The five numbers of followers at which deals are given name rows and are none.
        assert_eq!(size_of::<Priors>() / size_of::<f64>(), PRIOR_TABLE.len() + 5);
    }

    #[test]
    fn values_lie_within_their_range_and_their_unit() {
        for prior in PRIOR_TABLE {
            let (least, most) = prior.unit.bounds();
            let value = prior.default_value();
            assert!(
                least <= prior.low && prior.low <= value && value <= prior.high && prior.high <= most,
                "{} {}: {value}",
                prior.name,
                prior.key
            );
        }
    }

    #[test]
    fn keys_name_the_categories_and_the_followers() {
        let factors = PRIOR_TABLE.iter().filter(|prior| prior.name == "ads_factor" && prior.key != "unknown");
        assert!(factors.map(|prior| Category::from_name(prior.key)).eq(Category::ALL.map(Some)));
        let followers = PRIOR_TABLE.iter().filter(|prior| prior.name == "deals").map(|prior| prior.key);
        assert!(
            followers.eq(Priors::default().deals_by_followers.map(|(followers, _)| followers.to_string()))
        );
    }

    #[test]
    fn any_value_within_the_bounds_gives_a_finite_estimate() {
        let evidence = Evidence {
            channel_id: Some("UC1".to_owned()),
            annual_views: Some(3e6),
            posts: Some(40.0),
            sponsored_posts: Some(5.0),
            donation_signal: Some(true),
            seen_deal_amounts: Some(vec![42_000.0, 60_000.0]),
            remittance: Some(150_000.0),
            declared_income: Some(280_000.0),
            ..Evidence::default()
        };
        for prior in PRIOR_TABLE {
            let (least, most) = prior.unit.bounds();
            for value in [least, most] {
                for followers in [None, Some(80_000.0)] {
                    let mut priors = Priors::default();
                    prior.set(&mut priors, value);
                    let evidence = Evidence { followers, ..evidence.clone() };
                    let found = estimate(&evidence, &priors, 64, 0).amounts.expect("an estimate");
                    let amounts = [found.total.p10, found.total.p90, found.total.mean, found.taxable_p50];
                    assert!(
                        amounts.iter().all(|amount| amount.is_finite() && *amount >= 0.0),
                        "{} {} at {value}: {found:?}",
                        prior.name,
                        prior.key
                    );
                }
            }
        }
    }

    /// The table that the sample lake carries; `TITHE_UPDATE_PRIORS=1` writes it.
    #[test]
    fn the_sample_lake_carries_the_same_priors() {
        let mut expected = String::from(
            "# What is assumed of creators before any evidence. Tab-separated: version, name, key, value, low, high, unit, meaning, source, confidence\n",
        );
        for prior in PRIOR_TABLE {
            let _ = writeln!(
                expected,
                "{PRIORS_VERSION}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                prior.name,
                prior.key,
                prior.default_value(),
                prior.low,
                prior.high,
                prior.unit.name(),
                prior.meaning,
                prior.source,
                prior.confidence.name()
            );
        }
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../data-gen/src/reference/data/priors.tsv");
        if std::env::var_os("TITHE_UPDATE_PRIORS").is_some() {
            std::fs::write(&file, &expected).expect("the table is written");
        }
        let found = std::fs::read_to_string(&file).expect("the table of the sample lake");
        assert!(found == expected, "{} differs: TITHE_UPDATE_PRIORS=1 writes it", file.display());
    }
}
