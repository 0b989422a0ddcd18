use crate::reference::TaxType;
use crate::write::{Column, Record, TableName, text};

/// A tax.
pub(crate) struct TaxTypeRow(pub(crate) &'static TaxType);

impl Record for TaxTypeRow {
    const TABLE: TableName = TableName::new("ref", "tax_type");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("tax_type", rows, |row| row.0.code),
            text("name_zh", rows, |row| row.0.name_zh),
            text("name_en", rows, |row| row.0.name_en),
            text("level", rows, |row| row.0.level),
        ]
    }
}
