use crate::write::{Column, Record, TableName, boolean, text};

/// What a video or post really is.
pub(crate) struct DocumentRow {
    pub(crate) document_id: String,
    pub(crate) channel_id: String,
    pub(crate) kind: &'static str,
    /// Somebody paid for it.
    pub(crate) sponsored: bool,
    /// Its text says so openly.
    pub(crate) disclosed: bool,
    pub(crate) group_buy: bool,
}

impl Record for DocumentRow {
    const TABLE: TableName = TableName::new("truth", "document");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("document_id", rows, |row| &row.document_id),
            text("channel_id", rows, |row| &row.channel_id),
            text("kind", rows, |row| row.kind),
            boolean("sponsored", rows, |row| row.sponsored),
            boolean("disclosed", rows, |row| row.disclosed),
            boolean("group_buy", rows, |row| row.group_buy),
        ]
    }
}
