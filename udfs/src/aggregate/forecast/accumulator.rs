//! One group: without GROUP BY, and over windows.

use arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::arguments::Options;
use super::evaluation::evaluate;
use super::observations::{Observations, from_state, to_state};
use super::output::to_lists;
use super::period::PeriodType;
use super::values::to_doubles;

#[derive(Debug)]
pub(super) struct ForecastAccumulator {
    options: Options,
    period: PeriodType,
    group: Observations,
}

impl ForecastAccumulator {
    pub(super) fn new(options: Options, period: PeriodType) -> Self {
        Self { options, period, group: Observations::default() }
    }
}

impl Accumulator for ForecastAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let times = self.period.read(&values[0])?;
        let values = to_doubles(&values[1])?;
        for (time, value) in times.iter().zip(&values) {
            self.group.push(time, value);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let forecast = evaluate(&self.group, &self.options, &self.period)?;
        let list = to_lists(&[forecast], &self.period)?;
        ScalarValue::try_from_array(&list, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.group.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = to_state(std::slice::from_ref(&self.group))?;
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        from_state(states, |_, seen, rows| {
            self.group.seen |= seen;
            self.group.rows.extend(rows);
        })
    }
}
