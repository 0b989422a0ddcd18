use crate::write::{Column, Record, TableName, text};

/// Which agency represents a channel.
pub(crate) struct RepresentationRow {
    pub(crate) channel_id: String,
    pub(crate) agency_id: &'static str,
}

impl Record for RepresentationRow {
    const TABLE: TableName = TableName::new("truth", "agency");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![text("channel_id", rows, |row| &row.channel_id), text("agency_id", rows, |row| row.agency_id)]
    }
}
