use crate::community::{Business, Invoice, Taxpayer};
use crate::identifier::Ban;
use crate::write::{Column, Record, TableName, boolean, date, integer, text, text_or_null, time};

/// An e-invoice. The sales amount of an invoice without a buyer's number contains the tax, as the standard has it.
pub(crate) struct HeaderRow {
    number: crate::identifier::InvoiceNumber,
    day: i32,
    second: i32,
    seller_ban: Ban,
    seller_county: &'static str,
    seller_industry: &'static str,
    buyer_ban: Option<Ban>,
    tax_kind: &'static str,
    sales: i64,
    tax: i64,
    carrier: Option<&'static str>,
    donated: bool,
    printed: bool,
    random_number: String,
}

impl HeaderRow {
    pub(crate) fn new(seller: (&Taxpayer, &Business), buyer_ban: Option<Ban>, invoice: &Invoice) -> Self {
        let (taxpayer, business) = seller;
        Self {
            number: invoice.number,
            day: invoice.day,
            second: invoice.second,
            seller_ban: business.ban,
            seller_county: taxpayer.county.code,
            seller_industry: business.industry.code,
            buyer_ban,
            tax_kind: match invoice.tax_kind {
                2 => "2",
                3 => "3",
                _ => "1",
            },
            sales: invoice.sales,
            tax: invoice.tax,
            carrier: invoice.carrier,
            donated: invoice.donated,
            printed: invoice.printed,
            random_number: format!("{:04}", invoice.random_number),
        }
    }
}

impl Record for HeaderRow {
    const TABLE: TableName = TableName::new("invoice", "header");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("invoice_number", rows, |row| row.number.as_str()),
            date("invoice_date", rows, |row| Some(row.day)),
            time("invoice_time", rows, |row| row.second),
            text("seller_ban", rows, |row| row.seller_ban.as_str()),
            text("seller_county_code", rows, |row| row.seller_county),
            text("seller_industry_code", rows, |row| row.seller_industry),
            text_or_null("buyer_ban", rows, |row| row.buyer_ban.as_ref().map(Ban::as_str)),
            text("tax_kind", rows, |row| row.tax_kind),
            integer("sales_amount", rows, |row| row.sales),
            integer("tax_amount", rows, |row| row.tax),
            integer("total_amount", rows, |row| row.sales + row.tax),
            text_or_null("carrier_type", rows, |row| row.carrier),
            boolean("donated", rows, |row| row.donated),
            boolean("printed", rows, |row| row.printed),
            text("random_number", rows, |row| &row.random_number),
        ]
    }
}
