use crate::write::{Column, Record, TableName, date, integer, text};

/// Money received from abroad.
pub(crate) struct RemittanceRow {
    pub(crate) remittance_id: String,
    pub(crate) payee_id: String,
    pub(crate) platform: &'static str,
    pub(crate) received_on: i32,
    pub(crate) currency: &'static str,
    pub(crate) amount_twd: i64,
}

impl Record for RemittanceRow {
    const TABLE: TableName = TableName::new("third_party", "remittance");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("remittance_id", rows, |row| &row.remittance_id),
            text("payee_id", rows, |row| &row.payee_id),
            text("platform", rows, |row| row.platform),
            date("received_on", rows, |row| Some(row.received_on)),
            text("currency", rows, |row| row.currency),
            integer("amount_twd", rows, |row| row.amount_twd),
        ]
    }
}
