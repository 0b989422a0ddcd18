use crate::write::{Column, Record, TableName, text};

/// Whose channel it is.
pub(crate) struct LinkRow {
    pub(crate) channel_id: String,
    pub(crate) taxpayer_id: String,
}

impl Record for LinkRow {
    const TABLE: TableName = TableName::new("truth", "link");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("channel_id", rows, |row| &row.channel_id),
            text("taxpayer_id", rows, |row| &row.taxpayer_id),
        ]
    }
}
