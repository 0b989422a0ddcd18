use super::Category;

/// The version of the built-in priors, named in every result.
pub const PRIORS_VERSION: &str = "tithe-priors-1";

/// Everything assumed before any evidence of one creator. Amounts in NT$; spreads are standard deviations
/// of natural logarithms. Each default names its source and how far it is trusted;
/// [`PRIOR_TABLE`](super::PRIOR_TABLE) lists all by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Priors {
    /// Spread of the multiplier a creator's prices share: 0.5 (author's hyperparameter; medium).
    pub creator_spread: f64,

    /// Mean logarithm of followers where they are unknown: that of 30,000 (author; low).
    pub followers_location: f64,
    /// Spread of followers where they are unknown: 1.3 (author; low).
    pub followers_spread: f64,
    /// Views of 30 days on followers, on log scales: intercept -3.901 and slope 1.411, residual spread 1.82
    /// (1,281 Taiwanese virtual streamers; high for that niche).
    pub views_intercept: f64,
    /// See [`Self::views_intercept`].
    pub views_slope: f64,
    /// See [`Self::views_intercept`].
    pub views_spread: f64,

    /// Advertising revenue per 1,000 long-form views after the platform's share: 35 (CPM tables of Taiwan,
    /// US$2.5 to 6; medium).
    pub ads_per_thousand: f64,
    /// Factors of the categories on that, in the order of [`Category::ALL`] (tables of revenue per 1,000 views
    /// by topic, scaled to Taiwan; medium, and low for beauty, food, music and children).
    pub ads_factors: [f64; 11],
    /// The factor where the category is unknown: 1 (author; low).
    pub ads_factor_unknown: f64,
    /// Spread of advertising revenue beside the creator's multiplier: 0.6 (same tables; medium).
    pub ads_spread: f64,
    /// Power of the creator's multiplier in advertising: 0.6 (author; low).
    pub ads_loading: f64,
    /// Factor on foreign views: 1.2 (CPM of Japan, Hong Kong, Korea, Singapore against Taiwan; medium).
    pub foreign_views_factor: f64,
    /// Share of foreign audience where it is unknown: 0, the rule's full contribution (author; low).
    pub foreign_share: f64,
    /// Followers below which a platform shares no advertising revenue: 1,000 (partner programme; high).
    pub ads_threshold: f64,
    /// Followers below which a platform offers no fan funding: 500 (partner programme; high).
    pub fan_funding_threshold: f64,
    /// Highest month of advertising over the mean month: 1.24 (fourth quarter 30 to 60 % up; low).
    pub peak_season: f64,

    /// Sponsored deals a year by followers, interpolated on their logarithms (18 % of videos and 61 % of
    /// channels carry off-platform monetisation, Hua et al. 2022; low).
    pub deals_by_followers: [(f64, f64); 5],
    /// Shape of the gamma distribution of a creator's deal rate: 1.2 (same; low).
    pub deals_shape: f64,
    /// Most deals a post, which caps the rate where posts are counted: 0.5 (author; low).
    pub deals_per_post: f64,
    /// Price of a deal per follower at 20,000 followers: 0.26 for a picture post, 2.5 times that for a video,
    /// of which 75 % reaches the creator (tariffs of Taiwanese agencies; medium).
    pub deal_price_per_follower: f64,
    /// Power of followers in that price beyond the first: 0.12 (same; medium).
    pub deal_price_power: f64,
    /// Least median price: 1,500 (bottom of the tariffs; low).
    pub deal_price_least: f64,
    /// Spread of one deal's price: 0.55 (same tariffs; medium).
    pub deal_price_spread: f64,
    /// Share of deals that payers report, a beta distribution: (6, 4) (author, to be learnt from audits; low).
    pub reported_share: (f64, f64),
    /// Share of deals that can be seen in public posts, a beta distribution: (5, 5) (author; low).
    pub detected_share: (f64, f64),

    /// Share of creators that take donations: 0.3 (author; low).
    pub donation_share: f64,
    /// Donations net of the platform's share, per 1,000 live views: 60 (author; low).
    pub donations_per_thousand: f64,
    /// Live views of all views of those who take donations: 0.1 (author; low).
    pub live_share: f64,
    /// Spread of donations: 1.3 (author; low).
    pub donation_spread: f64,
    /// Power of the creator's multiplier in donations: 0.4 (author; low).
    pub donation_loading: f64,
    /// Share of those who take donations that also sell memberships: 0.5 (author; low).
    pub membership_share: f64,
    /// Memberships a year net per follower: 0.002 members at 75 a month, 70 % of it (author; low).
    pub membership_per_follower: f64,
    /// Spread of memberships: 1.0 (author; low).
    pub membership_spread: f64,

    /// Share of creators that run group buys: 0.10, and 0.35 in beauty, food and family (author; low).
    pub group_buy_share: (f64, f64),
    /// Campaigns a year of those who do: at least one, six on average (author; low).
    pub campaigns: f64,
    /// Shape of the gamma distribution of the campaign rate: 1.0 (author; low).
    pub campaigns_shape: f64,
    /// Sales of one campaign at 50,000 followers: 150,000, growing with the root of followers (author; low).
    pub campaign_sales: f64,
    /// Spread of one campaign's sales: 1.3 (author; low).
    pub campaign_spread: f64,
    /// Commission on sales: 0.15 (5 to 20 %, and 10 to 30 %, of Taiwanese platforms; medium).
    pub commission: f64,
    /// Spread of a creator's commission: 0.40 (same; medium).
    pub commission_spread: f64,
    /// Affiliate commissions per 1,000 views: 3 (author; low).
    pub affiliate_per_thousand: f64,
    /// Spread of affiliate commissions: 1.2 (author; low).
    pub affiliate_spread: f64,
    /// Everything else (courses, goods, events) per 1,000 views: 1.5 (author; low).
    pub other_per_thousand: f64,
    /// Spread of everything else: 1.5 (author; low).
    pub other_spread: f64,

    /// How often a signal of donations or group buys shows where there are any: 0.8 (author; low).
    pub signal_sensitivity: f64,
    /// How often no signal shows where there are none: 0.97 (author; low).
    pub signal_specificity: f64,

    /// Share of donations in what a platform remits from abroad: 0.7 (author; medium).
    pub remitted_donations: f64,
    /// Spread of remittances around what the platform owes: 0.12 (author; low).
    pub remittance_spread: f64,
    /// Share of remittances that carry something else, and their spread: 0.05, 0.6 (author; low).
    pub remittance_contamination: (f64, f64),

    /// Declared share of what payers did not report: 0.55 of creators with beta (6, 1), the rest with
    /// beta (1.2, 3) (under-reporting of sole proprietors, GAO-07-1014; medium).
    pub compliant_share: f64,
    /// See [`Self::compliant_share`].
    pub compliant: (f64, f64),
    /// See [`Self::compliant_share`].
    pub evading: (f64, f64),
    /// Share of declarations that follow neither, and their spread around the truth: 0.01, 0.3 (author; low).
    pub declaration_contamination: (f64, f64),

    /// Share of receipts taxed as income, after the standard expense rate of 45 % (Ministry of Finance, order
    /// of 2025-12-23; high).
    pub taxable_share: f64,
    /// Domestic profit contribution of foreign audience, creator domestic and platform foreign: 0.5 (same; high).
    pub foreign_contribution: f64,
}

