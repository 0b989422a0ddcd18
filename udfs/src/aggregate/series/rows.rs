//! The columns of a batch, as rows.

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array};
use datafusion::common::Result;

use super::observations::Row;
use super::period::PeriodType;
use super::values::to_doubles;

/// Period, value and, for a function that takes one, the second number of every row.
pub(super) struct Rows {
    times: Int64Array,
    values: Float64Array,
    received: Option<Float64Array>,
}

impl Rows {
    /// # Errors
    /// When a column is not of a type that is taken.
    pub(super) fn read(columns: &[ArrayRef], received: bool, period: &PeriodType) -> Result<Self> {
        Ok(Self {
            times: period.read(&columns[0])?,
            values: to_doubles(&columns[1])?,
            received: if received { Some(to_doubles(&columns[2])?) } else { None },
        })
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Row> {
        let number = |array: &Float64Array, row| array.is_valid(row).then(|| array.value(row));
        (0..self.len()).map(move |row| Row {
            time: self.times.is_valid(row).then(|| self.times.value(row)),
            value: number(&self.values, row),
            received: self.received.as_ref().and_then(|received| number(received, row)),
        })
    }
}
