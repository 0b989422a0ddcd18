//! The literal arguments `draws`, `seed` and `explain`.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};

use super::NAME;

const DRAWS: std::ops::RangeInclusive<i64> = 64..=65_536;
const DEFAULT_DRAWS: u32 = 4096;

/// How the distribution is sampled, and whether the answer is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) draws: u32,
    pub(super) seed: i64,
    pub(super) explain: bool,
}

impl Options {
    /// Reads the arguments after the evidence; a missing or NULL one has its default.
    pub(super) fn from_literals(arguments: &[Option<&ScalarValue>]) -> Result<Self> {
        let draws = match integer(arguments, 1, "draws")? {
            None => DEFAULT_DRAWS,
            Some(draws) => match u32::try_from(draws) {
                Ok(valid) if DRAWS.contains(&draws) => valid,
                _ => return plan_err!("{NAME}: draws must be from 64 to 65536, got {draws}"),
            },
        };
        Ok(Self {
            draws,
            seed: integer(arguments, 2, "seed")?.unwrap_or(0),
            explain: truth(arguments, 3, "explain")?.unwrap_or(false),
        })
    }
}

/// The literal at a position, `None` where it is missing or NULL.
fn literal<'a>(
    arguments: &[Option<&'a ScalarValue>],
    position: usize,
    name: &str,
    what: &str,
) -> Result<Option<&'a ScalarValue>> {
    let Some(argument) = arguments.get(position) else {
        return Ok(None);
    };
    match argument {
        Some(value) => Ok(Some(*value).filter(|value| !value.is_null())),
        None => plan_err!("{NAME}: {name} takes a literal {what}, not a column or an expression"),
    }
}

fn integer(arguments: &[Option<&ScalarValue>], position: usize, name: &str) -> Result<Option<i64>> {
    let Some(value) = literal(arguments, position, name, "integer")? else {
        return Ok(None);
    };
    if !value.data_type().is_integer() {
        return plan_err!("{NAME}: {name} takes a literal integer, got {value}");
    }
    match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(number)) => Ok(number),
        _ => Err(plan_datafusion_err!("{NAME}: {name} must fit a 64-bit integer, got {value}")),
    }
}

fn truth(arguments: &[Option<&ScalarValue>], position: usize, name: &str) -> Result<Option<bool>> {
    match literal(arguments, position, name, "boolean")? {
        None => Ok(None),
        Some(ScalarValue::Boolean(value)) => Ok(*value),
        Some(other) => plan_err!("{NAME}: {name} takes true or false, got {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_only_when_asked() {
        let check = |argument: ScalarValue, expected: bool| {
            let arguments = [None, Some(&ScalarValue::Null), Some(&ScalarValue::Null), Some(&argument)];
            let found = Options::from_literals(&arguments).map(|options| options.explain);
            assert_eq!(found.map_err(|error| error.to_string()), Ok(expected));
        };
        check(ScalarValue::Null, false);
        check(ScalarValue::Boolean(None), false);
        check(ScalarValue::Boolean(Some(true)), true);
    }

    #[test]
    fn defaults_stand_for_missing_and_null() {
        let check = |arguments: &[Option<&ScalarValue>], draws: u32, seed: i64| {
            let found = Options::from_literals(arguments).map_err(|error| error.to_string());
            assert_eq!(found, Ok(Options { draws, seed, explain: false }));
        };
        let (null, thousand, minus) =
            (ScalarValue::Null, ScalarValue::Int32(Some(1000)), ScalarValue::Int64(Some(-5)));
        check(&[None], 4096, 0);
        check(&[None, Some(&null), Some(&minus)], 4096, -5);
        check(&[None, Some(&thousand)], 1000, 0);
    }

    #[test]
    fn anything_else_is_refused() {
        let check = |arguments: &[Option<&ScalarValue>], expected: &str| {
            let found = Options::from_literals(arguments).map_err(|error| error.strip_backtrace());
            assert!(found.as_ref().is_err_and(|text| text.contains(expected)), "{found:?}");
        };
        let (few, text, huge) =
            (ScalarValue::Int64(Some(63)), ScalarValue::from("x"), ScalarValue::UInt64(Some(u64::MAX)));
        check(&[None, Some(&few)], "draws must be from 64 to 65536, got 63");
        check(&[None, Some(&text)], "draws takes a literal integer, got x");
        check(&[None, None], "draws takes a literal integer, not a column");
        check(&[None, Some(&ScalarValue::Null), Some(&huge)], "seed must fit a 64-bit integer");
        let null = ScalarValue::Null;
        check(&[None, Some(&null), Some(&null), Some(&text)], "explain takes true or false, got x");
        check(&[None, Some(&null), Some(&null), None], "explain takes a literal boolean, not a column");
    }
}
