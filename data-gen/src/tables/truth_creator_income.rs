use crate::write::{Column, Record, TableName, boolean, integer, small, text};

/// What a creator truly earned and declared in a year, NT$, gross.
pub(crate) struct CreatorIncomeRow {
    pub(crate) channel_id: String,
    pub(crate) taxpayer_id: String,
    pub(crate) year: i32,
    pub(crate) ads: i64,
    pub(crate) sponsorship: i64,
    pub(crate) donations: i64,
    pub(crate) group_buy: i64,
    pub(crate) other: i64,
    pub(crate) total: i64,
    pub(crate) declared: i64,
    pub(crate) compliant: bool,
    pub(crate) deals: i64,
    pub(crate) reported_deals: i64,
}

impl Record for CreatorIncomeRow {
    const TABLE: TableName = TableName::new("truth", "creator_income");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("channel_id", rows, |row| &row.channel_id),
            text("taxpayer_id", rows, |row| &row.taxpayer_id),
            small("year", rows, |row| row.year),
            integer("ads", rows, |row| row.ads),
            integer("sponsorship", rows, |row| row.sponsorship),
            integer("donations", rows, |row| row.donations),
            integer("group_buy", rows, |row| row.group_buy),
            integer("other", rows, |row| row.other),
            integer("total", rows, |row| row.total),
            integer("declared", rows, |row| row.declared),
            boolean("compliant", rows, |row| row.compliant),
            integer("deals", rows, |row| row.deals),
            integer("reported_deals", rows, |row| row.reported_deals),
        ]
    }
}
