use super::{Count, Work};
use crate::calendar::{filing_deadline, period_key};
use crate::community::{Business, Community, Pattern, Taxpayer, Trade, trade};
use crate::error::GenerateError;
use crate::random::{Stream, Topic};
use crate::tables::{
    AllotmentRow, HeaderRow, ItemRow, MissingInvoiceRow, PaymentRow, VatEvasionRow, VatReturnRow,
};
use crate::write::{Record, Table};

/// What a unit leaves for the tables that are written in order.
#[derive(Default)]
struct Made {
    headers: u64,
    items: u64,
    returns: Vec<VatReturnRow>,
    evasions: Vec<VatEvasionRow>,
    missing: Vec<MissingInvoiceRow>,
    allotments: Vec<AllotmentRow>,
    payments: Vec<PaymentRow>,
}

/// Invoices, and the returns that follow from them.
pub(super) fn write(work: &Work<'_>) -> Result<Vec<Count>, GenerateError> {
    let units: Vec<(u32, u64)> = work
        .layout
        .periods()
        .flat_map(|period| (0..work.layout.groups()).map(move |group| (period, group)))
        .collect();
    let mut returns = create::<VatReturnRow>(work, "part-00000.parquet")?;
    let mut evasions = create::<VatEvasionRow>(work, "part-00000.parquet")?;
    let mut missing = create::<MissingInvoiceRow>(work, "part-00000.parquet")?;
    let mut allotments = create::<AllotmentRow>(work, "part-00000.parquet")?;
    let mut payments = create::<PaymentRow>(work, "part-00001.parquet")?;
    let (mut headers, mut items) = (0, 0);
    work.in_order(
        &units,
        |&(period, group)| make(work, period, group),
        |made| {
            headers += made.headers;
            items += made.items;
            returns.extend(made.returns)?;
            evasions.extend(made.evasions)?;
            missing.extend(made.missing)?;
            allotments.extend(made.allotments)?;
            payments.extend(made.payments)
        },
    )?;
    Ok(vec![
        (HeaderRow::TABLE, headers),
        (ItemRow::TABLE, items),
        (VatReturnRow::TABLE, returns.close()?),
        (VatEvasionRow::TABLE, evasions.close()?),
        (MissingInvoiceRow::TABLE, missing.close()?),
        (AllotmentRow::TABLE, allotments.close()?),
        (PaymentRow::TABLE, payments.close()?),
    ])
}

fn create<R: Record>(work: &Work<'_>, file: &str) -> Result<Table<R>, GenerateError> {
    Table::create(&work.staging.path(R::TABLE).join(file))
}

/// A business's invoices of a period, added up.
#[derive(Clone, Copy, Default)]
struct Sums {
    business_sales: i64,
    business_tax: i64,
    consumer_total: i64,
    zero_rated: i64,
    exempt: i64,
    purchases: i64,
    input_tax: i64,
    fictitious: i64,
}

impl Sums {
    /// Taxable sales without tax, and the tax on them. Consumers' invoices are taken as one sum at 20/21, rounded
    /// half up; the tax is the rest.
    fn taxable(&self) -> (i64, i64) {
        let net = (self.consumer_total * 40 + 21) / 42;
        (self.business_sales + net, self.business_tax + self.consumer_total - net)
    }
}

fn make(work: &Work<'_>, period: u32, group: u64) -> Result<Made, GenerateError> {
    let mut made = Made::default();
    let communities: Vec<Community> =
        work.layout.group(group).map(|index| Community::build(work.seed, &work.layout, index)).collect();
    let mut sellers: Vec<(usize, Trade)> = Vec::new();
    for (at, community) in communities.iter().enumerate() {
        let trades = trade(work.seed, &work.layout, community, period);
        file_returns(work.seed, community, period, &trades, &mut made);
        sellers.extend(trades.into_iter().map(|trade| (at, trade)));
    }
    let firms: Vec<Vec<(&Taxpayer, &Business)>> =
        communities.iter().map(|community| community.firms().collect()).collect();
    sellers.sort_by_key(|(at, trade)| firms[*at][trade.seller].1.ban);

    let partition = format!("period={}", period_key(period));
    let file = format!("part-{group:05}.parquet");
    let mut headers = Table::create(&work.staging.partition(HeaderRow::TABLE, &partition)?.join(&file))?;
    let mut items = Table::create(&work.staging.partition(ItemRow::TABLE, &partition)?.join(&file))?;
    for (at, trade) in &sellers {
        let firms = &firms[*at];
        for invoice in &trade.invoices {
            let buyer = invoice.buyer.map(|buyer| firms[buyer].1.ban);
            headers.push(HeaderRow::new(firms[trade.seller], buyer, invoice))?;
            for (line, item) in (1..).zip(&invoice.items) {
                items.push(ItemRow { number: invoice.number, line, item: *item })?;
            }
        }
    }
    made.headers = headers.close()?;
    made.items = items.close()?;
    work.progress.advance(made.headers, "invoice.header");
    Ok(made)
}

