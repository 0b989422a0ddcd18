//! `stddev`, `stddev_pop`, `var` and `var_pop` of whole numbers from their exact sums.
//!
//! DataFusion takes whole numbers as floating-point numbers and carries a mean on from row to row: the last bits depend on the order
//! in which rows and the states of parts come, and each row waits for the division of the one before. Of all other types the
//! functions are DataFusion's.

mod accumulator;
mod groups;
mod sums;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, Decimal256Array, UInt64Array};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Field, FieldRef, UInt64Type};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::functions_aggregate::stddev::{stddev_pop_udaf, stddev_udaf};
use datafusion::functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use accumulator::{AsFloats, Exact};
use groups::ExactGroups;
use sums::Sums;

/// Of the numbers and of their squares; an array does not check how many digits there are.
const SUM: DataType = DataType::Decimal128(38, 0);
const SQUARES: DataType = DataType::Decimal256(76, 0);

/// In the places of DataFusion's.
pub(crate) fn functions() -> Vec<Arc<AggregateUDF>> {
    let of = |inner, sample, root| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(Spread { inner, measure: Measure { sample, root }, signature }))
    };
    vec![
        of(stddev_udaf(), true, true),
        of(stddev_pop_udaf(), false, true),
        of(var_samp_udaf(), true, false),
        of(var_pop_udaf(), false, false),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Spread {
    inner: Arc<AggregateUDF>,
    measure: Measure,
    signature: Signature,
}

/// Which of the four it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Measure {
    sample: bool,
    root: bool,
}

impl Measure {
    fn of(self, sums: Sums) -> Option<f64> {
        let variance = sums.variance(self.sample)?;
        Some(if self.root { variance.sqrt() } else { variance })
    }
}

fn taken(name: &str, kind: &DataType) -> Result<DataType> {
    Ok(match kind {
        DataType::UInt64 => DataType::Float64,
        kind if kind.is_integer() => DataType::Int64,
        kind if kind.is_numeric() || kind.is_null() => DataType::Float64,
        DataType::Dictionary(_, values) => taken(name, values)?,
        other => return plan_err!("{name} takes numbers, and not {other}"),
    })
}

fn is_whole(fields: &[FieldRef]) -> bool {
    fields.first().is_some_and(|field| *field.data_type() == DataType::Int64)
}

impl AggregateUDFImpl for Spread {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        match kinds {
            [kind] => Ok(vec![taken(self.name(), kind)?]),
            _ => plan_err!("{} takes one argument, and not {}", self.name(), kinds.len()),
        }
    }

    fn return_type(&self, _kinds: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if arguments.is_distinct || !is_whole(arguments.input_fields) {
            return self.inner.state_fields(arguments);
        }
        let field = |part, kind| {
            Arc::new(Field::new(format_state_name(arguments.name, part), kind, true)) as FieldRef
        };
        Ok(vec![field("count", DataType::UInt64), field("sum", SUM), field("squares", SQUARES)])
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match (is_whole(arguments.expr_fields), arguments.is_distinct) {
            (true, false) => Ok(Box::new(Exact::new(self.measure))),
            (true, true) => Ok(Box::new(AsFloats(self.inner.accumulator(arguments)?))),
            (false, _) => self.inner.accumulator(arguments),
        }
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match is_whole(arguments.expr_fields) {
            true => Ok(Box::new(ExactGroups::new(self.measure))),
            false => self.inner.create_groups_accumulator(arguments),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

/// `all` as the columns of a state.
fn as_state(all: &[Sums]) -> Vec<ArrayRef> {
    let counts: UInt64Array = all.iter().map(|sums| sums.count).collect::<Vec<_>>().into();
    let totals: Decimal128Array = all.iter().map(|sums| sums.sum).collect::<Vec<_>>().into();
    let squares: Decimal256Array = all.iter().map(|sums| sums.squares).collect::<Vec<_>>().into();
    vec![Arc::new(counts), Arc::new(totals.with_data_type(SUM)), Arc::new(squares.with_data_type(SQUARES))]
}

/// What [`as_state`] made columns of.
fn of_state(state: &[ArrayRef]) -> Result<impl Iterator<Item = Sums>> {
    let unknown = || exec_datafusion_err!("a variance has a state that it does not know");
    let [counts, totals, squares] = state else { return Err(unknown()) };
    let counts = counts.as_primitive_opt::<UInt64Type>().ok_or_else(unknown)?.values().iter();
    let totals = totals.as_primitive_opt::<Decimal128Type>().ok_or_else(unknown)?.values().iter();
    let squares = squares.as_primitive_opt::<Decimal256Type>().ok_or_else(unknown)?.values().iter();
    Ok(counts.zip(totals).zip(squares).map(|((count, sum), squares)| Sums {
        count: *count,
        sum: *sum,
        squares: *squares,
    }))
}
