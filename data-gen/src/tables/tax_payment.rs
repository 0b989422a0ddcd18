use crate::write::{Column, Record, TableName, date, integer, text};

/// A tax paid.
pub(crate) struct PaymentRow {
    pub(crate) payment_id: String,
    pub(crate) taxpayer_id: String,
    pub(crate) tax_type: &'static str,
    pub(crate) county_code: &'static str,
    pub(crate) paid_on: i32,
    pub(crate) amount: i64,
}

impl Record for PaymentRow {
    const TABLE: TableName = TableName::new("tax", "payment");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("payment_id", rows, |row| &row.payment_id),
            text("taxpayer_id", rows, |row| &row.taxpayer_id),
            text("tax_type", rows, |row| row.tax_type),
            text("county_code", rows, |row| row.county_code),
            date("paid_on", rows, |row| Some(row.paid_on)),
            integer("amount", rows, |row| row.amount),
        ]
    }
}
