use crate::community::{Kind, Taxpayer};
use crate::write::{Column, Record, TableName, boolean, date, text, text_or_null};

/// A registered taxpayer.
pub(crate) struct TaxpayerRow(pub(crate) Taxpayer);

impl Record for TaxpayerRow {
    const TABLE: TableName = TableName::new("tax", "taxpayer");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("taxpayer_id", rows, |row| &row.0.id),
            text("kind", rows, |row| match row.0.kind {
                Kind::Individual { .. } => "individual",
                Kind::Business(_) => "business",
            }),
            text_or_null("ban", rows, |row| match &row.0.kind {
                Kind::Business(business) => Some(business.ban.as_str()),
                Kind::Individual { .. } => None,
            }),
            text_or_null("national_id", rows, |row| match &row.0.kind {
                Kind::Individual { national_id, .. } => Some(national_id.as_str()),
                Kind::Business(_) => None,
            }),
            text("name", rows, |row| &row.0.name),
            date("birth_date", rows, |row| match row.0.kind {
                Kind::Individual { birth_date, .. } => Some(birth_date),
                Kind::Business(_) => None,
            }),
            text("phone", rows, |row| &row.0.phone),
            text("email", rows, |row| &row.0.email),
            text("bank_account", rows, |row| &row.0.bank_account),
            text("county_code", rows, |row| row.0.county.code),
            text_or_null("industry_code", rows, |row| match &row.0.kind {
                Kind::Business(business) => Some(business.industry.code),
                Kind::Individual { .. } => None,
            }),
            date("registered_on", rows, |row| Some(row.0.registered_on)),
            boolean("synthetic", rows, |_| true),
        ]
    }
}
