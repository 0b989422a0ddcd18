//! The values of the constant arguments, at planning and at execution.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr};
use datafusion::physical_plan::PhysicalExpr;

use super::parameter::{Parameter, Takes};

/// What stands for a value that is a parameter of a prepared statement, and not known yet.
const NOT_KNOWN_YET: usize = 1;

/// The constant arguments of one call, by name.
#[derive(Debug)]
pub(crate) struct Constants {
    function: &'static str,
    parameters: &'static [Parameter],
    /// In the order of `parameters`, `None` where not known yet and where it is another one in every row.
    values: Vec<Option<ScalarValue>>,
}

impl Constants {
    /// Those of a logical plan. Parameters of a prepared statement are checked when they are known.
    ///
    /// # Errors
    /// When an argument is no constant.
    pub(super) fn from_plan(
        function: &'static str,
        parameters: &'static [Parameter],
        arguments: &[Expr],
    ) -> Result<Self> {
        let value = |(argument, parameter): (&Expr, &Parameter)| match argument {
            _ if parameter.takes == Takes::Number => Ok(None),
            Expr::Literal(value, _) => Ok(Some(value.clone())),
            Expr::Placeholder(_) => Ok(None),
            _ => Err(not_constant(function, parameter)),
        };
        let values = arguments.iter().skip(2).zip(parameters).map(value).collect::<Result<_>>()?;
        Ok(Self { function, parameters, values })
    }

    /// Those of a physical plan.
    ///
    /// # Errors
    /// When an argument is no constant.
    pub(super) fn from_physical(
        function: &'static str,
        parameters: &'static [Parameter],
        arguments: &[Arc<dyn PhysicalExpr>],
    ) -> Result<Self> {
        let no_columns = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let value = |(argument, parameter): (&Arc<dyn PhysicalExpr>, &Parameter)| {
            if parameter.takes == Takes::Number {
                return Ok(None);
            }
            match argument.evaluate(&no_columns) {
                Ok(ColumnarValue::Scalar(value)) => Ok(Some(value)),
                _ => Err(not_constant(function, parameter)),
            }
        };
        let values = arguments.iter().skip(2).zip(parameters).map(value).collect::<Result<_>>()?;
        Ok(Self { function, parameters, values })
    }

    /// The argument `horizon`, which has no default; 1 for a function that looks a single period ahead.
    ///
    /// # Errors
    /// When it is not a whole number in its range.
    pub(crate) fn horizon(&self) -> Result<usize> {
        if self.parameters.iter().all(|parameter| parameter.name != "horizon") {
            return Ok(1);
        }
        match self.values.first() {
            None => plan_err!("{}: argument `horizon` is missing", self.function),
            Some(None) => Ok(NOT_KNOWN_YET),
            Some(Some(value)) => self.whole_number("horizon", value),
        }
    }

    /// A whole number; `None` for its default.
    ///
    /// # Errors
    /// When it is not in its range.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>> {
        self.given(name).map(|value| self.whole_number(name, value)).transpose()
    }

    /// One of a few names, whatever its case; `None` for its default.
    ///
    /// # Errors
    /// When the name is unknown; the message offers the nearest.
    pub(crate) fn one_of<T: Copy>(&self, name: &str, known: &[(&'static str, T)]) -> Result<Option<T>> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let Some(Some(text)) = value.try_as_str() else {
            return plan_err!("{}: argument `{name}` takes a text, not {value}", self.function);
        };
        let found = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(text.trim()));
        match found {
            Some((_, found)) => Ok(Some(*found)),
            None => Err(self.unknown(name, text, &known.iter().map(|(name, _)| *name).collect::<Vec<_>>())),
        }
    }

    /// A share of one, `true` being all of it and `false` nothing; `None` for its default.
    ///
    /// # Errors
    /// When it is not from 0 to 1.
    pub(crate) fn share(&self, name: &str) -> Result<Option<f64>> {
        match self.given(name) {
            None => Ok(None),
            Some(ScalarValue::Boolean(Some(all))) => Ok(Some(if *all { 1.0 } else { 0.0 })),
            Some(ScalarValue::Float64(Some(share))) if (0.0..=1.0).contains(share) => Ok(Some(*share)),
            Some(value) => {
                plan_err!(
                    "{}: argument `{name}` takes true, false or a number from 0 to 1, not {value}",
                    self.function
                )
            }
        }
    }

    /// The value of an argument that is there, known and not NULL.
    fn given(&self, name: &str) -> Option<&ScalarValue> {
        let index = self.parameters.iter().position(|parameter| parameter.name == name)?;
        self.values.get(index)?.as_ref().filter(|value| !value.is_null())
    }

    fn whole_number(&self, name: &str, value: &ScalarValue) -> Result<usize> {
        let largest = self.parameters.iter().find_map(|parameter| match parameter.takes {
            Takes::Count(largest) if parameter.name == name => Some(largest),
            _ => None,
        });
        let largest = largest.unwrap_or(i64::MAX);
        let number = match value {
            ScalarValue::Int64(number) => *number,
            ScalarValue::UInt64(number) => number.and_then(|number| i64::try_from(number).ok()),
            _ => None,
        };
        let number = number.filter(|number| (1..=largest).contains(number));
        number.and_then(|number| usize::try_from(number).ok()).ok_or_else(|| {
            plan_datafusion_err!(
                "{}: argument `{name}` takes a whole number from 1 to {largest}, not {value}",
                self.function
            )
        })
    }

    fn unknown(&self, argument: &str, given: &str, known: &[&str]) -> DataFusionError {
        let lower = given.trim().to_lowercase();
        let nearest = known
            .iter()
            .map(|name| (strsim::damerau_levenshtein(&lower, name), name))
            .filter(|(distance, name)| *distance <= name.len().div_ceil(2))
            .min_by_key(|(distance, _)| *distance);
        let hint = nearest.map(|(_, name)| format!("; did you mean '{name}'?")).unwrap_or_default();
        let list = known.join("', '");
        plan_datafusion_err!(
            "{}: argument `{argument}` takes one of '{list}', not '{given}'{hint}",
            self.function
        )
    }
}

fn not_constant(function: &str, parameter: &Parameter) -> DataFusionError {
    plan_datafusion_err!("{function}: argument `{}` takes a constant, the same for all rows", parameter.name)
}
