use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
    Time32MillisecondArray,
};
use arrow::datatypes::DataType;

/// A column: name, values, and whether it may hold NULL.
pub(crate) type Column = (&'static str, ArrayRef, bool);

pub(crate) fn text<'a, R>(name: &'static str, rows: &'a [R], value: impl Fn(&'a R) -> &'a str) -> Column {
    (name, Arc::new(StringArray::from_iter_values(rows.iter().map(value))), false)
}

pub(crate) fn text_or_null<'a, R>(
    name: &'static str,
    rows: &'a [R],
    value: impl Fn(&'a R) -> Option<&'a str>,
) -> Column {
    (name, Arc::new(StringArray::from_iter(rows.iter().map(value))), true)
}

/// Money in whole NT$, and counts.
pub(crate) fn integer<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> i64) -> Column {
    (name, Arc::new(Int64Array::from_iter_values(rows.iter().map(value))), false)
}

/// Years, quarters, line numbers.
pub(crate) fn small<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> i32) -> Column {
    (name, Arc::new(Int32Array::from_iter_values(rows.iter().map(value))), false)
}

pub(crate) fn float<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> Option<f64>) -> Column {
    (name, Arc::new(Float64Array::from_iter(rows.iter().map(value))), true)
}

pub(crate) fn boolean<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> bool) -> Column {
    (name, Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(value(row))))), false)
}

/// Days since 1970-01-01.
pub(crate) fn date<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> Option<i32>) -> Column {
    (name, Arc::new(Date32Array::from_iter(rows.iter().map(value))), true)
}

/// Seconds since midnight.
pub(crate) fn time<R>(name: &'static str, rows: &[R], seconds: impl Fn(&R) -> i32) -> Column {
    let values = rows.iter().map(|row| seconds(row) * 1000);
    (name, Arc::new(Time32MillisecondArray::from_iter_values(values)), false)
}

/// `DECIMAL(20,7)` from a whole number of ten-millionths.
pub(crate) fn decimal<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> i128) -> Column {
    let values =
        Decimal128Array::from_iter_values(rows.iter().map(value)).with_data_type(DataType::Decimal128(20, 7));
    (name, Arc::new(values), false)
}
