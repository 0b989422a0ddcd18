//! What a group has seen, and how that travels between the stages of an aggregation.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, LargeListArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion::common::{Result, exec_datafusion_err, internal_err};

/// A value and its period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Observation {
    pub(super) time: i64,
    pub(super) value: f64,
}

/// The rows of a group, in any order: nothing may depend on the order in which they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Observations {
    /// Rows where neither period nor value is NULL.
    pub(super) rows: Vec<Observation>,
    /// Whether there was any row at all.
    pub(crate) seen: bool,
}

/// Name of a column of the state and its type.
type StateColumn = (&'static str, fn() -> DataType);

/// The columns of the state. Stages of one query may run on different machines: a change of
/// meaning needs new names.
pub(super) const STATE: [StateColumn; 3] = [
    ("seen_v1", || DataType::Boolean),
    ("periods_v1", || list_of(DataType::Int64)),
    ("values_v1", || list_of(DataType::Float64)),
];

fn list_of(item: DataType) -> DataType {
    DataType::LargeList(item_field(item))
}

fn item_field(item: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(item, true))
}

impl Observations {
    pub(super) fn push(&mut self, time: Option<i64>, value: Option<f64>) {
        self.seen = true;
        if let (Some(time), Some(value)) = (time, value) {
            self.rows.push(Observation { time, value });
        }
    }

    /// Bytes beside the struct itself.
    pub(super) fn heap_size(&self) -> usize {
        self.rows.capacity() * size_of::<Observation>()
    }
}

/// Columns of `groups`, one row each, in the order of [`STATE`].
///
/// # Errors
/// When there are more rows than a list can count.
pub(super) fn to_state(groups: &[Observations]) -> Result<Vec<ArrayRef>> {
    let total = groups.iter().map(|group| group.rows.len()).sum();
    let mut offsets = Vec::with_capacity(groups.len() + 1);
    let mut times = Vec::with_capacity(total);
    let mut values = Vec::with_capacity(total);
    offsets.push(0_i64);
    for group in groups {
        times.extend(group.rows.iter().map(|row| row.time));
        values.extend(group.rows.iter().map(|row| row.value));
        let end = i64::try_from(times.len())
            .map_err(|error| exec_datafusion_err!("too many rows for one batch of state: {error}"))?;
        offsets.push(end);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let seen = BooleanArray::from_iter(groups.iter().map(|group| Some(group.seen)));
    let times: ArrayRef = Arc::new(Int64Array::from(times));
    let values: ArrayRef = Arc::new(Float64Array::from(values));
    Ok(vec![
        Arc::new(seen),
        Arc::new(LargeListArray::try_new(item_field(DataType::Int64), offsets.clone(), times, None)?),
        Arc::new(LargeListArray::try_new(item_field(DataType::Float64), offsets, values, None)?),
    ])
}

/// Hands each row of a state to `receive`: its index, whether the group had seen a row, and the rows.
///
/// # Errors
/// When the columns are not what [`to_state`] makes.
pub(super) fn from_state(
    state: &[ArrayRef],
    mut receive: impl FnMut(usize, bool, &mut dyn Iterator<Item = Observation>),
) -> Result<()> {
    let (Some(seen), Some(times), Some(values)) = (
        state.first().and_then(|column| column.as_boolean_opt()),
        state.get(1).and_then(|column| column.as_list_opt::<i64>()),
        state.get(2).and_then(|column| column.as_list_opt::<i64>()),
    ) else {
        return internal_err!("the state is not (seen, periods, values)");
    };
    for row in 0..seen.len() {
        let (times, values) = (times.value(row), values.value(row));
        let (Some(times), Some(values)) =
            (times.as_primitive_opt::<Int64Type>(), values.as_primitive_opt::<Float64Type>())
        else {
            return internal_err!("the lists of the state are not of BIGINT and DOUBLE");
        };
        if times.len() != values.len() {
            return internal_err!("the lists of the state differ in length");
        }
        let mut rows = times
            .values()
            .iter()
            .zip(values.values())
            .map(|(time, value)| Observation { time: *time, value: *value });
        receive(row, seen.value(row), &mut rows);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_comes_back_as_it_was() {
        let mut some = Observations::default();
        some.push(Some(3), Some(1.5));
        some.push(Some(1), Some(f64::INFINITY));
        some.push(Some(2), None);
        let mut nothing_but_null = Observations::default();
        nothing_but_null.push(None, Some(1.0));
        let groups = [some, Observations::default(), nothing_but_null];
        let state = to_state(&groups).expect("small");
        for (column, (_, data_type)) in state.iter().zip(STATE) {
            assert_eq!(column.data_type(), &data_type());
        }
        let mut back = vec![Observations::default(); 3];
        from_state(&state, |index, seen, rows| {
            back[index].seen = seen;
            back[index].rows.extend(rows);
        })
        .expect("well formed");
        assert_eq!(back, groups);
        assert!(!back[1].seen && back[2].seen && back[2].rows.is_empty());
    }

    #[test]
    fn a_foreign_state_is_an_error() {
        let state = to_state(&[Observations::default()]).expect("small");
        assert!(from_state(&state[..2], |_, _, _| ()).is_err());
        assert!(from_state(&[state[1].clone(), state[1].clone(), state[2].clone()], |_, _, _| ()).is_err());
        assert!(from_state(&[state[0].clone(), state[2].clone(), state[2].clone()], |_, _, _| ()).is_err());
    }
}
