//! The arguments: types at planning, values of the constant ones.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, Expr};
use datafusion::physical_plan::PhysicalExpr;
use tithe_compute::forecast::Model;

use super::period::PeriodType;

/// The parameters in order.
pub(super) const PARAMETERS: [&str; 6] = ["period", "value", "horizon", "model", "season", "gaps"];
/// How many of them have no default.
const REQUIRED: usize = 3;

const LONGEST_HORIZON: i64 = 1000;
const LONGEST_SEASON: i64 = 1000;

/// What a missing period counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gaps {
    /// On the straight line between its neighbours.
    Interpolate,
    /// Nothing was received.
    Zero,
    /// As the period before.
    Previous,
    /// The group gets no forecast.
    Null,
    /// The query fails.
    Error,
}

impl Gaps {
    const ALL: [(&'static str, Self); 5] = [
        ("interpolate", Self::Interpolate),
        ("zero", Self::Zero),
        ("previous", Self::Previous),
        ("null", Self::Null),
        ("error", Self::Error),
    ];
}

/// The constant arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) horizon: usize,
    pub(super) model: Model,
    /// `None`: from the distance of the periods.
    pub(super) season: Option<usize>,
    pub(super) gaps: Gaps,
}

impl Options {
    /// Checks the arguments of a logical plan. Parameters of a prepared statement are checked when they are known.
    pub(super) fn from_plan(arguments: &[Expr]) -> Result<()> {
        let constants = arguments.iter().enumerate().skip(2).map(|(index, argument)| match argument {
            Expr::Literal(value, _) => Ok(Some(value.clone())),
            Expr::Placeholder(_) => Ok(None),
            _ => Err(not_constant(index)),
        });
        Self::from_values(constants.collect::<Result<_>>()?).map(|_| ())
    }

    /// Reads the arguments of a physical plan.
    pub(super) fn from_physical(arguments: &[Arc<dyn PhysicalExpr>]) -> Result<Self> {
        let no_columns = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let constants = arguments.iter().enumerate().skip(2).map(|(index, argument)| {
            match argument.evaluate(&no_columns) {
                Ok(ColumnarValue::Scalar(value)) => Ok(Some(value)),
                _ => Err(not_constant(index)),
            }
        });
        let options = Self::from_values(constants.collect::<Result<_>>()?)?;
        options.ok_or_else(|| not_constant(2))
    }

    /// `values` are the arguments from `horizon` on, `None` where not known yet; NULL stands for the default.
    fn from_values(values: Vec<Option<ScalarValue>>) -> Result<Option<Self>> {
        let known = values.iter().all(Option::is_some) && !values.is_empty();
        let mut values = values.into_iter();
        let mut next = || values.next().flatten();
        let horizon = match next() {
            Some(value) => whole_number("horizon", &value, LONGEST_HORIZON)?,
            None => None,
        };
        let model = match next() {
            Some(value) => text("model", &value)?.map(|name| model(&name)).transpose()?,
            None => None,
        };
        let season = match next() {
            Some(value) if !value.is_null() => whole_number("season", &value, LONGEST_SEASON)?,
            _ => None,
        };
        let gaps = match next() {
            Some(value) => text("gaps", &value)?.map(|name| gaps(&name)).transpose()?,
            None => None,
        };
        Ok(horizon.filter(|_| known).map(|horizon| Self {
            horizon,
            model: model.unwrap_or(Model::Auto),
            season,
            gaps: gaps.unwrap_or(Gaps::Interpolate),
        }))
    }
}

/// Types the arguments are brought to; one that is not taken stays as it is and is refused by [`check_types`].
pub(super) fn coerced(types: &[DataType]) -> Vec<DataType> {
    types
        .iter()
        .enumerate()
        .map(|(index, data_type)| {
            let plain = match data_type {
                DataType::Dictionary(_, value) => value.as_ref(),
                other => other,
            };
            match index {
                0 if plain.is_null() => DataType::Int64,
                0 => plain.clone(),
                1 => coerced_value(plain),
                2 | 4 if plain.is_integer() || plain.is_null() => DataType::Int64,
                3 | 5 if plain.is_string() || plain.is_null() => DataType::Utf8,
                _ => plain.clone(),
            }
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

/// Refuses a wrong number or a wrong type of (coerced) arguments.
pub(super) fn check_types(types: &[DataType]) -> Result<()> {
    if !(REQUIRED..=PARAMETERS.len()).contains(&types.len()) {
        return plan_err!(
            "forecast takes {REQUIRED} to {} arguments ({}), not {}",
            PARAMETERS.len(),
            PARAMETERS.join(", "),
            types.len()
        );
    }
    PeriodType::new(&types[0])?;
    for (index, data_type) in types.iter().enumerate().skip(1) {
        let (fits, takes) = match index {
            1 => (
                matches!(
                    data_type,
                    DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) | DataType::Decimal256(..)
                ),
                "a number",
            ),
            2 => (*data_type == DataType::Int64, "a whole number"),
            4 => (*data_type == DataType::Int64, "a whole number (the values in a season)"),
            _ => (*data_type == DataType::Utf8, "a text"),
        };
        if !fits {
            return plan_err!("forecast: argument `{}` takes {takes}, not {data_type}", PARAMETERS[index]);
        }
    }
    Ok(())
}

fn not_constant(index: usize) -> datafusion::error::DataFusionError {
    let name = PARAMETERS.get(index).copied().unwrap_or("horizon");
    plan_datafusion_err!("forecast: argument `{name}` takes a constant, the same for all rows")
}

fn whole_number(name: &str, value: &ScalarValue, largest: i64) -> Result<Option<usize>> {
    let number = match value {
        ScalarValue::Int64(Some(number)) if (1..=largest).contains(number) => usize::try_from(*number).ok(),
        _ => None,
    };
    match number {
        Some(number) => Ok(Some(number)),
        None => {
            plan_err!("forecast: argument `{name}` takes a whole number from 1 to {largest}, not {value}")
        }
    }
}

fn text(name: &str, value: &ScalarValue) -> Result<Option<String>> {
    match value.try_as_str() {
        Some(text) => Ok(text.map(str::to_owned)),
        None => plan_err!("forecast: argument `{name}` takes a text, not {value}"),
    }
}

fn model(name: &str) -> Result<Model> {
    let names = Model::ALL.map(Model::name);
    Model::from_name(name).ok_or_else(|| unknown("model", name, &names))
}

fn gaps(name: &str) -> Result<Gaps> {
    let names = Gaps::ALL.map(|(name, _)| name);
    let found = Gaps::ALL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
    found.map(|(_, gaps)| gaps).ok_or_else(|| unknown("gaps", name, &names))
}

fn unknown(argument: &str, given: &str, known: &[&str]) -> datafusion::error::DataFusionError {
    let lower = given.trim().to_lowercase();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, name), name))
        .filter(|(distance, name)| *distance <= name.len().div_ceil(2))
        .min_by_key(|(distance, _)| *distance);
    let hint = nearest.map(|(_, name)| format!("; did you mean '{name}'?")).unwrap_or_default();
    let list = known.join("', '");
    plan_datafusion_err!("forecast: argument `{argument}` takes one of '{list}', not '{given}'{hint}")
}
