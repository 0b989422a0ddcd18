//! What a group has seen, and how that travels between the stages of an aggregation.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, LargeBinaryArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
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

/// The columns of the state: numbers of eight bytes, the lowest first, one after the other. Lists would say more, but
/// those that can hold what many groups have seen (`LargeList`) do not come over Arrow Flight as they are. Stages of one
/// query may run on different machines: a change of meaning needs new names.
const STATE: [StateColumn; 5] = [
    ("seen_v2", || DataType::Boolean),
    ("periods_v2", || DataType::LargeBinary),
    ("values_v2", || DataType::LargeBinary),
    ("received_periods_v2", || DataType::LargeBinary),
    ("received_values_v2", || DataType::LargeBinary),
];

/// Bytes of a number in the state.
const WIDTH: usize = 8;

/// Those of a function, of which the last two are for one that takes a second number.
pub(super) fn state_columns(received: bool) -> &'static [StateColumn] {
    if received { &STATE } else { &STATE[..3] }
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
/// When there are more rows than 64 bits can count.
pub(super) fn to_state(groups: &[Observations], received: bool) -> Result<Vec<ArrayRef>> {
    let seen = BooleanArray::from_iter(groups.iter().map(|group| Some(group.seen)));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(seen)];
    columns.extend(to_bytes(groups, |group| &group.rows)?);
    if received {
        columns.extend(to_bytes(groups, |group| &group.received)?);
    }
    Ok(columns)
}

/// The times and the values of each group.
fn to_bytes(groups: &[Observations], of: fn(&Observations) -> &Vec<Observation>) -> Result<[ArrayRef; 2]> {
    let total = groups.iter().map(|group| of(group).len()).sum();
    let mut offsets = Vec::with_capacity(groups.len() + 1);
    let mut times = Vec::with_capacity(total);
    let mut values = Vec::with_capacity(total);
    offsets.push(0_i64);
    for group in groups {
        times.extend(of(group).iter().map(|row| row.time.to_le()));
        values.extend(of(group).iter().map(|row| row.value.to_bits().to_le()));
        let end = i64::try_from(times.len() * WIDTH)
            .map_err(|error| exec_datafusion_err!("too many rows for one batch of state: {error}"))?;
        offsets.push(end);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok([
        Arc::new(LargeBinaryArray::try_new(offsets.clone(), Buffer::from_vec(times), None)?),
        Arc::new(LargeBinaryArray::try_new(offsets, Buffer::from_vec(values), None)?),
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
        let rows = from_bytes(&state[1..3], row)?;
        let received = if received { Some(from_bytes(&state[3..5], row)?) } else { None };
        receive(row, &mut |group| {
            group.seen |= seen.value(row);
            group.rows.extend(rows.iter());
            group.received.extend(received.iter().flat_map(Packed::iter));
        });
    }
    Ok(())
}

/// Times and values of one row of a state, as many of each.
struct Packed<'s> {
    times: &'s [[u8; WIDTH]],
    values: &'s [[u8; WIDTH]],
}

impl Packed<'_> {
    fn iter(&self) -> impl Iterator<Item = Observation> {
        let pairs = self.times.iter().zip(self.values);
        pairs.map(|(time, value)| Observation {
            time: i64::from_le_bytes(*time),
            value: f64::from_le_bytes(*value),
        })
    }
}

fn from_bytes(columns: &[ArrayRef], row: usize) -> Result<Packed<'_>> {
    fn numbers(column: &ArrayRef, row: usize) -> Option<&[[u8; WIDTH]]> {
        let bytes = column.as_binary_opt::<i64>()?.value(row);
        let (numbers, rest) = bytes.as_chunks::<WIDTH>();
        rest.is_empty().then_some(numbers)
    }
    let [times, values] = columns else { return internal_err!("the state has not two columns for its rows") };
    let (Some(times), Some(values)) = (numbers(times, row), numbers(values, row)) else {
        return internal_err!("the state is not of numbers of eight bytes");
    };
    if times.len() != values.len() {
        return internal_err!("the times and the values of the state differ in number");
    }
    Ok(Packed { times, values })
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
        let mut group = Observations::default();
        group.push(row(Some(1), Some(2.0), None));
        let state = to_state(&[group], true).expect("small");
        let read = |columns: &[ArrayRef], received| from_state(columns, received, |_, _| ()).is_err();
        assert!(!read(&state[..3], false));
        assert!(read(&state[..2], false));
        assert!(read(&state[..3], true));
        assert!(read(&[state[1].clone(), state[1].clone(), state[2].clone()], false));
        assert!(read(&[state[0].clone(), state[1].clone(), state[4].clone()], false), "one time, no value");
        let short: ArrayRef = Arc::new(LargeBinaryArray::from(vec![[0_u8; 7].as_slice()]));
        assert!(read(&[state[0].clone(), Arc::clone(&short), short], false));
    }
}
