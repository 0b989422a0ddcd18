use crate::write::{Column, Record, TableName, date, integer, small, text};

/// A person's income tax return.
pub(crate) struct IncomeReturnRow {
    pub(crate) taxpayer_id: String,
    pub(crate) year: i32,
    pub(crate) declared_creator_income: i64,
    pub(crate) total_income: i64,
    pub(crate) tax_due: i64,
    pub(crate) filed_on: i32,
    pub(crate) bureau_code: &'static str,
}

impl Record for IncomeReturnRow {
    const TABLE: TableName = TableName::new("tax", "income_return");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("taxpayer_id", rows, |row| &row.taxpayer_id),
            small("year", rows, |row| row.year),
            integer("declared_creator_income", rows, |row| row.declared_creator_income),
            integer("total_income", rows, |row| row.total_income),
            integer("tax_due", rows, |row| row.tax_due),
            date("filed_on", rows, |row| Some(row.filed_on)),
            text("bureau_code", rows, |row| row.bureau_code),
        ]
    }
}
