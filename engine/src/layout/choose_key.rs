//! The order that the observed queries gain most from.
//!
//! Each condition on one column counts for it as much as it leaves out: the share of a sample's rows that do not satisfy
//! it, as often as its query was asked. What is joined or grouped by counts a tenth of a condition that leaves out
//! everything, for it saves no reading. The best column comes first, and further ones that count at least a quarter of
//! it, three at most: behind three columns nothing is sorted any more.
//!
//! An order also takes away: what rows lie in now (`together`) is lost to queries that join or group by it,
//! and they pay more than a scan takes. Where they would lose more than conditions gain, rows are sorted within row groups
//! alone, which leaves rows that are joined in the same two or three of them.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, RecordBatch};
use datafusion::common::DFSchema;
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;

use crate::layout::observed::{Observed, is_equality};

const MOST_COLUMNS: usize = 3;
/// Of the best column's worth.
const WORTH_IT: f64 = 0.25;
const KEY: f64 = 0.1;
/// What is taken to be left out by conditions that cannot be tried, as those with parameters.
const EQUALITY: f64 = 0.9;
const OTHER: f64 = 0.5;
/// What a query loses that joins or groups by a column in whose order the rows lay.
const LOST: f64 = 2.0;

/// What the queries come to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Chosen {
    pub(super) columns: Vec<String>,
    /// What each counted.
    pub(super) because: String,
    /// Columns of which some values are asked for.
    pub(super) equality: BTreeSet<String>,
    /// Whether only the rows of a row group are to be sorted.
    pub(super) within_row_groups: bool,
}

/// The columns that `observed` asks for, in order of `known`, those that may be sorted by.
pub(super) fn asked_for(observed: &[Observed], known: &[String]) -> Vec<String> {
    let conditions = observed.iter().flat_map(|query| query.scans.iter().flatten());
    let mut named: BTreeSet<String> = conditions
        .flat_map(|condition| condition.column_refs().into_iter().map(|column| column.name.clone()))
        .collect();
    named.extend(observed.iter().flat_map(|query| query.keys.iter().cloned()));
    known.iter().filter(|column| named.contains(*column)).cloned().collect()
}

/// Chooses among `known`, the columns that may be sorted by, with a sample of those that are asked for; by `together`, which
/// have many values, rows lie together now.
pub(super) fn choose(
    observed: &[Observed],
    known: &[String],
    sample: &RecordBatch,
    together: &BTreeSet<String>,
    state: &SessionState,
) -> Chosen {
    let mut worth: BTreeMap<&str, f64> = BTreeMap::new();
    let mut equality = BTreeSet::new();
    for query in observed {
        let times = query.times as f64;
        for condition in query.scans.iter().flatten() {
            let columns: BTreeSet<&str> =
                condition.column_refs().into_iter().map(|column| column.name.as_str()).collect();
            let [column] = columns.iter().collect::<Vec<_>>()[..] else { continue };
            let Some(column) = known.iter().find(|known| known == column) else { continue };
            if is_equality(condition) {
                equality.insert(column.clone());
            }
            let left_out = left_out(condition, sample, state);
            let guess = if is_equality(condition) { EQUALITY } else { OTHER };
            *worth.entry(column).or_default() += times * left_out.unwrap_or(guess);
        }
        for column in known.iter().filter(|column| query.keys.contains(*column)) {
            *worth.entry(column).or_default() += times * KEY;
        }
    }
    let place = |column: &str| known.iter().position(|known| known == column);
    let mut ranked: Vec<(&str, f64)> = worth.into_iter().filter(|(_, worth)| *worth > 0.0).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| place(a.0).cmp(&place(b.0))));
    let best = ranked.first().map_or(0.0, |(_, worth)| *worth);
    ranked.retain(|(_, worth)| *worth >= best * WORTH_IT);
    ranked.truncate(MOST_COLUMNS);
    let mut because: Vec<String> =
        ranked.iter().map(|(column, worth)| format!("{column} {worth:.2}")).collect();
    let lost = lost(observed, together, ranked.first().map(|(column, _)| *column));
    let within_row_groups = lost.values().sum::<f64>() > best;
    if within_row_groups {
        because.extend(lost.iter().map(|(column, lost)| format!("{column}, by which rows lie, -{lost:.2}")));
    }
    Chosen {
        columns: ranked.iter().map(|(column, _)| (*column).to_owned()).collect(),
        because: because.join(", "),
        equality,
        within_row_groups,
    }
}

/// What queries lose where rows are sorted by `first` that lie `together` now.
fn lost<'a>(
    observed: &[Observed],
    together: &'a BTreeSet<String>,
    first: Option<&str>,
) -> BTreeMap<&'a str, f64> {
    let mut lost = BTreeMap::new();
    for query in observed {
        let by = together.iter().filter(|column| Some(column.as_str()) != first);
        // Once a query: what it joins by and groups by is the same rows.
        if let Some(column) = by.clone().find(|column| query.keys.contains(*column)) {
            *lost.entry(column.as_str()).or_default() += query.times as f64 * LOST;
        }
    }
    lost
}

/// The share of the sample's rows that do not satisfy `condition`; `None` where it cannot be tried.
fn left_out(condition: &Expr, sample: &RecordBatch, state: &SessionState) -> Option<f64> {
    if sample.num_rows() == 0 {
        return None;
    }
    let schema = DFSchema::try_from(sample.schema().as_ref().clone()).ok()?;
    let condition = state.create_physical_expr(condition.clone(), &schema).ok()?;
    let satisfied = condition.evaluate(sample).ok()?.into_array(sample.num_rows()).ok()?;
    let satisfied = satisfied.as_boolean_opt()?.true_count();
    Some(1.0 - satisfied as f64 / sample.num_rows() as f64)
}
