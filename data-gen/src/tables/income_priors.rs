use crate::reference::{PRIORS_VERSION, Prior};
use crate::write::{Column, Record, TableName, float, text};

/// A model constant of creators' income. `median` is NULL where the published median is a formula or a list;
/// `median_text` always has it as published.
pub(crate) struct PriorRow(pub(crate) Prior);

impl Record for PriorRow {
    const TABLE: TableName = TableName::new("income", "priors");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("component", rows, |row| row.0.component),
            text("parameter", rows, |row| row.0.parameter),
            text("stratum", rows, |row| row.0.stratum),
            text("dist", rows, |row| row.0.dist),
            float("median", rows, |row| row.0.median_text.parse().ok()),
            text("median_text", rows, |row| row.0.median_text),
            float("log_sd", rows, |row| row.0.log_sd),
            text("unit", rows, |row| row.0.unit),
            text("range_seen", rows, |row| row.0.range_seen),
            text("source", rows, |row| row.0.source),
            text("confidence", rows, |row| row.0.confidence),
            text("version", rows, |_| PRIORS_VERSION),
        ]
    }
}