fn add_up(community: &Community, trades: &[Trade], period: u32) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); community.businesses.len()];
    for trade in trades {
        let scheme = community.schemes[trade.seller].filter(|scheme| scheme.active(period));
        for invoice in &trade.invoices {
            let seller = &mut sums[trade.seller];
            match (invoice.tax_kind, invoice.buyer) {
                (2, _) => seller.zero_rated += invoice.sales,
                (3, _) => seller.exempt += invoice.sales,
                (_, Some(_)) => {
                    seller.business_sales += invoice.sales;
                    seller.business_tax += invoice.tax;
                }
                (_, None) => seller.consumer_total += invoice.sales,
            }
            if scheme.is_some_and(|s| s.pattern == Pattern::Ring && invoice.buyer == Some(s.ring_buyer)) {
                seller.fictitious += invoice.sales;
            }
            if let Some(buyer) = invoice.buyer {
                sums[buyer].purchases += invoice.sales;
                sums[buyer].input_tax += invoice.tax;
            }
        }
    }
    sums
}

fn file_returns(seed: u64, community: &Community, period: u32, trades: &[Trade], made: &mut Made) {
    let key = period_key(period);
    for trade in trades {
        let Some((_, business)) = community.firms().nth(trade.seller) else { continue };
        let allotment = &trade.allotment;
        made.allotments.push(AllotmentRow {
            ban: business.ban,
            period: key.clone(),
            first: allotment.first,
            last: allotment.last,
            last_used: allotment.last_used,
        });
        made.missing.extend(allotment.missing.iter().map(|&number| MissingInvoiceRow {
            ban: business.ban,
            period: key.clone(),
            number,
        }));
    }
    let sums = add_up(community, trades, period);
    for (((taxpayer, business), scheme), sums) in community.firms().zip(&community.schemes).zip(sums) {
        let (sales, tax) = sums.taxable();
        let mut evade = |pattern: Pattern, hidden_sales: i64, fictitious_sales: i64| {
            made.evasions.push(VatEvasionRow {
                ban: business.ban,
                period: key.clone(),
                hidden_sales,
                pattern: pattern.name(),
                fictitious_sales,
            });
        };
        let mut hidden = 0;
        match scheme.map(|scheme| (scheme.pattern, scheme.active(period), scheme.hidden_per_mille)) {
            Some((pattern @ Pattern::MissingTrader, active, _)) => {
                if active && sales > 0 {
                    evade(pattern, sales, sales);
                }
                continue;
            }
            Some((pattern @ Pattern::UnderReport, true, share)) => {
                hidden = sales * share / 1000;
                if hidden > 0 {
                    evade(pattern, hidden, 0);
                }
            }
            Some((pattern @ Pattern::Ring, true, _)) if sums.fictitious > 0 => {
                evade(pattern, 0, sums.fictitious)
            }
            _ => {}
        }
        let mut random = Stream::new(seed, Topic::Filing, period, business.index);
        let deadline = filing_deadline(period);
        let filed_on =
            if random.per_mille(30) { deadline + random.days(1, 40) } else { deadline - random.days(0, 12) };
        let row = VatReturnRow {
            ban: business.ban,
            period: key.clone(),
            form: if sums.exempt > 0 { "403" } else { "401" },
            sales_amount: sales - hidden,
            zero_rated_amount: sums.zero_rated,
            exempt_amount: sums.exempt,
            output_tax: (tax - (hidden + 10) / 20).max(0),
            purchases_amount: sums.purchases,
            input_tax: sums.input_tax,
            filed_on,
        };
        if row.payable() > 0 {
            made.payments.push(PaymentRow {
                payment_id: format!("V{key}{:08}", business.index),
                taxpayer_id: taxpayer.id.clone(),
                tax_type: "business_vat",
                county_code: taxpayer.county.code,
                paid_on: filed_on,
                amount: row.payable(),
            });
        }
        made.returns.push(row);
    }
}
