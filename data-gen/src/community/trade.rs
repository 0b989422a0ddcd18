use super::evasion::{Evasion, Pattern};
use super::layout::Layout;
use super::taxpayer::{Business, Community};
use crate::calendar::{date_of, period_days};
use crate::identifier::{InvoiceNumber, NUMBERS_PER_BLOCK, invoice_number};
use crate::random::{Stream, Topic};
use crate::reference::{Industry, Product};

/// A line of an invoice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) product: &'static Product,
    /// Thousandths.
    pub(crate) quantity: i64,
    /// NT$ hundredths.
    pub(crate) unit_price: i64,
    /// Whole NT$.
    pub(crate) amount: i64,
}

/// One e-invoice.
#[derive(Clone, Debug)]
pub(crate) struct Invoice {
    pub(crate) number: InvoiceNumber,
    pub(crate) day: i32,
    pub(crate) second: i32,
    /// Position among the community's businesses; none for consumers and foreign buyers.
    pub(crate) buyer: Option<usize>,
    /// 1 taxable, 2 zero-rated, 3 exempt.
    pub(crate) tax_kind: u8,
    pub(crate) sales: i64,
    pub(crate) tax: i64,
    pub(crate) carrier: Option<&'static str>,
    pub(crate) donated: bool,
    pub(crate) printed: bool,
    pub(crate) random_number: u32,
    pub(crate) items: Vec<Item>,
}

/// The numbers that a seller was handed for a period, and those it lost.
#[derive(Clone, Debug)]
pub(crate) struct Allotment {
    pub(crate) first: InvoiceNumber,
    pub(crate) last: InvoiceNumber,
    /// The last number used; what follows was reported as blank.
    pub(crate) last_used: InvoiceNumber,
    /// Numbers between `first` and `last_used` that nobody accounts for.
    pub(crate) missing: Vec<InvoiceNumber>,
}

/// A seller's period.
#[derive(Clone, Debug)]
pub(crate) struct Trade {
    /// Position among the community's businesses.
    pub(crate) seller: usize,
    /// By date and time, numbers rising.
    pub(crate) invoices: Vec<Invoice>,
    pub(crate) allotment: Allotment,
}

/// All invoices of a community in a period, by seller (sellers without invoices left out).
pub(crate) fn trade(seed: u64, layout: &Layout, community: &Community, period: u32) -> Vec<Trade> {
    let counts = invoice_counts(seed, layout, community, period);
    let buyers = buyer_edges(community);
    let mut next_offset = 0;
    let mut trades = Vec::with_capacity(counts.len());
    for (seller, ((_, business), count)) in community.firms().zip(counts).enumerate() {
        if count == 0 {
            continue;
        }
        let part = period;
        let mut random = Stream::new(seed, Topic::Invoice, part, business.index);
        let scheme = community.schemes[seller].filter(|scheme| scheme.active(period));
        let context = Seller { at: seller, business, scheme, period, buyers: &buyers };
        let mut invoices: Vec<Invoice> = (0..count).map(|nth| context.invoice(nth, &mut random)).collect();
        invoices.sort_by_key(|invoice| (invoice.day, invoice.second));
        let offset = next_offset;
        let mut used = 0;
        let mut missing = Vec::new();
        for invoice in &mut invoices {
            if random.below(10_000) < 2 {
                missing.push(invoice_number(period, community.index, offset + used));
                used += 1;
            }
            invoice.number = invoice_number(period, community.index, offset + used);
            used += 1;
        }
        let blocks = used.div_ceil(NUMBERS_PER_BLOCK);
        next_offset += blocks * NUMBERS_PER_BLOCK;
        let allotment = Allotment {
            first: invoice_number(period, community.index, offset),
            last: invoice_number(period, community.index, next_offset - 1),
            last_used: invoice_number(period, community.index, offset + used - 1),
            missing,
        };
        trades.push(Trade { seller, invoices, allotment });
    }
    trades
}

/// Deals the community's invoices out to its businesses, exactly.
fn invoice_counts(seed: u64, layout: &Layout, community: &Community, period: u32) -> Vec<u64> {
    let total = layout.headers(community.index, period);
    let active = |scheme: &Option<Evasion>| scheme.filter(|scheme| scheme.active(period));
    let mut least: Vec<u64> = community
        .schemes
        .iter()
        .map(|scheme| match active(scheme) {
            Some(Evasion { pattern: Pattern::Ring, ring_invoices, .. }) => ring_invoices,
            Some(Evasion { pattern: Pattern::MissingTrader, .. }) => 3,
            _ => 0,
        })
        .collect();
    if least.iter().sum::<u64>() > total {
        least.fill(0);
    }
    let weights: Vec<u64> = community
        .firms()
        .zip(&community.schemes)
        .map(|((_, business), scheme)| {
            let mut random = Stream::new(seed, Topic::Volume, period, business.index);
            let swing = u64::from(80 + random.below(41));
            match scheme {
                Some(Evasion { pattern: Pattern::MissingTrader, .. }) => 0,
                _ => u64::from(business.volume) * swing,
            }
        })
        .collect();
    let all = weights.iter().map(|&weight| u128::from(weight)).sum::<u128>().max(1);
    let rest = u128::from(total - least.iter().sum::<u64>());
    let mut before = 0;
    let mut dealt = 0;
    least
        .iter()
        .zip(&weights)
        .map(|(&least, &weight)| {
            before += u128::from(weight);
            let upto = rest * before / all;
            let share = u64::try_from(upto - dealt).unwrap_or(0);
            dealt = upto;
            least + share
        })
        .collect()
}

