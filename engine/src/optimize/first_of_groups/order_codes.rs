//! Values as numbers that compare as the values do.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{ArrowNativeType, DataType};
use datafusion::common::{Result, internal_err};

/// Whether values of this type have codes.
pub(super) fn has_codes(kind: &DataType) -> bool {
    kind.is_integer()
        || kind.is_floating()
        || kind.is_string()
        || kind.is_binary() && !matches!(kind, DataType::FixedSizeBinary(_))
        || matches!(
            kind,
            DataType::Boolean
                | DataType::Date32
                | DataType::Date64
                | DataType::Time32(_)
                | DataType::Time64(_)
                | DataType::Timestamp(..)
                | DataType::Duration(_)
                | DataType::Decimal32(..)
                | DataType::Decimal64(..)
                | DataType::Decimal128(..)
        )
}

/// Puts a code for each of `values` into `codes`: of two rows, the one with the smaller code is sorted before the other.
/// Those with equal codes may be sorted either way.
///
/// # Errors
/// When values of this type have no codes.
pub(super) fn order_codes(values: &ArrayRef, order: SortOptions, codes: &mut Vec<u64>) -> Result<()> {
    codes.clear();
    codes.reserve(values.len());
    match values.data_type() {
        DataType::Boolean => codes.extend(values.as_boolean().values().iter().map(u64::from)),
        DataType::Int8 => numbers(values, codes, |value: i8| signed(value.into())),
        DataType::Int16 => numbers(values, codes, |value: i16| signed(value.into())),
        DataType::Int32 | DataType::Date32 | DataType::Time32(_) | DataType::Decimal32(..) => {
            numbers(values, codes, |value: i32| signed(value.into()));
        }
        DataType::Int64
        | DataType::Date64
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_)
        | DataType::Decimal64(..) => numbers(values, codes, signed),
        DataType::UInt8 => numbers(values, codes, |value: u8| value.into()),
        DataType::UInt16 => numbers(values, codes, |value: u16| value.into()),
        DataType::UInt32 => numbers(values, codes, |value: u32| value.into()),
        DataType::UInt64 => numbers(values, codes, |value: u64| value),
        DataType::Decimal128(..) => numbers(values, codes, |value: i128| signed(clamped(value))),
        DataType::Float16 => numbers(values, codes, |bits: i16| signed(totally_ordered(bits.into(), 16))),
        DataType::Float32 => numbers(values, codes, |bits: i32| signed(totally_ordered(bits.into(), 32))),
        DataType::Float64 => numbers(values, codes, |bits: i64| signed(totally_ordered(bits, 64))),
        DataType::Utf8 => texts(values.as_string::<i32>().iter().map(|text| text.map(str::as_bytes)), codes),
        DataType::LargeUtf8 => {
            texts(values.as_string::<i64>().iter().map(|text| text.map(str::as_bytes)), codes);
        }
        DataType::Utf8View => {
            texts(values.as_string_view().iter().map(|text| text.map(str::as_bytes)), codes)
        }
        DataType::Binary => texts(values.as_binary::<i32>().iter(), codes),
        DataType::LargeBinary => texts(values.as_binary::<i64>().iter(), codes),
        DataType::BinaryView => texts(values.as_binary_view().iter(), codes),
        other => return internal_err!("values of type {other} are ordered by codes"),
    }
    if order.descending {
        codes.iter_mut().for_each(|code| *code = !*code);
    }
    if let Some(nulls) = values.nulls().filter(|nulls| nulls.null_count() > 0) {
        let of_null = if order.nulls_first { 0 } else { u64::MAX };
        codes.iter_mut().zip(nulls).filter(|(_, valid)| !valid).for_each(|(code, _)| *code = of_null);
    }
    Ok(())
}

/// Reads the numbers, or the bits of numbers, in which Arrow keeps `values`.
fn numbers<T: ArrowNativeType>(values: &ArrayRef, codes: &mut Vec<u64>, code: impl Fn(T) -> u64) {
    let data = values.to_data();
    codes.extend(data.buffer::<T>(0).iter().take(data.len()).map(|value| code(*value)));
}

