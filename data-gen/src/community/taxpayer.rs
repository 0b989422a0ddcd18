use super::evasion::{Evasion, Pattern, evasions};
use super::layout::Layout;
use crate::calendar::{day, period_days};
use crate::identifier::{Ban, NationalId, business_ban, national_id};
use crate::random::{Stream, Topic};
use crate::reference::{County, Industry, county_by_population, industry_by_weight, words};

/// Every fifth taxpayer is a business.
const EVERY: u64 = 5;

/// A business's own facts.
#[derive(Clone, Debug)]
pub(crate) struct Business {
    /// Index over the whole lake.
    pub(crate) index: u64,
    pub(crate) ban: Ban,
    pub(crate) industry: &'static Industry,
    /// Relative number of invoices.
    pub(crate) volume: u32,
    /// Size of a purchase or sale relative to its industry's, in hundredths.
    pub(crate) price_level: i64,
}

/// Person or business.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Individual { national_id: NationalId, birth_date: i32 },
    Business(Business),
}

/// A registered taxpayer.
#[derive(Clone, Debug)]
pub(crate) struct Taxpayer {
    /// Index over the whole lake.
    pub(crate) index: u64,
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) phone: String,
    pub(crate) email: String,
    pub(crate) bank_account: String,
    pub(crate) county: &'static County,
    pub(crate) registered_on: i32,
}

/// The taxpayers who trade with and pay each other.
#[derive(Debug)]
pub(crate) struct Community {
    pub(crate) index: u64,
    pub(crate) taxpayers: Vec<Taxpayer>,
    /// Positions of the businesses in `taxpayers`.
    pub(crate) businesses: Vec<usize>,
    /// Positions of the individuals in `taxpayers`.
    pub(crate) individuals: Vec<usize>,
    /// What each business hides, if anything; in the order of `businesses`.
    pub(crate) schemes: Vec<Option<Evasion>>,
}

impl Community {
    pub(crate) fn build(seed: u64, layout: &Layout, index: u64) -> Self {
        let range = layout.taxpayers(index);
        let first = range.start;
        let (businesses, individuals): (Vec<usize>, Vec<usize>) =
            (0..range.clone().count()).partition(|&at| is_business(first + at as u64));
        let schemes = evasions(seed, index, businesses.len());
        let mut scheme = schemes.iter();
        let taxpayers = range
            .map(|taxpayer| {
                let scheme = if is_business(taxpayer) { scheme.next().copied().flatten() } else { None };
                build(seed, taxpayer, scheme)
            })
            .collect();
        Self { index, taxpayers, businesses, individuals, schemes }
    }

    /// The businesses with their taxpayers, in the order of `businesses`.
    pub(crate) fn firms(&self) -> impl Iterator<Item = (&Taxpayer, &Business)> {
        self.businesses.iter().filter_map(|&at| match &self.taxpayers[at].kind {
            Kind::Business(business) => Some((&self.taxpayers[at], business)),
            Kind::Individual { .. } => None,
        })
    }
}

fn is_business(index: u64) -> bool {
    index % EVERY == EVERY - 1
}

fn build(seed: u64, index: u64, scheme: Option<Evasion>) -> Taxpayer {
    let mut random = Stream::new(seed, Topic::Taxpayer, 0, index);
    let county = county_by_population(&mut random);
    let id = format!("TP{index:09}");
    let bank = random.pick(&words().bank).unwrap_or("004");
    let bank_account = format!("{bank}-{:06}{:06}", random.below(1_000_000), random.below(1_000_000));
    if is_business(index) {
        let (name, business, registered_on) = build_business(seed, index / EVERY, scheme, &mut random);
        return Taxpayer {
            index,
            id,
            name,
            phone: format!("02-5550-{:04}", random.below(10_000)),
            email: format!("b{}@company.example", business.index),
            kind: Kind::Business(business),
            bank_account,
            county,
            registered_on,
        };
    }
    let male = random.per_mille(495);
    let given: String = (0..2).filter_map(|_| random.pick(&words().given)).collect();
    let birth_date = day(1950, 1, 1) + random.days(0, 20_400);
    Taxpayer {
        index,
        id,
        kind: Kind::Individual { national_id: national_id(index - index / EVERY, male), birth_date },
        name: format!("{}{given}", random.pick(&words().surname).unwrap_or("陳")),
        phone: format!("0900-{:03}-{:03}", random.below(1000), random.below(1000)),
        email: format!("p{index}@mail.example"),
        bank_account,
        county,
        registered_on: (birth_date + 20 * 365 + random.days(0, 2_000)).min(day(2023, 12, 31)),
    }
}

fn build_business(
    seed: u64,
    index: u64,
    scheme: Option<Evasion>,
    taxpayer: &mut Stream,
) -> (String, Business, i32) {
    let mut random = Stream::new(seed, Topic::Business, 0, index);
    let industry = industry_by_weight(&mut random);
    let april_2023 = day(2023, 4, 1);
    let registered_on = match scheme {
        Some(Evasion { pattern: Pattern::MissingTrader, first, .. }) => {
            period_days(first).0 - random.days(10, 60)
        }
        _ if random.per_mille(60) => april_2023 + random.days(0, 274),
        _ => day(1985, 1, 1) + random.days(0, april_2023 - day(1985, 1, 1) - 1),
    };
    let spread = random.log_normal(100.0, 0.8).clamp(8.0, 900.0);
    let volume = crate::random::to_whole(f64::from(industry.volume) * spread / 10.0);
    let business = Business {
        index,
        ban: business_ban(index, registered_on < april_2023),
        industry,
        volume: u32::try_from(volume).unwrap_or(1).max(1),
        price_level: random.between(70, 160),
    };
    let stem = taxpayer.pick(&words().company).unwrap_or_default();
    let trade = taxpayer.pick(&words().trade).unwrap_or_default();
    let form = taxpayer.pick(&words().form).unwrap_or_default();
    (format!("{stem}{trade}{form}"), business, registered_on)
}
