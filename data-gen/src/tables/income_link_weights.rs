use crate::reference::LinkWeight;
use crate::write::{Column, Record, TableName, boolean, float, text};

/// What a kind of evidence says of whose channel it is.
pub(crate) struct LinkWeightRow(pub(crate) LinkWeight);

impl Record for LinkWeightRow {
    const TABLE: TableName = TableName::new("income", "link_weights");

    fn columns(rows: &[Self]) -> Vec<Column> {
        vec![
            text("evidence", rows, |row| row.0.evidence),
            text("relation", rows, |row| row.0.relation),
            float("m", rows, |row| Some(row.0.m)),
            float("u", rows, |row| Some(row.0.u)),
            float("weight", rows, |row| Some(row.0.weight)),
            float("disagreement", rows, |row| Some(row.0.disagreement)),
            boolean("strong", rows, |row| row.0.strong),
            text("meaning", rows, |row| row.0.meaning),
            text("source", rows, |row| row.0.source),
            text("confidence", rows, |row| row.0.confidence),
        ]
    }
}
