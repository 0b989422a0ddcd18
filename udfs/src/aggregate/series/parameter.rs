//! The parameters of an aggregate of a series: their names, and the types that each takes.

use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};

use super::period::PeriodType;

/// One parameter after `period` and `value`; its argument is a constant, except for [`Takes::Number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
}

/// What a constant argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A whole number from 1 to this one.
    Count(i64),
    /// A text.
    Text,
    /// true, false or a number from 0 to 1.
    Share,
    /// A number in every row, as `value` is.
    Number,
}

impl Takes {
    fn coerced(self, data_type: &DataType) -> DataType {
        let null = data_type.is_null();
        match self {
            // As it is: a cast of a number that is too large would fail without naming the argument.
            Self::Count(_) if *data_type == DataType::UInt64 => DataType::UInt64,
            Self::Count(_) if data_type.is_integer() || null => DataType::Int64,
            Self::Text if data_type.is_string() || null => DataType::Utf8,
            Self::Share if data_type.is_numeric() || null => DataType::Float64,
            Self::Number => coerced_value(data_type),
            _ => data_type.clone(),
        }
    }

    fn fits(self, data_type: &DataType) -> bool {
        match self {
            Self::Count(_) => matches!(data_type, DataType::Int64 | DataType::UInt64),
            Self::Text => *data_type == DataType::Utf8,
            Self::Share => matches!(data_type, DataType::Float64 | DataType::Boolean),
            Self::Number => is_number(data_type),
        }
    }

    /// In words, for error messages.
    fn describe(self) -> &'static str {
        match self {
            Self::Count(_) => "a whole number",
            Self::Text => "a text",
            Self::Share => "true, false or a number from 0 to 1",
            Self::Number => "a number",
        }
    }
}

/// Whether the third argument is a second number of every row.
pub(super) fn has_received(parameters: &[Parameter]) -> bool {
    parameters.first().is_some_and(|parameter| parameter.takes == Takes::Number)
}

/// Types the arguments are brought to; one that is not taken stays as it is and is refused by [`check_types`].
pub(super) fn coerced(parameters: &[Parameter], types: &[DataType]) -> Vec<DataType> {
    let plain = |data_type: &DataType| match data_type {
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        other => other.clone(),
    };
    types
        .iter()
        .map(plain)
        .enumerate()
        .map(|(index, plain)| match index {
            0 if plain.is_null() => DataType::Int64,
            0 => plain,
            1 => coerced_value(&plain),
            _ => parameters.get(index - 2).map_or(plain.clone(), |parameter| parameter.takes.coerced(&plain)),
        })
        .collect()
}

fn coerced_value(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Null | DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        integer if integer.is_integer() => DataType::Int64,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        other => other.clone(),
    }
}

/// Of a coerced type.
fn is_number(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) | DataType::Decimal256(..)
    )
}

/// Refuses a wrong number or a wrong type of (coerced) arguments of `function`. The first of `parameters` alone has no
/// default.
///
/// # Errors
/// One sentence: the function, the argument, and what it takes.
pub(super) fn check_types(function: &str, parameters: &[Parameter], types: &[DataType]) -> Result<()> {
    let most = parameters.len() + 2;
    if !(3..=most).contains(&types.len()) {
        return plan_err!(
            "{function} takes 3 to {most} arguments ({}), not {}",
            names(parameters).join(", "),
            types.len()
        );
    }
    PeriodType::new(function, &types[0])?;
    if !is_number(&types[1]) {
        return plan_err!("{function}: argument `value` takes a number, not {}", types[1]);
    }
    for (parameter, data_type) in parameters.iter().zip(&types[2..]) {
        if !parameter.takes.fits(data_type) {
            return plan_err!(
                "{function}: argument `{}` takes {}, not {data_type}",
                parameter.name,
                parameter.takes.describe()
            );
        }
    }
    Ok(())
}

/// The names of all parameters, in order.
pub(super) fn names(parameters: &[Parameter]) -> Vec<&'static str> {
    ["period", "value"].into_iter().chain(parameters.iter().map(|parameter| parameter.name)).collect()
}
