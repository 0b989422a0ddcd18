use crate::reference::Prior;
use crate::write::{Column, Record, TableName, float, text};

/// A number that the estimator of creators' income assumes before any evidence.
pub(crate) struct PriorRow(pub(crate) Prior);

impl Record for PriorRow {
    const TABLE: TableName = TableName::new("income", "priors");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("version", rows, |row| row.0.version),
            text("name", rows, |row| row.0.name),
            text("key", rows, |row| row.0.key),
            float("value", rows, |row| Some(row.0.value)),
            float("low", rows, |row| Some(row.0.low)),
            float("high", rows, |row| Some(row.0.high)),
            text("unit", rows, |row| row.0.unit),
            text("meaning", rows, |row| row.0.meaning),
            text("source", rows, |row| row.0.source),
            text("confidence", rows, |row| row.0.confidence),
        ]
    }
}
