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
    /// Rows where neither period nor the second number is NULL, for a function that takes one.
    pub(super) received: Vec<Observation>,
    /// Whether there was any row at all.
    pub(crate) seen: bool,
}

/// A row as it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub(super) time: Option<i64>,
    pub(super) value: Option<f64>,
    pub(super) received: Option<f64>,
}

/// Name of a column of the state and its type.
pub(super) type StateColumn = (&'static str, fn() -> DataType);

/// The columns of the state. Stages of one query may run on different machines: a change of
/// meaning needs new names.
const STATE: [StateColumn; 5] = [
    ("seen_v1", || DataType::Boolean),
    ("periods_v1", || list_of(DataType::Int64)),
    ("values_v1", || list_of(DataType::Float64)),
    ("received_periods_v1", || list_of(DataType::Int64)),
    ("received_values_v1", || list_of(DataType::Float64)),
];

/// Those of a function, of which the last two are for one that takes a second number.
pub(super) fn state_columns(received: bool) -> &'static [StateColumn] {
    if received { &STATE } else { &STATE[..3] }
}

fn list_of(item: DataType) -> DataType {
    DataType::LargeList(item_field(item))
}

fn item_field(item: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(item, true))
}

impl Observations {
    pub(super) fn push(&mut self, row: Row) {
        self.seen = true;
        let Some(time) = row.time else { return };
        self.rows.extend(row.value.map(|value| Observation { time, value }));
        self.received.extend(row.received.map(|value| Observation { time, value }));
    }

    /// Bytes beside the struct itself.
    pub(super) fn heap_size(&self) -> usize {
        (self.rows.capacity() + self.received.capacity()) * size_of::<Observation>()
    }
}

/// Columns of `groups`, one row each, in the order of [`state_columns`].
///
/// # Errors
/// When there are more rows than a list can count.
pub(super) fn to_state(groups: &[Observations], received: bool) -> Result<Vec<ArrayRef>> {
    let seen = BooleanArray::from_iter(groups.iter().map(|group| Some(group.seen)));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(seen)];
    columns.extend(to_lists(groups, |group| &group.rows)?);
    if received {
        columns.extend(to_lists(groups, |group| &group.received)?);
    }
    Ok(columns)
}

/// A list of times and one of values for each group.
fn to_lists(groups: &[Observations], of: fn(&Observations) -> &Vec<Observation>) -> Result<[ArrayRef; 2]> {
    let total = groups.iter().map(|group| of(group).len()).sum();
    let mut offsets = Vec::with_capacity(groups.len() + 1);
    let mut times = Vec::with_capacity(total);
    let mut values = Vec::with_capacity(total);
    offsets.push(0_i64);
    for group in groups {
        times.extend(of(group).iter().map(|row| row.time));
        values.extend(of(group).iter().map(|row| row.value));
        let end = i64::try_from(times.len())
            .map_err(|error| exec_datafusion_err!("too many rows for one batch of state: {error}"))?;
        offsets.push(end);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let times: ArrayRef = Arc::new(Int64Array::from(times));
    let values: ArrayRef = Arc::new(Float64Array::from(values));
    Ok([
        Arc::new(LargeListArray::try_new(item_field(DataType::Int64), offsets.clone(), times, None)?),
        Arc::new(LargeListArray::try_new(item_field(DataType::Float64), offsets, values, None)?),
    ])
}

/// Gives `group` each row of a state in turn: the index of the row, and what to add to the group.
///
/// # Errors
/// When the columns are not what [`to_state`] makes.
pub(super) fn from_state(
    state: &[ArrayRef],
    received: bool,
    mut receive: impl FnMut(usize, &mut dyn FnMut(&mut Observations)),
) -> Result<()> {
    let seen = state.first().and_then(|column| column.as_boolean_opt());
    let (Some(seen), true) = (seen, state.len() == state_columns(received).len()) else {
        return internal_err!("the state is not (seen, periods, values …)");
    };
    for row in 0..seen.len() {
        let rows = from_lists(&state[1..3], row)?;
        let received = if received { Some(from_lists(&state[3..5], row)?) } else { None };
        receive(row, &mut |group| {
            group.seen |= seen.value(row);
            group.rows.extend(rows.iter());
            group.received.extend(received.iter().flat_map(Lists::iter));
        });
    }
    Ok(())
}

/// Times and values of one row of a state, of the same length.
struct Lists {
    times: Int64Array,
    values: Float64Array,
}

impl Lists {
    fn iter(&self) -> impl Iterator<Item = Observation> {
        let pairs = self.times.values().iter().zip(self.values.values());
        pairs.map(|(time, value)| Observation { time: *time, value: *value })
    }
}

fn from_lists(columns: &[ArrayRef], row: usize) -> Result<Lists> {
    let lists = || columns.iter().map(|column| Some(column.as_list_opt::<i64>()?.value(row)));
    let (Some(Some(times)), Some(Some(values))) = (lists().next(), lists().nth(1)) else {
        return internal_err!("the state is not of lists");
    };
    let (Some(times), Some(values)) =
        (times.as_primitive_opt::<Int64Type>(), values.as_primitive_opt::<Float64Type>())
    else {
        return internal_err!("the lists of the state are not of BIGINT and DOUBLE");
    };
    if times.len() != values.len() {
        return internal_err!("the lists of the state differ in length");
    }
    Ok(Lists { times: times.clone(), values: values.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(time: Option<i64>, value: Option<f64>, received: Option<f64>) -> Row {
        Row { time, value, received }
    }

    fn groups() -> [Observations; 3] {
        let mut some = Observations::default();
        some.push(row(Some(3), Some(1.5), None));
        some.push(row(Some(1), Some(f64::INFINITY), Some(7.0)));
        some.push(row(Some(2), None, Some(8.0)));
        let mut nothing_but_null = Observations::default();
        nothing_but_null.push(row(None, Some(1.0), Some(2.0)));
        [some, Observations::default(), nothing_but_null]
    }

    #[test]
    fn the_state_comes_back_as_it_was() {
        for received in [true, false] {
            let groups = groups();
            let state = to_state(&groups, received).expect("small");
            let columns = state_columns(received);
            assert_eq!(state.len(), columns.len());
            for (column, (_, data_type)) in state.iter().zip(columns) {
                assert_eq!(column.data_type(), &data_type());
            }
            let mut back = vec![Observations::default(); 3];
            from_state(&state, received, |index, add| add(&mut back[index])).expect("well formed");
            assert_eq!(back[0].received.len(), if received { 2 } else { 0 });
            assert_eq!(
                back.iter().map(|group| &group.rows).collect::<Vec<_>>(),
                groups.each_ref().map(|group| &group.rows)
            );
            assert!(!back[1].seen && back[2].seen && back[2].rows.is_empty());
        }
    }

    #[test]
    fn a_foreign_state_is_an_error() {
        let state = to_state(&[Observations::default()], false).expect("small");
        let read = |columns: &[ArrayRef], received| from_state(columns, received, |_, _| ()).is_err();
        assert!(read(&state[..2], false));
        assert!(read(&state, true));
        assert!(read(&[state[1].clone(), state[1].clone(), state[2].clone()], false));
        assert!(read(&[state[0].clone(), state[2].clone(), state[2].clone()], false));
    }
}
