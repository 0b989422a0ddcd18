//! What the columns of a lake hold, judged by their values: proposes tags for a policy.

mod detector;
mod leaves;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::utils::quote_identifier;
use datafusion::common::{DataFusionError, internal_datafusion_err};

use crate::error::{EngineError, Result};
use crate::session::Session;
use detector::{DETECTORS, Detector};
use leaves::{Leaf, leaves};

/// A column that seems to hold something about a person, and the tag that a policy would give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedTag {
    /// The column, or its place in it where it is nested, as `snippet['description']`.
    pub place: String,
    /// The column's name, which a policy tags as a whole.
    pub column: String,
    /// As `pii.id`.
    pub tag: &'static str,
    /// What its values are, and how many of those looked at.
    pub reason: String,
    /// One value, masked.
    pub example: String,
}

/// What was found in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableScan {
    /// Rows looked at.
    pub rows: u64,
    /// In the order of the columns.
    pub proposed: Vec<ProposedTag>,
    /// Columns whose values are of a kind that is not looked into, and may hold anything.
    pub not_looked_into: Vec<String>,
}

impl Session {
    /// Looks at the first `rows` rows of a table and proposes tags for its columns.
    ///
    /// It looks for forms, so it is a proposal and no proof: what has no form, and what stands further down, is missed.
    /// With one partition the same rows are looked at each time.
    ///
    /// # Errors
    /// When the table does not exist, is not permitted, or cannot be read.
    pub async fn scan(&self, schema: &str, table: &str, rows: u64) -> Result<TableScan> {
        let mut not_looked_into = Vec::new();
        let columns = self.table_schema(schema, table).await?;
        let leaves = leaves(&columns, &mut not_looked_into);
        if leaves.is_empty() {
            return Ok(TableScan { rows: 0, proposed: Vec::new(), not_looked_into });
        }
        let counted = match self.query(&statement(schema, table, &leaves, rows)).await {
            Ok(query) => query.collect().await?,
            Err(error) => return Err(self.refused(schema, table, error)),
        };
        let row = counted.iter().find(|batch| batch.num_rows() > 0).ok_or_else(unreadable)?;
        let mut counts = Counts { row, next: 0 };
        let rows = counts.number()?;
        let mut proposed = Vec::new();
        for leaf in leaves {
            proposed.extend(judge(leaf, &mut counts)?);
        }
        Ok(TableScan { rows, proposed, not_looked_into })
    }

    /// The refusal of a query that nobody wrote, in the words of a scan.
    fn refused(&self, schema: &str, table: &str, error: EngineError) -> EngineError {
        let groups =
            self.authority.as_ref().and_then(|authority| authority.shows_groups_alone(schema, table));
        match (error, groups) {
            (EngineError::NotAllowed { .. }, Some(size)) => EngineError::NotAllowed {
                what: format!("scanning {schema}.{table}"),
                reason: format!(
                    "a scan looks at single values, and the policy shows it to {} in groups of at least {size} alone; \
                     let somebody scan it who sees its rows",
                    self.principal.name
                ),
            },
            (error, _) => error,
        }
    }
}

/// One row of counts: of all rows; then of each leaf how many values it has, and of each detector how many it fits
/// and the smallest masked one.
fn statement(schema: &str, table: &str, leaves: &[Leaf], rows: u64) -> String {
    let mut looked_at = Vec::new();
    let mut counted = vec!["count(*)".to_owned()];
    for (number, leaf) in leaves.iter().enumerate() {
        let value = format!("v{number}");
        looked_at.push(format!("{} AS {value}", leaf.expression));
        counted.push(format!("count({value})"));
        for Detector { condition, masked, .. } in DETECTORS {
            let condition = condition.replace("{v}", &value);
            counted.push(format!("count(*) FILTER (WHERE {condition})"));
            counted.push(format!("min({}) FILTER (WHERE {condition})", masked.replace("{v}", &value)));
        }
    }
    let counted: Vec<String> =
        counted.iter().enumerate().map(|(number, count)| format!("{count} AS c{number}")).collect();
    format!(
        "SELECT {} FROM (SELECT {} FROM {}.{} LIMIT {rows})",
        counted.join(", "),
        looked_at.join(", "),
        quote_identifier(schema),
        quote_identifier(table)
    )
}

/// The first detector that fits, as they stand from the surest to the least sure.
fn judge(leaf: Leaf, counts: &mut Counts<'_>) -> Result<Option<ProposedTag>> {
    let values = counts.number()?;
    let mut proposed = None;
    for detector in DETECTORS {
        let (fitting, example) = (counts.number()?, counts.text()?);
        // In hundredths, as an integer: the same everywhere.
        if proposed.is_none() && fitting > 0 && fitting * 100 >= values * detector.least_share {
            proposed = Some(ProposedTag {
                place: leaf.place.clone(),
                column: leaf.column.clone(),
                tag: detector.tag,
                reason: format!("{fitting} of {values} values {}", detector.meaning),
                example,
            });
        }
    }
    Ok(proposed)
}

struct Counts<'b> {
    row: &'b RecordBatch,
    next: usize,
}

impl Counts<'_> {
    fn number(&mut self) -> Result<u64> {
        let column = self.column()?.as_primitive_opt::<Int64Type>().ok_or_else(unreadable)?;
        u64::try_from(column.value(0)).map_err(|_negative| unreadable())
    }

    fn text(&mut self) -> Result<String> {
        let text = cast(self.column()?, &DataType::Utf8).map_err(DataFusionError::from)?;
        let text = text.as_string_opt::<i32>().ok_or_else(unreadable)?;
        Ok(if text.is_null(0) { String::new() } else { text.value(0).to_owned() })
    }

    fn column(&mut self) -> Result<&dyn Array> {
        let column = self.row.columns().get(self.next).ok_or_else(unreadable)?;
        self.next += 1;
        Ok(column)
    }
}

fn unreadable() -> EngineError {
    internal_datafusion_err!("the counts of a scan are not as it asked for them").into()
}
