//! The result: a struct for every group.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use tithe_compute::forecast::Nowcast;

use super::evaluation::GroupNowcast;
use crate::aggregate::series::PeriodType;

/// A column of doubles: its name and where it comes from.
type Column = (&'static str, fn(&Nowcast) -> Option<f64>);

const COLUMNS: [Column; 8] = [
    ("nowcast_value", |found| Some(found.step.mean)),
    ("lo80", |found| Some(found.step.lo80)),
    ("hi80", |found| Some(found.step.hi80)),
    ("lo95", |found| Some(found.step.lo95)),
    ("hi95", |found| Some(found.step.hi95)),
    ("forecast_value", |found| Some(found.plain)),
    ("extrapolated_value", |found| found.extrapolated),
    ("weight", |found| Some(found.weight)),
];

fn fields(period: &DataType) -> Fields {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let mut fields = vec![field("nowcast_timestamp", period.clone()), field("received", DataType::Float64)];
    fields.extend(COLUMNS.iter().map(|(name, _)| field(name, DataType::Float64)));
    fields.push(field("folds", DataType::Int64));
    fields.push(field("status", DataType::Utf8));
    Fields::from(fields)
}

/// Struct, for periods of type `period`.
pub(super) fn result_type(period: &DataType) -> DataType {
    DataType::Struct(fields(period))
}

/// One struct for each group, NULL where it had no rows.
///
/// # Errors
/// When Arrow cannot make the array.
pub(super) fn to_structs(groups: &[Option<GroupNowcast>], period: &PeriodType) -> Result<ArrayRef> {
    let present = || groups.iter().map(Option::as_ref);
    let found = || present().map(|group| group?.found.as_ref());
    let mut columns: Vec<ArrayRef> = vec![
        period.write(present().map(|group| group?.time).collect())?,
        Arc::new(present().map(|group| group?.received).collect::<Float64Array>()),
    ];
    for (_, value) in COLUMNS {
        columns.push(Arc::new(found().map(|found| value(found?)).collect::<Float64Array>()));
    }
    columns.push(Arc::new(found().map(|found| i64::try_from(found?.folds).ok()).collect::<Int64Array>()));
    columns.push(Arc::new(present().map(|group| Some(group?.status.as_str())).collect::<StringArray>()));
    let nulls = NullBuffer::from_iter(groups.iter().map(Option::is_some));
    Ok(Arc::new(StructArray::try_new(fields(period.data_type()), columns, Some(nulls))?))
}
