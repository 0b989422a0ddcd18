use crate::identifier::Ban;
use crate::write::{Column, Record, TableName, integer, text};

/// What a business hid or made up in a period, NT$ without tax.
pub(crate) struct VatEvasionRow {
    pub(crate) ban: Ban,
    pub(crate) period: String,
    /// Invoiced, but not in the return.
    pub(crate) hidden_sales: i64,
    pub(crate) pattern: &'static str,
    /// Invoiced without goods behind.
    pub(crate) fictitious_sales: i64,
}

impl Record for VatEvasionRow {
    const TABLE: TableName = TableName::new("truth", "vat_evasion");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("ban", rows, |row| row.ban.as_str()),
            text("period", rows, |row| &row.period),
            integer("hidden_sales", rows, |row| row.hidden_sales),
            text("pattern", rows, |row| row.pattern),
            integer("fictitious_sales", rows, |row| row.fictitious_sales),
        ]
    }
}
