//! The result: a list of steps for every group.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_datafusion_err};
use tithe_compute::forecast::{Model, Step};

use super::evaluation::GroupForecast;
use crate::aggregate::series::PeriodType;

/// A column of doubles: its name and where it comes from.
type Column = (&'static str, fn(&Step) -> f64);

const COLUMNS: [Column; 5] = [
    ("forecast_value", |step| step.mean),
    ("lo80", |step| step.lo80),
    ("hi80", |step| step.hi80),
    ("lo95", |step| step.lo95),
    ("hi95", |step| step.hi95),
];

fn fields(period: &DataType) -> Fields {
    let mut fields = vec![
        Field::new("step", DataType::Int64, true),
        Field::new("forecast_timestamp", period.clone(), true),
    ];
    fields.extend(COLUMNS.iter().map(|(name, _)| Field::new(*name, DataType::Float64, true)));
    fields.push(Field::new("model", DataType::Utf8, true));
    fields.push(Field::new("status", DataType::Utf8, true));
    Fields::from(fields)
}

/// List of struct, for periods of type `period`.
pub(super) fn result_type(period: &DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Struct(fields(period)), true)))
}

/// One list for each group, NULL where there is no forecast at all.
///
/// # Errors
/// When there are more steps than a list can count.
pub(super) fn to_lists(groups: &[Option<GroupForecast>], period: &PeriodType) -> Result<ArrayRef> {
    let mut offsets = Vec::with_capacity(groups.len() + 1);
    offsets.push(0_i32);
    let mut total = 0_usize;
    for group in groups {
        total += group.as_ref().map_or(0, |group| group.times.len());
        let end = i32::try_from(total).map_err(|error| {
            exec_datafusion_err!(
                "forecast: {total} steps are too many for one batch ({error}); ask for a smaller horizon"
            )
        })?;
        offsets.push(end);
    }
    let present = || groups.iter().flatten();
    let numbers = present().flat_map(|group| (1_i64..).take(group.times.len())).map(Some);
    let times = present().flat_map(|group| group.times.iter().copied()).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(numbers.collect::<Int64Array>()), period.write(times)?];
    for (_, value) in COLUMNS {
        let values = present()
            .flat_map(|group| (0..group.times.len()).map(move |index| group.steps.get(index).map(value)));
        columns.push(Arc::new(values.collect::<Float64Array>()));
    }
    let models = present()
        .flat_map(|group| std::iter::repeat_n(group.model.map(Model::name), group.times.len()))
        .collect::<StringArray>();
    let statuses = present()
        .flat_map(|group| std::iter::repeat_n(Some(group.status.as_str()), group.times.len()))
        .collect::<StringArray>();
    columns.push(Arc::new(models));
    columns.push(Arc::new(statuses));
    let fields = fields(period.data_type());
    let steps = StructArray::try_new(fields.clone(), columns, None)?;
    let item = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
    let nulls = NullBuffer::from_iter(groups.iter().map(Option::is_some));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(steps), Some(nulls))?))
}
