use crate::identifier::Ban;
use crate::write::{Column, Record, TableName, date, integer, small, text, text_or_null};

/// A withholding statement.
pub(crate) struct WithholdingRow {
    pub(crate) year: i32,
    pub(crate) payer_ban: Ban,
    pub(crate) payee_id: String,
    pub(crate) code: &'static str,
    pub(crate) sub_code: Option<&'static str>,
    pub(crate) gross_amount: i64,
    pub(crate) withheld_amount: i64,
    pub(crate) description: String,
    pub(crate) paid_on: i32,
    pub(crate) bureau_code: &'static str,
}

impl Record for WithholdingRow {
    const TABLE: TableName = TableName::new("tax", "withholding");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            small("year", rows, |row| row.year),
            text("payer_ban", rows, |row| row.payer_ban.as_str()),
            text("payee_id", rows, |row| &row.payee_id),
            text("code", rows, |row| row.code),
            text_or_null("sub_code", rows, |row| row.sub_code),
            integer("gross_amount", rows, |row| row.gross_amount),
            integer("withheld_amount", rows, |row| row.withheld_amount),
            text("description", rows, |row| &row.description),
            date("paid_on", rows, |row| Some(row.paid_on)),
            text("bureau_code", rows, |row| row.bureau_code),
        ]
    }
}
