use crate::reference::Industry;
use crate::write::{Column, Record, TableName, text};

/// A line of business.
pub(crate) struct IndustryRow(pub(crate) &'static Industry);

impl Record for IndustryRow {
    const TABLE: TableName = TableName::new("ref", "industry");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("industry_code", rows, |row| row.0.code),
            text("name_zh", rows, |row| row.0.name_zh),
            text("name_en", rows, |row| row.0.name_en),
        ]
    }
}
