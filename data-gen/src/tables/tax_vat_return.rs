use crate::identifier::Ban;
use crate::write::{Column, Record, TableName, date, integer, text};

/// A VAT return. `sales_amount` is the taxable sales without tax: invoices to businesses as they are, invoices to
/// consumers summed over the period and taken at 20/21, rounded half up.
pub(crate) struct VatReturnRow {
    pub(crate) ban: Ban,
    pub(crate) period: String,
    pub(crate) form: &'static str,
    pub(crate) sales_amount: i64,
    pub(crate) zero_rated_amount: i64,
    pub(crate) exempt_amount: i64,
    pub(crate) output_tax: i64,
    pub(crate) purchases_amount: i64,
    pub(crate) input_tax: i64,
    pub(crate) filed_on: i32,
}

impl VatReturnRow {
    pub(crate) fn payable(&self) -> i64 {
        (self.output_tax - self.input_tax).max(0)
    }
}

impl Record for VatReturnRow {
    const TABLE: TableName = TableName::new("tax", "vat_return");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("ban", rows, |row| row.ban.as_str()),
            text("period", rows, |row| &row.period),
            text("form", rows, |row| row.form),
            integer("sales_amount", rows, |row| row.sales_amount),
            integer("zero_rated_amount", rows, |row| row.zero_rated_amount),
            integer("exempt_amount", rows, |row| row.exempt_amount),
            integer("output_tax", rows, |row| row.output_tax),
            integer("purchases_amount", rows, |row| row.purchases_amount),
            integer("input_tax", rows, |row| row.input_tax),
            integer("tax_payable", rows, VatReturnRow::payable),
            integer("excess_input_tax", rows, |row| (row.input_tax - row.output_tax).max(0)),
            date("filed_on", rows, |row| Some(row.filed_on)),
        ]
    }
}
