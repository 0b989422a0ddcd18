use crate::reference::County;
use crate::write::{Column, Record, TableName, integer, text};

/// A county or city.
pub(crate) struct CountyRow(pub(crate) &'static County);

impl Record for CountyRow {
    const TABLE: TableName = TableName::new("ref", "county");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("county_code", rows, |row| row.0.code),
            text("id_letter", rows, |row| row.0.id_letter),
            text("name_zh", rows, |row| row.0.name_zh),
            text("name_en", rows, |row| row.0.name_en),
            text("bureau_code", rows, |row| row.0.bureau_code),
            text("local_bureau_zh", rows, |row| row.0.local_bureau_zh),
            integer("population", rows, |row| row.0.population),
        ]
    }
}
