use crate::reference::Agency;
use crate::write::{Column, Record, TableName, text};

/// An agency that represents channels.
pub(crate) struct AgencyRow(pub(crate) &'static Agency);

impl Record for AgencyRow {
    const TABLE: TableName = TableName::new("ref", "agency");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("agency_id", rows, |row| row.0.id),
            text("name", rows, |row| row.0.name),
            text("email", rows, |row| row.0.email),
            text("ban", rows, |row| row.0.ban.as_str()),
        ]
    }
}
