use crate::identifier::{Ban, InvoiceNumber};
use crate::write::{Column, Record, TableName, text};

/// The numbers handed to a seller for a period; those after `last_used_number` were reported as blank.
pub(crate) struct AllotmentRow {
    pub(crate) ban: Ban,
    pub(crate) period: String,
    pub(crate) first: InvoiceNumber,
    pub(crate) last: InvoiceNumber,
    pub(crate) last_used: InvoiceNumber,
}

impl Record for AllotmentRow {
    const TABLE: TableName = TableName::new("invoice", "allotment");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("seller_ban", rows, |row| row.ban.as_str()),
            text("period", rows, |row| &row.period),
            text("track", rows, |row| row.first.as_str().get(..2).unwrap_or_default()),
            text("first_number", rows, |row| row.first.as_str()),
            text("last_number", rows, |row| row.last.as_str()),
            text("last_used_number", rows, |row| row.last_used.as_str()),
        ]
    }
}
