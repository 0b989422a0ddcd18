use crate::write::{Column, Record, TableName, date, text};

/// An account on a platform, as its owner registered it with the tax office.
pub(crate) struct RegisteredAccountRow {
    pub(crate) taxpayer_id: String,
    pub(crate) account: String,
    pub(crate) registered_on: i32,
}

impl Record for RegisteredAccountRow {
    const TABLE: TableName = TableName::new("tax", "registered_account");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("taxpayer_id", rows, |row| &row.taxpayer_id),
            text("account", rows, |row| &row.account),
            date("registered_on", rows, |row| Some(row.registered_on)),
        ]
    }
}
