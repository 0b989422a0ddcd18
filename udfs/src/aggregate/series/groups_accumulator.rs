//! Many groups: GROUP BY.

use arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::evaluation::Evaluation;
use super::function::SeriesFunction;
use super::observations::{Observation, Observations, from_state, to_state};
use super::parameter::has_received;
use super::rows::Rows;

pub(super) struct SeriesGroupsAccumulator<F: SeriesFunction> {
    evaluation: Evaluation<F>,
    groups: Vec<Observations>,
    /// Bytes of the groups' rows, kept up to date because the size is asked for after every batch.
    row_bytes: usize,
}

impl<F: SeriesFunction> SeriesGroupsAccumulator<F> {
    pub(super) fn new(evaluation: Evaluation<F>) -> Self {
        Self { evaluation, groups: Vec::new(), row_bytes: 0 }
    }

    fn change(&mut self, group: usize, change: impl FnOnce(&mut Observations)) {
        let group = &mut self.groups[group];
        let before = group.heap_size();
        change(group);
        self.row_bytes = self.row_bytes + group.heap_size() - before;
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Observations> {
        let taken = emit_to.take_needed(&mut self.groups);
        self.row_bytes -= taken.iter().map(Observations::heap_size).sum::<usize>();
        taken
    }
}

impl<F: SeriesFunction> GroupsAccumulator for SeriesGroupsAccumulator<F> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, Observations::default);
        let rows = Rows::read(values, has_received(F::PARAMETERS), &self.evaluation.period)?;
        for (index, row) in rows.iter().enumerate() {
            if passes(opt_filter, index) {
                self.change(group_indices[index], |group| group.push(row));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.take(emit_to);
        let answers = self.evaluation.answers(&groups)?;
        drop(groups);
        F::to_array(&answers, &self.evaluation.period)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        to_state(&self.take(emit_to), has_received(F::PARAMETERS))
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, Observations::default);
        from_state(values, has_received(F::PARAMETERS), |row, add| self.change(group_indices[row], add))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let received = has_received(F::PARAMETERS);
        let rows = Rows::read(values, received, &self.evaluation.period)?;
        let mut groups = vec![Observations::default(); rows.len()];
        for (index, row) in rows.iter().enumerate() {
            if passes(opt_filter, index) {
                groups[index].push(row);
            }
        }
        to_state(&groups, received)
    }

    fn size(&self) -> usize {
        let rows = self.row_bytes / size_of::<Observation>();
        size_of_val(self)
            + self.groups.capacity() * size_of::<Observations>()
            + self.row_bytes
            + self.evaluation.working_bytes(self.groups.len(), rows)
    }
}

/// NULL in a filter is false.
fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}
