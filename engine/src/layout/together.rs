//! By which columns rows lie together.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::row::{RowConverter, SortField};

/// Of fewer different values each is everywhere, and no order takes anything away.
const MANY_VALUES: f64 = 0.1;
/// How much more often values repeat among neighbours than elsewhere.
const MORE_OFTEN: f64 = 1.5;
/// Of all neighbours, of rows that lie in order.
const IN_ORDER: f64 = 0.95;

/// The columns with many values of which rows that lie beside each other, as in `beside`, have the same or rising ones, and
/// rows from everywhere, as in `spread`, others. Both have the same columns.
pub(super) fn together(beside: &RecordBatch, spread: &RecordBatch) -> BTreeSet<String> {
    let fields = spread.schema_ref().fields().iter();
    fields
        .filter(|field| {
            let values = (beside.column_by_name(field.name()), spread.column_by_name(field.name()));
            matches!(values, (Some(beside), Some(spread)) if lies_together(beside, spread).unwrap_or(false))
        })
        .map(|field| field.name().clone())
        .collect()
}

/// `None` where values cannot be compared, or there are none.
fn lies_together(beside: &ArrayRef, spread: &ArrayRef) -> Option<bool> {
    let (beside, spread) = (Values::of(beside)?, Values::of(spread)?);
    let repeats = beside.different * MORE_OFTEN < spread.different;
    Some(spread.different >= MANY_VALUES && (repeats || beside.rising >= IN_ORDER))
}

/// The share of different values of a column, of all, and of rows that are not below the one before.
struct Values {
    different: f64,
    rising: f64,
}

impl Values {
    fn of(values: &ArrayRef) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let field = SortField::new(values.data_type().clone());
        let rows = RowConverter::new(vec![field]).ok()?.convert_columns(std::slice::from_ref(values)).ok()?;
        let different: BTreeSet<_> = rows.iter().collect();
        let rising = rows.iter().zip(rows.iter().skip(1)).filter(|(before, row)| before <= row).count();
        let count = values.len() as f64;
        Some(Self { different: different.len() as f64 / count, rising: rising as f64 / (count - 1.0) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    /// Rows of a table of items, every `step`th from the start.
    fn rows(step: i64) -> RecordBatch {
        let places = || (0..10_000_i64).map(move |n| n * step);
        let mixed = |n: i64| (n * 7919) % 1_000_003;
        RecordBatch::try_from_iter([
            // Three items each, in no order of their numbers.
            ("invoice", Arc::new(Int64Array::from_iter_values(places().map(|n| mixed(n / 3)))) as ArrayRef),
            ("number", Arc::new(StringArray::from_iter_values(places().map(|n| format!("AB{:08}", n / 3))))),
            ("buyer", Arc::new(Int64Array::from_iter_values(places().map(|n| mixed(n) % 90_001)))),
            ("county", Arc::new(Int64Array::from_iter_values(places().map(|n| n / 1_000_000)))),
            ("none", Arc::new(Int64Array::from_iter((0..10_000).map(|_| None))) as ArrayRef),
        ])
        .unwrap()
    }

    #[test]
    fn rows_lie_by_what_repeats_or_rises_among_neighbours_and_has_many_values() {
        let found = together(&rows(1), &rows(450));
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["invoice", "number"]);
        assert!(together(&rows(1).slice(0, 1), &rows(450)).is_empty(), "one row tells nothing");
    }
}