impl Priors {
    /// Factor of a category on advertising revenue.
    #[must_use]
    pub fn ads_factor(&self, category: Option<Category>) -> f64 {
        category.map_or(self.ads_factor_unknown, |category| self.ads_factors[category as usize])
    }
}

impl Default for Priors {
    fn default() -> Self {
        Self {
            creator_spread: 0.5,
            followers_location: 10.308_952_660_644_293,
            followers_spread: 1.3,
            views_intercept: -3.901,
            views_slope: 1.411,
            views_spread: 1.82,
            ads_per_thousand: 35.0,
            ads_factors: [2.8, 1.9, 1.5, 1.3, 1.2, 1.05, 0.9, 0.7, 0.6, 0.45, 0.35],
            ads_factor_unknown: 1.0,
            ads_spread: 0.6,
            ads_loading: 0.6,
            foreign_views_factor: 1.2,
            foreign_share: 0.0,
            ads_threshold: 1_000.0,
            fan_funding_threshold: 500.0,
            peak_season: 1.24,
            deals_by_followers: [
                (3_000.0, 1.0),
                (30_000.0, 5.0),
                (120_000.0, 14.0),
                (500_000.0, 28.0),
                (1_500_000.0, 36.0),
            ],
            deals_shape: 1.2,
            deals_per_post: 0.5,
            deal_price_per_follower: 0.26 * 2.5 * 0.75,
            deal_price_power: 0.12,
            deal_price_least: 1_500.0,
            deal_price_spread: 0.55,
            reported_share: (6.0, 4.0),
            detected_share: (5.0, 5.0),
            donation_share: 0.3,
            donations_per_thousand: 60.0,
            live_share: 0.1,
            donation_spread: 1.3,
            donation_loading: 0.4,
            membership_share: 0.5,
            membership_per_follower: 0.002 * 75.0 * 12.0 * 0.7,
            membership_spread: 1.0,
            group_buy_share: (0.10, 0.35),
            campaigns: 6.0,
            campaigns_shape: 1.0,
            campaign_sales: 150_000.0,
            campaign_spread: 1.3,
            commission: 0.15,
            commission_spread: 0.40,
            affiliate_per_thousand: 3.0,
            affiliate_spread: 1.2,
            other_per_thousand: 1.5,
            other_spread: 1.5,
            signal_sensitivity: 0.8,
            signal_specificity: 0.97,
            remitted_donations: 0.7,
            remittance_spread: 0.12,
            remittance_contamination: (0.05, 0.6),
            compliant_share: 0.55,
            compliant: (6.0, 1.0),
            evading: (1.2, 3.0),
            declaration_contamination: (0.01, 0.3),
            taxable_share: 0.55,
            foreign_contribution: 0.5,
        }
    }
}
