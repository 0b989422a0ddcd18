use crate::community::Item;
use crate::identifier::InvoiceNumber;
use crate::write::{Column, Record, TableName, decimal, integer, small, text};

/// A line of an e-invoice; the lines of an invoice add up to its sales amount.
pub(crate) struct ItemRow {
    pub(crate) number: InvoiceNumber,
    pub(crate) line: i32,
    pub(crate) item: Item,
}

impl Record for ItemRow {
    const TABLE: TableName = TableName::new("invoice", "item");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("invoice_number", rows, |row| row.number.as_str()),
            small("line", rows, |row| row.line),
            text("description", rows, |row| row.item.product.description),
            decimal("quantity", rows, |row| i128::from(row.item.quantity) * 10_000),
            text("unit", rows, |row| row.item.product.unit),
            decimal("unit_price", rows, |row| i128::from(row.item.unit_price) * 100_000),
            integer("amount", rows, |row| row.item.amount),
        ]
    }
}
