//! The result: a struct for every group.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use tithe_compute::forecast::Backtest;

use super::evaluation::GroupBacktest;
use crate::aggregate::series::PeriodType;

/// A column of doubles: its name and where it comes from.
type Column = (&'static str, fn(&Backtest) -> Option<f64>);

const COLUMNS: [Column; 7] = [
    ("smape", |found| Some(found.smape)),
    ("mase", |found| found.mase),
    ("wape", |found| found.wape),
    ("bias", |found| found.bias),
    ("coverage80", |found| Some(found.coverage80)),
    ("coverage95", |found| Some(found.coverage95)),
    ("relative_to_seasonal_naive", |found| found.relative_to_seasonal_naive),
];

fn fields(period: &DataType) -> Fields {
    let mut fields = vec![Field::new("folds", DataType::Int64, true)];
    fields.extend(COLUMNS.iter().map(|(name, _)| Field::new(*name, DataType::Float64, true)));
    fields.push(Field::new("worst_fold", period.clone(), true));
    fields.push(Field::new("shock", DataType::Boolean, true));
    fields.push(Field::new("status", DataType::Utf8, true));
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
pub(super) fn to_structs(groups: &[Option<GroupBacktest>], period: &PeriodType) -> Result<ArrayRef> {
    let found = || groups.iter().map(|group| group.as_ref()?.found.as_ref());
    let folds: Int64Array = found().map(|found| i64::try_from(found?.folds).ok()).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(folds)];
    for (_, value) in COLUMNS {
        let values: Float64Array =
            found().map(|found| value(found?).filter(|value| value.is_finite())).collect();
        columns.push(Arc::new(values));
    }
    columns.push(period.write(groups.iter().map(|group| group.as_ref()?.worst_fold).collect())?);
    columns.push(Arc::new(found().map(|found| Some(found?.shock)).collect::<BooleanArray>()));
    let statuses = groups.iter().map(|group| Some(group.as_ref()?.status.as_str()));
    columns.push(Arc::new(statuses.collect::<StringArray>()));
    let nulls = NullBuffer::from_iter(groups.iter().map(Option::is_some));
    Ok(Arc::new(StructArray::try_new(fields(period.data_type()), columns, Some(nulls))?))
}
