//! Of one group.

use std::mem::size_of_val;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::Accumulator;

use super::sums::Sums;
use super::{Measure, as_state, of_state};

#[derive(Debug)]
pub(super) struct Exact {
    measure: Measure,
    sums: Sums,
}

impl Exact {
    pub(super) fn new(measure: Measure) -> Self {
        Self { measure, sums: Sums::default() }
    }
}

pub(super) fn whole_numbers(values: &[ArrayRef]) -> Result<&PrimitiveArray<Int64Type>> {
    let values = values.first().and_then(|values| values.as_primitive_opt::<Int64Type>());
    values.ok_or_else(|| exec_datafusion_err!("a variance of whole numbers was given something else"))
}

fn sums(values: &[ArrayRef]) -> Result<Sums> {
    let values = whole_numbers(values)?;
    Ok(match values.null_count() {
        0 => Sums::of(values.values()),
        _ => Sums::of(&values.iter().flatten().collect::<Vec<_>>()),
    })
}

impl Accumulator for Exact {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sums = self.sums.and(sums(values)?);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sums = self.sums.without(sums(values)?);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.sums = of_state(states)?.fold(self.sums, Sums::and);
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        as_state(&[self.sums]).iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.measure.of(self.sums)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// DataFusion's, of different whole numbers: it takes floating-point numbers.
#[derive(Debug)]
pub(super) struct AsFloats(pub(super) Box<dyn Accumulator>);

fn floats(values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    values.iter().map(|values| Ok(cast(values, &DataType::Float64)?)).collect()
}

impl Accumulator for AsFloats {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update_batch(&floats(values)?)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.retract_batch(&floats(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.0.supports_retract_batch()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
