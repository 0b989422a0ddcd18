use crate::identifier::Ban;
use crate::write::{Column, Record, TableName, text};

/// Who is responsible for a business, as registered.
pub(crate) struct BusinessOwnerRow {
    pub(crate) ban: Ban,
    pub(crate) owner_id: String,
}

impl Record for BusinessOwnerRow {
    const TABLE: TableName = TableName::new("tax", "business_owner");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![text("ban", rows, |row| row.ban.as_str()), text("owner_id", rows, |row| &row.owner_id)]
    }
}
