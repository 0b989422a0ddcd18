use super::{Category, Flag, Flags};

/// Counts beyond this are not counts of people, posts or views in a year.
const MOST_COUNTED: f64 = 1e13;
/// More followers than there are people.
const MOST_FOLLOWERS: f64 = 1e10;
/// More NT$ than a year's national income.
const MOST_MONEY: f64 = 1e14;

/// More deals than a year has hours are those of an agency or a platform.
const MOST_DEALS: usize = 8_760;

/// Years that can be meant: platforms that pay, to as far as anyone files.
const YEARS: std::ops::RangeInclusive<i64> = 2000..=2200;

/// What is known of one creator in one year. `None` is "not observed" and leaves the prior; an observed zero
/// or an empty list is evidence. Money in NT$.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// Names the row; with the seed it fixes the random numbers.
    pub channel_id: Option<String>,
    /// The year, of the common era. Part of the row's name; the priors are the same in all years.
    pub year: Option<i64>,
    /// Followers or subscribers.
    pub followers: Option<f64>,
    /// Long-form views in the year.
    pub annual_views: Option<f64>,
    /// The name of the category, see [`Category::from_name`].
    pub category: Option<String>,
    /// Posts in the year.
    pub posts: Option<f64>,
    /// Sponsored posts found in public texts.
    pub sponsored_posts: Option<f64>,
    /// Whether anything shows that donations are taken.
    pub donation_signal: Option<bool>,
    /// Whether anything shows that group buys are run.
    pub group_buy_signal: Option<bool>,
    /// Gross amounts of the deals that payers reported, in any order.
    pub seen_deal_amounts: Option<Vec<f64>>,
    /// What platforms remitted from abroad in the year. Zero counts as not observed: the money may reach
    /// another account.
    pub remittance: Option<f64>,
    /// Gross creator income declared for the year.
    pub declared_income: Option<f64>,
    /// Share of the audience that is abroad, 0 to 1.
    pub foreign_audience_share: Option<f64>,
    /// Whether the creator is a minor.
    pub minor: Option<bool>,
}

impl Evidence {
    /// The bytes that name the row: channel and year.
    pub(crate) fn identity(&self) -> Vec<u8> {
        let mut identity = self.channel_id.clone().unwrap_or_default().into_bytes();
        // No UTF-8 text holds 0xFF, so no two pairs of channel and year run together.
        identity.push(0xFF);
        if let Some(year) = self.year {
            identity.extend_from_slice(&year.to_le_bytes());
        }
        identity
    }

    /// Drops what makes no sense and says so.
    pub(crate) fn checked(&self, flags: &mut Flags) -> Checked {
        let mut within = |value: Option<f64>, most: f64| {
            let kept = value.filter(|value| (0.0..=most).contains(value));
            if kept.is_none() && value.is_some() {
                flags.raise(Flag::BadEvidence);
            }
            kept
        };
        let followers = within(self.followers, MOST_FOLLOWERS);
        let mut views = within(self.annual_views, MOST_COUNTED);
        let posts = within(self.posts, MOST_COUNTED).map(f64::floor);
        let detected = within(self.sponsored_posts, MOST_COUNTED).map(f64::floor);
        let remittance = within(self.remittance, MOST_MONEY).filter(|amount| *amount > 0.0);
        let declared = within(self.declared_income, MOST_MONEY);
        let foreign_share = within(self.foreign_audience_share, 1.0);
        let deals: Option<Vec<f64>> = self.seen_deal_amounts.as_ref().map(|deals| {
            deals
                .iter()
                .filter_map(|deal| within(Some(*deal), MOST_MONEY).filter(|deal| *deal > 0.0))
                .collect()
        });
        if deals.as_ref().is_some_and(|deals| deals.len() > MOST_DEALS) {
            flags.raise(Flag::ConflictingEvidence);
        }
        if self.year.is_some_and(|year| !YEARS.contains(&year)) {
            flags.raise(Flag::BadEvidence);
        }
        let category = self.category.as_deref().filter(|name| !name.trim().is_empty());
        let known = category.and_then(Category::from_name);
        if category.is_some() && known.is_none() {
            flags.raise(Flag::UnknownCategory);
        }
        if views == Some(0.0) && remittance.is_some() {
            flags.raise(Flag::ConflictingEvidence);
            views = None;
        }
        Checked {
            followers: followers.map(|followers| followers.max(1.0)),
            views,
            category: known,
            posts,
            detected,
            donation_signal: self.donation_signal,
            group_buy_signal: self.group_buy_signal,
            deals,
            remittance,
            declared,
            foreign_share,
        }
    }
}

/// Evidence within its bounds.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) followers: Option<f64>,
    pub(crate) views: Option<f64>,
    pub(crate) category: Option<Category>,
    pub(crate) posts: Option<f64>,
    pub(crate) detected: Option<f64>,
    pub(crate) donation_signal: Option<bool>,
    pub(crate) group_buy_signal: Option<bool>,
    pub(crate) deals: Option<Vec<f64>>,
    pub(crate) remittance: Option<f64>,
    pub(crate) declared: Option<f64>,
    pub(crate) foreign_share: Option<f64>,
}