fn signed(value: i64) -> u64 {
    value.cast_unsigned() ^ (1 << 63)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped")]
fn clamped(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// As `f64::total_cmp` orders the bits of a number, but for the zeros: whether they are the same is left to the sort.
fn totally_ordered(bits: i64, width: u32) -> i64 {
    // The bits but for the sign, of a number of this width.
    let magnitude = i64::MAX >> (64 - width);
    match bits & magnitude {
        0 => 0,
        _ if bits < 0 => bits ^ magnitude,
        _ => bits,
    }
}

fn texts<'a>(texts: impl Iterator<Item = Option<&'a [u8]>>, codes: &mut Vec<u64>) {
    codes.extend(texts.map(|text| text.map_or(0, beginning)));
}

/// The first eight bytes; where there are fewer, the rest is as if it were zeros.
fn beginning(text: &[u8]) -> u64 {
    match text.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => text.iter().rev().fold(0, |code, byte| (code >> 8) | (u64::from(*byte) << 56)),
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;
    use std::sync::Arc;

    use arrow::array::make_comparator;
    use arrow::array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array,
        Int64Array, LargeStringArray, StringArray, StringViewArray, TimestampMicrosecondArray, UInt64Array,
    };
    use arrow::compute::cast;

    use super::*;

    const TEXTS: [Option<&str>; 12] = [
        Some(""),
        Some("\0"),
        Some("a"),
        Some("a\0"),
        Some("abcdefgh"),
        Some("abcdefghi"),
        Some("abcdefg"),
        None,
        Some("統一編號 12345678"),
        Some("統一編號 12345679"),
        Some("統"),
        Some("\u{10ffff}\u{10ffff}\u{10ffff}"),
    ];

    fn columns() -> Vec<ArrayRef> {
        let floats = [0.0, -0.0, 1.5, -1.5, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        let floats = || floats.into_iter().chain([-f64::NAN, 1e-310, -1e-310]).map(Some).chain([None]);
        #[expect(clippy::cast_possible_truncation, reason = "as coarse as it is")]
        let small = floats().map(|value| value.map(|value| value as f32));
        let small = Arc::new(Float32Array::from_iter(small)) as ArrayRef;
        let large = [i128::MIN, i128::MAX, 0, -1, i128::from(i64::MAX) + 1, i128::from(i64::MIN), 77];
        let large = Decimal128Array::from_iter(large.into_iter().map(Some).chain([None]));
        let texts = || TEXTS.into_iter();
        let numbers =
            || [i64::MIN, i64::MAX, 0, -1, 1, 255, -256].into_iter().map(Some).chain([None, Some(3)]);
        let days = Date32Array::from_iter([Some(i32::MIN), Some(0), None, Some(20_000), Some(-5)]);
        vec![
            cast(&small, &DataType::Float16).unwrap(),
            small,
            Arc::new(Float64Array::from_iter(floats())),
            Arc::new(large),
            Arc::new(StringArray::from_iter(texts())),
            Arc::new(LargeStringArray::from_iter(texts())),
            Arc::new(StringViewArray::from_iter(texts())),
            Arc::new(BinaryArray::from_iter(texts().map(|text| text.map(str::as_bytes)))),
            Arc::new(Int64Array::from_iter(numbers())),
            Arc::new(TimestampMicrosecondArray::from_iter(numbers()).with_timezone("+08:00")),
            Arc::new(Int8Array::from_iter([Some(i8::MIN), Some(i8::MAX), None, Some(0), Some(-1)])),
            Arc::new(UInt64Array::from_iter([Some(u64::MAX), None, Some(0), Some(1 << 63)])),
            Arc::new(BooleanArray::from_iter([Some(true), None, Some(false)])),
            Arc::new(days),
        ]
    }

    #[test]
    fn codes_never_say_otherwise_than_the_sort() {
        let mut codes = vec![9; 3];
        for column in columns() {
            assert!(has_codes(column.data_type()), "{}", column.data_type());
            // An array that begins within another has its own first value.
            for column in [Arc::clone(&column), column.slice(1, column.len() - 2)] {
                for (descending, nulls_first) in [(false, false), (false, true), (true, false), (true, true)]
                {
                    let order = SortOptions { descending, nulls_first };
                    order_codes(&column, order, &mut codes).unwrap();
                    assert_eq!(codes.len(), column.len());
                    let compare = make_comparator(&column, &column, order).unwrap();
                    for (left, of_left) in codes.iter().enumerate() {
                        for (right, of_right) in codes.iter().enumerate() {
                            let less = of_left < of_right;
                            let sorted = compare(left, right);
                            assert!(!less || sorted == Ordering::Less, "{column:?} {order:?} {left} {right}");
                            if column.len() < 6 && column.is_valid(left) && column.is_valid(right) {
                                assert_eq!(
                                    less,
                                    sorted == Ordering::Less,
                                    "{column:?} {order:?} {left} {right}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_no_code_is_known() {
        for kind in [
            DataType::Null,
            DataType::Decimal256(40, 2),
            DataType::FixedSizeBinary(4),
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        ] {
            assert!(!has_codes(&kind), "{kind}");
        }
    }
}
