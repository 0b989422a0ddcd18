//! `avg` of whole numbers from their exact sum and count.
//!
//! DataFusion adds whole numbers for `avg` as floating-point numbers: beyond 2^53 the last bits of the answer depend on the
//! order in which they come, and on workers they come in any order. Of all other types `avg` is DataFusion's.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF,
    Signature, Volatility,
};

/// Takes every whole number of 64 bits, with a sign or without.
const EXACT: DataType = DataType::Decimal128(20, 0);

/// In the place of DataFusion's.
pub(crate) fn function() -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::from(Average { inner: Avg::new(), signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Average {
    inner: Avg,
    signature: Signature,
}

fn is_whole(kind: &DataType) -> bool {
    matches!(kind, DataType::Int64 | DataType::UInt64)
}

fn taken(kind: &DataType) -> Result<DataType> {
    Ok(match kind {
        DataType::UInt64 => DataType::UInt64,
        kind if kind.is_integer() => DataType::Int64,
        kind if kind.is_decimal() => kind.clone(),
        DataType::Duration(unit) => DataType::Duration(*unit),
        DataType::Null | DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Dictionary(_, values) => taken(values)?,
        DataType::RunEndEncoded(_, values) => taken(values.data_type())?,
        other => return plan_err!("avg takes numbers and durations, and not {other}"),
    })
}

/// The argument as DataFusion's `avg` is to see it.
fn exact_field(field: &FieldRef) -> FieldRef {
    Arc::new(Field::clone(field).with_data_type(EXACT))
}

impl Average {
    /// What `of` makes of the arguments for whole numbers as decimals; `None` for other arguments.
    fn exactly<T>(
        &self,
        arguments: &AccumulatorArgs<'_>,
        of: impl FnOnce(AccumulatorArgs<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        if !arguments.expr_fields.first().is_some_and(|field| is_whole(field.data_type())) {
            return Ok(None);
        }
        let fields: Vec<FieldRef> = arguments.expr_fields.iter().map(exact_field).collect();
        let returned = self.inner.return_type(&[EXACT])?;
        let returned = Arc::new(Field::clone(&arguments.return_field).with_data_type(returned));
        let exact = AccumulatorArgs { return_field: returned, expr_fields: &fields, ..arguments.clone() };
        of(exact).map(Some)
    }
}

impl AggregateUDFImpl for Average {
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
            [kind] => Ok(vec![taken(kind)?]),
            _ => plan_err!("avg takes one argument, and not {}", kinds.len()),
        }
    }

    fn return_type(&self, kinds: &[DataType]) -> Result<DataType> {
        self.inner.return_type(kinds)
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if !arguments.input_fields.first().is_some_and(|field| is_whole(field.data_type())) {
            return self.inner.state_fields(arguments);
        }
        let fields: Vec<FieldRef> = arguments.input_fields.iter().map(exact_field).collect();
        let returned = self.inner.return_type(&[EXACT])?;
        let returned = Arc::new(Field::clone(&arguments.return_field).with_data_type(returned));
        self.inner.state_fields(StateFieldsArgs {
            input_fields: &fields,
            return_field: returned,
            ..arguments
        })
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match self.exactly(&arguments, |exact| self.inner.accumulator(exact))? {
            Some(inner) => Ok(Box::new(Whole { inner, distinct: arguments.is_distinct })),
            None => self.inner.accumulator(arguments),
        }
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match self.exactly(&arguments, |exact| self.inner.create_groups_accumulator(exact))? {
            Some(inner) => Ok(Box::new(WholeGroups(inner))),
            None => self.inner.create_groups_accumulator(arguments),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

/// As [`EXACT`]. A cast would look at each value whether it has too many digits, which none has.
fn exact(values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    let exact = |values: &ArrayRef| -> Result<ArrayRef> {
        let wide = match values.data_type() {
            DataType::Int64 => values.as_primitive::<Int64Type>().unary::<_, Decimal128Type>(i128::from),
            DataType::UInt64 => values.as_primitive::<UInt64Type>().unary::<_, Decimal128Type>(i128::from),
            _ => return Ok(cast(values, &EXACT)?),
        };
        Ok(Arc::new(wide.with_data_type(EXACT)))
    };
    values.iter().map(exact).collect()
}

/// How many of `values` there are, and their sum; of signed whole numbers alone, as most are.
fn total(values: &[ArrayRef]) -> Option<(u64, i128)> {
    let [values] = values else { return None };
    let values = values.as_primitive_opt::<Int64Type>()?;
    let sum = match values.null_count() {
        0 => sum_of(values.values()),
        _ => values.iter().flatten().map(i128::from).sum(),
    };
    Some((u64::try_from(values.len() - values.null_count()).ok()?, sum))
}

/// Both halves of the numbers are added up on their own, several at a time.
fn sum_of(values: &[i64]) -> i128 {
    /// Halves of so many have a sum of 64 bits.
    const MOST: usize = 1 << 30;
    let sum = |values: &[i64]| {
        let (high, low) = values
            .iter()
            .fold((0_i64, 0_i64), |(high, low), value| (high + (value >> 32), low + (value & 0xffff_ffff)));
        (i128::from(high) << 32) + i128::from(low)
    };
    values.chunks(MOST).map(sum).sum()
}

/// Rounded once for the sum and once for the quotient, whatever order the numbers came in.
fn quotient(sum: i128, count: u64) -> f64 {
    sum as f64 / count as f64
}

/// Of one group; the state is that of DataFusion's `avg` of decimals.
#[derive(Debug)]
struct Whole {
    inner: Box<dyn Accumulator>,
    distinct: bool,
}

impl Accumulator for Whole {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match total(values).filter(|_total| !self.distinct) {
            Some((0, _)) => Ok(()),
            Some((count, sum)) => {
                let sum = Decimal128Array::from(vec![sum]).with_data_type(DataType::Decimal128(38, 0));
                self.inner.merge_batch(&[Arc::new(UInt64Array::from(vec![count])), Arc::new(sum)])
            }
            None => self.inner.update_batch(&exact(values)?),
        }
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&exact(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = self.inner.state()?;
        let found = match (self.distinct, state.as_slice()) {
            (true, [ScalarValue::List(lists)]) => {
                let values = lists.value(0);
                let values = values.as_primitive::<Decimal128Type>();
                let count = u64::try_from(values.len()).unwrap_or(u64::MAX);
                (count > 0).then(|| quotient(values.iter().flatten().sum(), count))
            }
            (false, [ScalarValue::UInt64(Some(count)), ScalarValue::Decimal128(Some(sum), _, _)]) => {
                (*count > 0).then(|| quotient(*sum, *count))
            }
            (false, [_, ScalarValue::Decimal128(None, _, _)]) => None,
            _ => return Err(exec_datafusion_err!("avg has a state that it does not know: {state:?}")),
        };
        Ok(ScalarValue::Float64(found))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

/// Of many groups at once.
struct WholeGroups(Box<dyn GroupsAccumulator>);

impl GroupsAccumulator for WholeGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.0.update_batch(&exact(values)?, group_indices, filter, groups)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        self.0.merge_batch(states, group_indices, groups)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        self.0.state(emit)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let state = self.0.state(emit)?;
        let [counts, sums] = state.as_slice() else {
            return Err(exec_datafusion_err!("avg has a state that it does not know"));
        };
        let counts = counts.as_primitive::<UInt64Type>();
        let sums = sums.as_primitive::<Decimal128Type>();
        let means: Float64Array =
            sums.iter().zip(counts.iter()).map(|(sum, count)| Some(quotient(sum?, count?))).collect();
        Ok(Arc::new(means))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.0.convert_to_state(&exact(values)?, filter)
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_make_the_whole() {
        let values = [i64::MIN, i64::MAX, -1, 0, 1, -4_294_967_297, 4_294_967_296, i64::MIN];
        for (first, _) in values.iter().enumerate() {
            assert_eq!(
                sum_of(&values[first..]),
                values[first..].iter().map(|value| i128::from(*value)).sum()
            );
        }
        let array: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![Some(i64::MAX), None, Some(2)]));
        assert_eq!(total(&[array]), Some((2, i128::from(i64::MAX) + 2)));
    }
}
