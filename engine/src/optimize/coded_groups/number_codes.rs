//! A key that is computed once for each number of a range.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, RecordBatch};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, Int32Type, Int64Type, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, internal_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

/// Numbers in a range of which all are computed; ninety years of days.
const MOST_NUMBERS: i64 = 1 << 15;

/// Whether a column of this type may be the column of such a key.
pub(super) fn is_number(data_type: &DataType) -> bool {
    use DataType::{Date32, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32};
    matches!(data_type, Date32 | Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32)
}

/// The codes of such a key: how far its number is from the lowest one met.
#[derive(Debug, Clone)]
pub(super) struct NumberCodes {
    /// The key over the rows, and what it is computed from.
    whole: Arc<dyn PhysicalExpr>,
    column: Column,
    /// The key over a batch of that column alone, which has this schema.
    of_column: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    lowest: i64,
    /// The key of `lowest` and of the numbers that follow.
    values: Option<ArrayRef>,
    /// Numbers lie too far apart.
    scattered: bool,
}

impl NumberCodes {
    /// Those of `expr`, which is over `column` of rows of `schema` alone.
    ///
    /// # Errors
    /// When the expression cannot be put together again.
    pub(super) fn of(expr: &Arc<dyn PhysicalExpr>, column: &Column, schema: &Schema) -> Result<Self> {
        let of_column = Arc::clone(expr).transform(|part| {
            Ok(match part.is::<Column>() {
                true => Transformed::yes(Arc::new(Column::new(column.name(), 0)) as Arc<dyn PhysicalExpr>),
                false => Transformed::no(part),
            })
        });
        let field = schema.field(column.index()).clone().with_nullable(true);
        Ok(Self {
            whole: Arc::clone(expr),
            column: column.clone(),
            of_column: of_column.data()?,
            schema: Arc::new(Schema::new(vec![field])),
            lowest: 0,
            values: None,
            scattered: false,
        })
    }

    pub(super) fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        &self.whole
    }

    /// The key of each row of `batch`, as codes where that may be.
    ///
    /// # Errors
    /// When it cannot be computed.
    pub(super) fn evaluate(&mut self, batch: &RecordBatch) -> Result<ArrayRef> {
        if !self.scattered {
            let numbers = self.column.evaluate(batch)?.into_array(batch.num_rows())?;
            let numbers = cast(&numbers, &DataType::Int64)?;
            let Some(numbers) = numbers.as_primitive_opt::<Int64Type>() else {
                return internal_err!("a number is {}", numbers.data_type());
            };
            if let Some(codes) = self.codes(numbers)? {
                return Ok(codes);
            }
            self.scattered = true;
            self.values = None;
        }
        self.whole.evaluate(batch)?.into_array(batch.num_rows())
    }

    /// `None` when numbers lie too far apart.
    fn codes(&mut self, numbers: &Int64Array) -> Result<Option<ArrayRef>> {
        let (Some(low), Some(high)) = (min(numbers), max(numbers)) else {
            // No number at all: which values there are does not matter.
            let values = match &self.values {
                Some(values) => Arc::clone(values),
                None => self.keys_from(0, 0)?,
            };
            let codes = Int32Array::new_null(numbers.len());
            return Ok(Some(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, values)?)));
        };
        let known = self.values.as_ref().map_or(0, |values| i64::try_from(values.len()).unwrap_or(i64::MAX));
        let (low, high) = match known {
            0 => (low, high),
            _ => (low.min(self.lowest), high.max(self.lowest + known - 1)),
        };
        if high.checked_sub(low).is_none_or(|width| width >= MOST_NUMBERS) {
            return Ok(None);
        }
        let values = match &self.values {
            Some(values) if low == self.lowest && high - low + 1 == known => Arc::clone(values),
            _ => {
                let values = self.keys_from(low, high - low + 1)?;
                self.lowest = low;
                self.values.insert(values).clone()
            }
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below MOST_NUMBERS, but for what stands below a NULL"
        )]
        let codes: Int32Array = numbers.unary(|number| number.wrapping_sub(low) as i32);
        Ok(Some(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, values)?)))
    }

    /// The key of `count` numbers from `low` on.
    fn keys_from(&self, low: i64, count: i64) -> Result<ArrayRef> {
        let numbers: Int64Array = (low..low + count).collect::<Vec<_>>().into();
        let numbers = match self.schema.field(0).data_type() {
            // There is no cast from Int64 to days but through Int32.
            DataType::Date32 => cast(&cast(&numbers, &DataType::Int32)?, &DataType::Date32)?,
            data_type => cast(&numbers, data_type)?,
        };
        let rows = numbers.len();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![numbers])?;
        self.of_column.evaluate(&batch)?.into_array(rows)
    }
}
