use crate::reference::Bureau;
use crate::write::{Column, Record, TableName, text};

/// A national taxation bureau.
pub(crate) struct BureauRow(pub(crate) &'static Bureau);

impl Record for BureauRow {
    const TABLE: TableName = TableName::new("ref", "bureau");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("bureau_code", rows, |row| row.0.code),
            text("name_zh", rows, |row| row.0.name_zh),
            text("name_en", rows, |row| row.0.name_en),
        ]
    }
}
