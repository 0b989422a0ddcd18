use crate::write::{Column, Record, TableName, text};

/// Evidence that points from a channel to somebody who is not its owner.
pub(crate) struct MisleadingKeyRow {
    pub(crate) channel_id: String,
    pub(crate) evidence: &'static str,
    pub(crate) taxpayer_id: String,
}

impl Record for MisleadingKeyRow {
    const TABLE: TableName = TableName::new("truth", "misleading_key");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("channel_id", rows, |row| &row.channel_id),
            text("evidence", rows, |row| row.evidence),
            text("taxpayer_id", rows, |row| &row.taxpayer_id),
        ]
    }
}
