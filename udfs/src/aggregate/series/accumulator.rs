//! One group: without GROUP BY, and over windows.

use arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::evaluation::Evaluation;
use super::function::SeriesFunction;
use super::observations::{Observations, from_state, to_state};
use super::parameter::has_received;
use super::rows::Rows;

#[derive(Debug)]
pub(super) struct SeriesAccumulator<F: SeriesFunction> {
    evaluation: Evaluation<F>,
    group: Observations,
}

impl<F: SeriesFunction> SeriesAccumulator<F> {
    pub(super) fn new(evaluation: Evaluation<F>) -> Self {
        Self { evaluation, group: Observations::default() }
    }
}

impl<F: SeriesFunction> Accumulator for SeriesAccumulator<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = Rows::read(values, has_received(F::PARAMETERS), &self.evaluation.period)?;
        rows.iter().for_each(|row| self.group.push(row));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let answers = self.evaluation.answers(std::slice::from_ref(&self.group))?;
        let array = F::to_array(&answers, &self.evaluation.period)?;
        ScalarValue::try_from_array(&array, 0)
    }

    fn size(&self) -> usize {
        let rows = self.group.rows.len();
        size_of_val(self) + self.group.heap_size() + self.evaluation.working_bytes(1, rows)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = to_state(std::slice::from_ref(&self.group), has_received(F::PARAMETERS))?;
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        from_state(states, has_received(F::PARAMETERS), |_, add| add(&mut self.group))
    }
}
