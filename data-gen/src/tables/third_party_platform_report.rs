use crate::identifier::NationalId;
use crate::write::{Column, Record, TableName, integer, small, text};

/// A seller's quarter as a platform reports it.
pub(crate) struct PlatformReportRow {
    pub(crate) platform: &'static str,
    pub(crate) year: i32,
    pub(crate) quarter: i32,
    pub(crate) seller_tin: NationalId,
    pub(crate) seller_name: String,
    pub(crate) consideration_twd: i64,
    pub(crate) activities: i64,
}

impl Record for PlatformReportRow {
    const TABLE: TableName = TableName::new("third_party", "platform_report");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("platform", rows, |row| row.platform),
            small("year", rows, |row| row.year),
            small("quarter", rows, |row| row.quarter),
            text("seller_tin", rows, |row| row.seller_tin.as_str()),
            text("seller_name", rows, |row| &row.seller_name),
            integer("consideration_twd", rows, |row| row.consideration_twd),
            integer("activities", rows, |row| row.activities),
        ]
    }
}
