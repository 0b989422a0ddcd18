//! One group: without GROUP BY, and over windows.

use arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::function::SeriesFunction;
use super::observations::{Observations, from_state, to_state};
use super::parameter::has_received;
use super::period::PeriodType;
use super::rows::Rows;

#[derive(Debug)]
pub(super) struct SeriesAccumulator<F: SeriesFunction> {
    options: F::Options,
    period: PeriodType,
    group: Observations,
}

impl<F: SeriesFunction> SeriesAccumulator<F> {
    pub(super) fn new(options: F::Options, period: PeriodType) -> Self {
        Self { options, period, group: Observations::default() }
    }
}

impl<F: SeriesFunction> Accumulator for SeriesAccumulator<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = Rows::read(values, has_received(F::PARAMETERS), &self.period)?;
        rows.iter().for_each(|row| self.group.push(row));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let answer = F::evaluate(&self.group, &self.options, &self.period)?;
        let array = F::to_array(&[answer], &self.period)?;
        ScalarValue::try_from_array(&array, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.group.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = to_state(std::slice::from_ref(&self.group), has_received(F::PARAMETERS))?;
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        from_state(states, has_received(F::PARAMETERS), |_, add| add(&mut self.group))
    }
}
