//! `distinct_sketch(value)` and `distinct_estimate(sketch)`: what `approx_distinct` is made of, so that it can be kept and put
//! together.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ReversedUDAF, Signature, Volatility,
};

use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};

/// Registers of a sketch, of one byte each.
const REGISTERS: usize = 1 << 14;

/// The contract of `distinct_sketch`.
pub(crate) static DISTINCT_SKETCH: FunctionDoc = FunctionDoc {
    name: "distinct_sketch",
    kind: FunctionKind::Aggregate,
    section: "Counting",
    summary: "Keeps what `approx_distinct` needs to know of a group's values, so that groups can be put together later.",
    description: "A HyperLogLog sketch with 16,384 registers. `distinct_estimate` of one or many sketches is what \
                  `approx_distinct` says of all of their values together, whatever they share. The same values give the \
                  same sketch, in any order and any number. A group's sketch takes 16 KiB in memory; in a file it is \
                  compressed to about as many bytes as it has different values. A rollup keeps it where `approx_distinct` \
                  is asked for.",
    syntax: "distinct_sketch(value)",
    arguments: &[ArgumentDoc {
        name: "value",
        sql_type: "whole number of 32 or 64 bits, DECIMAL, DATE, TIMESTAMP or VARCHAR",
        description: "What is to be counted.",
    }],
    returns: "BINARY of 16,384 bytes",
    nulls: "NULL is no value. A group without values gives a sketch of nothing, whose estimate is 0.",
    errors: "When planned: another type. Of booleans and numbers of 8 or 16 bits there are few; count(DISTINCT …) is exact.",
    source: "Flajolet, Fusy, Gandouet, Meunier, HyperLogLog (2007), as in DataFusion's approx_distinct; standard error 0.8 %.",
    examples: &[Example {
        sql: "SELECT length(encode(distinct_sketch(buyer), 'hex')) / 2 AS bytes FROM (VALUES ('a'), ('b'), ('a')) AS t(buyer)",
        result: "
+-------+
| bytes |
+-------+
| 16384 |
+-------+
",
    }],
};

/// The contract of `distinct_estimate`.
pub(crate) static DISTINCT_ESTIMATE: FunctionDoc = FunctionDoc {
    name: "distinct_estimate",
    kind: FunctionKind::Aggregate,
    section: "Counting",
    summary: "Estimates how many different values went into sketches that `distinct_sketch` made.",
    description: "The estimate of all sketches of a group together: what `approx_distinct` says of the values that they were \
                  made of. Sketches must be of values of one type, for a number and its digits count as two.",
    syntax: "distinct_estimate(sketch)",
    arguments: &[ArgumentDoc {
        name: "sketch",
        sql_type: "BINARY",
        description: "What `distinct_sketch` gave.",
    }],
    returns: "BIGINT UNSIGNED",
    nulls: "NULL is no sketch. A group without sketches gives 0.",
    errors: "When planned: another type. When run: bytes that are no sketch.",
    source: "As `distinct_sketch`.",
    examples: &[Example {
        sql: "SELECT distinct_estimate(sketch) AS buyers FROM (SELECT month, distinct_sketch(buyer) AS sketch
  FROM (VALUES (1, 'a'), (1, 'b'), (2, 'b'), (2, 'c')) AS t(month, buyer) GROUP BY month)",
        result: "
+--------+
| buyers |
+--------+
| 3      |
+--------+
",
    }],
};

/// `distinct_sketch`.
pub(crate) fn sketch_function() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Sketch { signature: Signature::user_defined(Volatility::Immutable) }))
}

/// `distinct_estimate`.
pub(crate) fn estimate_function() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Estimate { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sketch {
    signature: Signature,
}

impl AggregateUDFImpl for Sketch {
    fn name(&self) -> &str {
        DISTINCT_SKETCH.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        match kinds {
            [
                kind @ (DataType::Int32
                | DataType::Int64
                | DataType::UInt32
                | DataType::UInt64
                | DataType::Decimal128(..)
                | DataType::Decimal256(..)
                | DataType::Date32
                | DataType::Date64
                | DataType::Timestamp(..)
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View),
            ] => Ok(vec![kind.clone()]),
            [DataType::Null] => Ok(vec![DataType::Int64]),
            [DataType::Dictionary(_, values)] => self.coerce_types(std::slice::from_ref(values)),
            [kind] => plan_err!(
                "distinct_sketch takes whole numbers of 32 or 64 bits, decimals, dates, times and texts, and not {kind}"
            ),
            kinds => plan_err!("distinct_sketch takes one argument, and not {}", kinds.len()),
        }
    }

    fn return_type(&self, _kinds: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        approx_distinct_udaf().inner().state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(SketchOf(approx_distinct_udaf().inner().accumulator(arguments)?)))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

#[derive(Debug)]
struct SketchOf(Box<dyn Accumulator>);

impl Accumulator for SketchOf {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.0.state()?.as_slice() {
            [sketch @ ScalarValue::Binary(Some(_))] => Ok(sketch.clone()),
            state => Err(exec_datafusion_err!("approx_distinct has a state that is no sketch: {state:?}")),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.size()
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Estimate {
    signature: Signature,
}

impl AggregateUDFImpl for Estimate {
    fn name(&self) -> &str {
        DISTINCT_ESTIMATE.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        match kinds {
            [DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::Null] => {
                Ok(vec![DataType::Binary])
            }
            [kind] => plan_err!("distinct_estimate takes what distinct_sketch gives, and not {kind}"),
            kinds => plan_err!("distinct_estimate takes one argument, and not {}", kinds.len()),
        }
    }

    fn return_type(&self, _kinds: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn default_value(&self, _kind: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::UInt64(Some(0)))
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        approx_distinct_udaf().inner().state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(EstimateOf(approx_distinct_udaf().inner().accumulator(arguments)?)))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

#[derive(Debug)]
struct EstimateOf(Box<dyn Accumulator>);

impl Accumulator for EstimateOf {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [sketches] = values else { return exec_err!("distinct_estimate takes one argument") };
        let sketches: BinaryArray = sketches.as_binary::<i32>().iter().flatten().map(Some).collect();
        if let Some(other) = sketches.iter().flatten().find(|sketch| sketch.len() != REGISTERS) {
            return exec_err!(
                "distinct_estimate takes what distinct_sketch gives, {REGISTERS} bytes, and found {}",
                other.len()
            );
        }
        if sketches.is_empty() {
            return Ok(());
        }
        self.0.merge_batch(&[Arc::new(sketches)])
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
        size_of_val(self) + self.0.size()
    }
}
