//! Of many groups at once.

use std::mem::{size_of, size_of_val};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::accumulator::whole_numbers;
use super::sums::Sums;
use super::{Measure, as_state, of_state};

pub(super) struct ExactGroups {
    measure: Measure,
    groups: Vec<Sums>,
}

impl ExactGroups {
    pub(super) fn new(measure: Measure) -> Self {
        Self { measure, groups: Vec::new() }
    }

    fn add(&mut self, group: usize, sums: Sums) {
        if let Some(known) = self.groups.get_mut(group) {
            *known = known.and(sums);
        }
    }
}

fn is_kept(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl GroupsAccumulator for ExactGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.groups.resize(groups, Sums::default());
        for (row, (value, group)) in whole_numbers(values)?.iter().zip(group_indices).enumerate() {
            if let Some(value) = value.filter(|_value| is_kept(filter, row)) {
                self.add(*group, Sums::of_one(value));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        self.groups.resize(groups, Sums::default());
        for (sums, group) in of_state(states)?.zip(group_indices) {
            self.add(*group, sums);
        }
        Ok(())
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(as_state(&emit.take_needed(&mut self.groups)))
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let groups = emit.take_needed(&mut self.groups);
        Ok(Arc::new(groups.into_iter().map(|sums| self.measure.of(sums)).collect::<Float64Array>()))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = whole_numbers(values)?;
        let sums = |(row, value): (usize, Option<i64>)| {
            value.filter(|_value| is_kept(filter, row)).map(Sums::of_one).unwrap_or_default()
        };
        Ok(as_state(&values.iter().enumerate().map(sums).collect::<Vec<_>>()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.capacity() * size_of::<Sums>()
    }
}
