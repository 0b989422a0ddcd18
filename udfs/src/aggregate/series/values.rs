//! Numbers of any type as doubles.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Decimal256Type as Wide, DecimalType, Int64Type,
};
use datafusion::common::{Result, exec_err};

/// Integers up to here are doubles without rounding.
const EXACT: u128 = 1 << 53;
/// Powers of ten up to here are doubles without rounding.
const EXACT_SCALE: i8 = 22;

/// The doubles nearest to the numbers of `array`.
///
/// # Errors
/// When the array is not of a type that the arguments are brought to.
pub(super) fn to_doubles(array: &ArrayRef) -> Result<Float64Array> {
    match array.data_type() {
        DataType::Float64 => Ok(array.as_primitive().clone()),
        DataType::Int64 => Ok(array.as_primitive::<Int64Type>().unary(|v| v as f64)),
        DataType::Null => Ok(cast(array, &DataType::Float64)?.as_primitive().clone()),
        DataType::Decimal128(precision, scale) => {
            let decimals = array.as_primitive::<Decimal128Type>();
            Ok(decimals.unary(|v| nearest(v, *precision, *scale)))
        }
        DataType::Decimal256(precision, scale) => {
            let decimals = array.as_primitive::<Decimal256Type>();
            Ok(decimals.unary(|v| parsed(&Wide::format_decimal(v, *precision, *scale))))
        }
        other => exec_err!("the values of a series arrived as {other}"),
    }
}

/// One division of two exact doubles rounds once; what is not exact goes through its digits.
fn nearest(value: i128, precision: u8, scale: i8) -> f64 {
    if value.unsigned_abs() <= EXACT && (0..=EXACT_SCALE).contains(&scale) {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    parsed(&Decimal128Type::format_decimal(value, precision, scale))
}

/// Arrow writes decimals as digits with a point, which always parse.
fn parsed(digits: &str) -> f64 {
    digits.parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Int64Array};
    use arrow::datatypes::i256;
    use std::sync::Arc;

    #[test]
    fn decimals_become_the_nearest_double() {
        let check = |value: i128, scale: i8, expected: f64| {
            let array = Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).expect("fits");
            let doubles = to_doubles(&(Arc::new(array) as ArrayRef)).expect("decimals are taken");
            assert_eq!(doubles.value(0).to_bits(), expected.to_bits(), "{value} with scale {scale}");
        };
        check(12_345, 2, 123.45);
        check(-1, 22, -1e-22);
        check(1, 30, 1e-30);
        check(12, -3, 12_000.0);
        check(9_007_199_254_740_993, 1, 900_719_925_474_099.3);
        check(
            99_999_999_999_999_999_999_999_999_999_999_999_999,
            19,
            9_999_999_999_999_999_999.999_999_999_999_999_999_9,
        );
    }

    #[test]
    fn wide_decimals_and_integers_too() {
        let wide = arrow::array::Decimal256Array::from(vec![i256::from_i128(12_345)])
            .with_precision_and_scale(76, 2)
            .expect("fits");
        assert_eq!(to_doubles(&(Arc::new(wide) as ArrayRef)).expect("taken").value(0), 123.45);
        let integers: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MAX), None]));
        let doubles = to_doubles(&integers).expect("taken");
        assert_eq!(doubles.value(0), 9_223_372_036_854_775_807.0);
        assert!(doubles.is_null(1));
    }
}
