use crate::identifier::{Ban, InvoiceNumber};
use crate::write::{Column, Record, TableName, text};

/// An invoice number within a seller's used range that nobody accounts for.
pub(crate) struct MissingInvoiceRow {
    pub(crate) ban: Ban,
    pub(crate) period: String,
    pub(crate) number: InvoiceNumber,
}

impl Record for MissingInvoiceRow {
    const TABLE: TableName = TableName::new("truth", "invoice_missing");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("ban", rows, |row| row.ban.as_str()),
            text("period", rows, |row| &row.period),
            text("invoice_number", rows, |row| row.number.as_str()),
        ]
    }
}