/// Who buys: a rising table over the businesses. Missing traders buy nothing.
fn buyer_edges(community: &Community) -> Vec<u32> {
    let mut sum = 0;
    community
        .firms()
        .zip(&community.schemes)
        .map(|((_, business), scheme)| {
            if !matches!(scheme, Some(Evasion { pattern: Pattern::MissingTrader, .. })) {
                sum += 20 + business.volume.min(20_000) / 20;
            }
            sum
        })
        .collect()
}

struct Seller<'a> {
    at: usize,
    business: &'a Business,
    scheme: Option<Evasion>,
    period: u32,
    buyers: &'a [u32],
}

impl Seller<'_> {
    fn invoice(&self, nth: u64, random: &mut Stream) -> Invoice {
        let (first, last) = period_days(self.period);
        let day = first + random.days(0, last - first);
        let second = 8 * 3600 + random.days(0, 14 * 3600 - 1);
        let industry = self.business.industry;
        let mut invoice = Invoice {
            number: invoice_number(0, 0, 0),
            day,
            second,
            buyer: None,
            tax_kind: 1,
            sales: 0,
            tax: 0,
            carrier: None,
            donated: false,
            printed: true,
            random_number: random.below(10_000),
            items: Vec::new(),
        };
        match self.scheme {
            Some(scheme) if scheme.pattern == Pattern::Ring && nth < scheme.ring_invoices => {
                invoice.buyer = Some(scheme.ring_buyer);
                let parts = i64::try_from(scheme.ring_invoices).unwrap_or(1).max(1);
                let price = scheme.ring_value / parts * random.between(970, 1030) / 1000;
                invoice.items.extend(one_lot(industry, price));
            }
            Some(scheme) if scheme.pattern == Pattern::MissingTrader => {
                invoice.buyer = self.buyer(random);
                let price = random.between(800, 9_000) * 1_000 + random.between(0, 999);
                invoice.items.extend(one_lot(industry, price));
            }
            _ => self.ordinary(&mut invoice, random),
        }
        invoice.sales = invoice.items.iter().map(|item| item.amount).sum();
        if invoice.tax_kind == 1 && invoice.buyer.is_some() {
            invoice.tax = (invoice.sales + 10) / 20;
        }
        invoice
    }

    fn ordinary(&self, invoice: &mut Invoice, random: &mut Stream) {
        let industry = self.business.industry;
        let to_business = random.below(100) < industry.business_share;
        let export = to_business && industry.tax_kind == 2 && random.per_mille(550);
        invoice.tax_kind = match industry.tax_kind {
            3 => 3,
            _ if export => 2,
            _ => 1,
        };
        if to_business {
            if !export {
                invoice.buyer = self.buyer(random);
            }
            invoice.second = 9 * 3600 + random.days(0, 9 * 3600 - 1);
            // Offices rest on weekends: their invoices carry the Friday before.
            let weekday = chrono::Datelike::weekday(&date_of(invoice.day)).num_days_from_monday();
            let (first, _) = period_days(self.period);
            invoice.day = (invoice.day - i32::try_from(weekday.saturating_sub(4)).unwrap_or(0)).max(first);
        }
        if invoice.buyer.is_none() && !export {
            consumer_form(invoice, random);
        }
        let lines = 1 + random.weighted(&LINE_EDGES);
        invoice.items = (0..lines).filter_map(|_| self.item(to_business, random)).collect();
    }

    fn buyer(&self, random: &mut Stream) -> Option<usize> {
        let buyer = random.weighted(self.buyers);
        (buyer != self.at && buyer < self.buyers.len()).then_some(buyer)
    }

    fn item(&self, to_business: bool, random: &mut Stream) -> Option<Item> {
        let products = &self.business.industry.products;
        let product = products.get(random.index(products.len()))?;
        let low = |random: &mut Stream, range: i64| random.between(0, range).min(random.between(0, range));
        let mut unit_price = product.lowest_price + low(random, product.highest_price - product.lowest_price);
        if to_business {
            unit_price = unit_price * self.business.price_level / 100;
        }
        if !product.fractional && unit_price >= 100 {
            unit_price -= unit_price % 100;
        }
        let most = match product.highest_quantity {
            high if to_business || high <= 6 => high,
            high => (high / 10).max(6),
        };
        let quantity = if product.fractional {
            500 + low(random, most * 1000)
        } else {
            1000 * (1 + low(random, most - 1))
        };
        Some(Item { product, quantity, unit_price, amount: (quantity * unit_price + 50_000) / 100_000 })
    }
}

/// Chance of one to eight lines, of a hundred; the mean is close to three.
const LINE_EDGES: [u32; 8] = [19, 44, 67, 83, 92, 96, 98, 100];

/// A single line of the trade's dearest good.
fn one_lot(industry: &'static Industry, price: i64) -> Option<Item> {
    let product = industry.products.iter().max_by_key(|product| product.highest_price)?;
    Some(Item { product, quantity: 1000, unit_price: price * 100, amount: price })
}

/// How the consumer takes the invoice: on paper, in a carrier, or given to charity.
fn consumer_form(invoice: &mut Invoice, random: &mut Stream) {
    const CARRIERS: [(&str, u32); 9] = [
        ("3J0002", 340),
        ("EJ1507", 420),
        ("EG0126", 480),
        ("EK0002", 520),
        ("1K0001", 550),
        ("1H0001", 560),
        ("2G0001", 570),
        ("CQ0001", 590),
        ("5G0001", 600),
    ];
    let point = random.below(1000);
    invoice.carrier = CARRIERS.iter().find(|(_, edge)| point < *edge).map(|(carrier, _)| *carrier);
    invoice.donated = invoice.carrier.is_none() && point < 640;
    invoice.printed = invoice.carrier.is_none() && !invoice.donated;
}
