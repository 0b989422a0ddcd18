//! A function that is carried on from row to row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, RecordBatch, UInt64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowNativeTypeOp, ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal128Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::{Result, internal_err};
use datafusion::physical_plan::PhysicalExpr;

use super::calls::{Call, Function};
use super::steps::Steps;

/// A function, and what it has come to at the last row.
pub(super) trait Running: Send {
    /// The answer as of each row of `batch`, whose steps are `steps`.
    ///
    /// # Errors
    /// When an argument cannot be computed.
    fn answers(&mut self, batch: &RecordBatch, steps: &Steps) -> Result<ArrayRef>;
}

/// `call`, before the first row.
///
/// # Errors
/// When there is no such function of such values.
pub(super) fn running(call: &Call) -> Result<Box<dyn Running>> {
    Ok(match &call.function {
        Function::RowNumber => numbering(Numbers::Rows),
        Function::Rank => numbering(Numbers::FirstOfEquals),
        Function::DenseRank => numbering(Numbers::Equals),
        Function::Count(argument) => Box::new(Count { argument: Arc::clone(argument), counted: 0 }),
        Function::Sum(argument) => match &call.kind {
            DataType::Int64 => folded::<Int64Type>(argument, call, ArrowNativeTypeOp::add_wrapping),
            DataType::UInt64 => folded::<UInt64Type>(argument, call, ArrowNativeTypeOp::add_wrapping),
            DataType::Decimal128(..) => {
                folded::<Decimal128Type>(argument, call, ArrowNativeTypeOp::add_wrapping)
            }
            other => return internal_err!("sums of {other} are not carried on"),
        },
        Function::Min(argument) => compared(argument, call, true)?,
        Function::Max(argument) => compared(argument, call, false)?,
    })
}

fn compared(argument: &Arc<dyn PhysicalExpr>, call: &Call, least: bool) -> Result<Box<dyn Running>> {
    macro_rules! of {
        ($kind:ty) => {
            match least {
                true => folded::<$kind>(argument, call, |a, b| if b.is_lt(a) { b } else { a }),
                false => folded::<$kind>(argument, call, |a, b| if b.is_gt(a) { b } else { a }),
            }
        };
    }
    Ok(match &call.kind {
        DataType::Int8 => of!(Int8Type),
        DataType::Int16 => of!(Int16Type),
        DataType::Int32 => of!(Int32Type),
        DataType::Int64 => of!(Int64Type),
        DataType::UInt8 => of!(UInt8Type),
        DataType::UInt16 => of!(UInt16Type),
        DataType::UInt32 => of!(UInt32Type),
        DataType::UInt64 => of!(UInt64Type),
        DataType::Decimal128(..) => of!(Decimal128Type),
        DataType::Date32 => of!(Date32Type),
        DataType::Date64 => of!(Date64Type),
        DataType::Timestamp(TimeUnit::Second, _) => of!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => of!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => of!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => of!(TimestampNanosecondType),
        other => return internal_err!("{other} are not compared from row to row"),
    })
}

fn numbering(numbers: Numbers) -> Box<dyn Running> {
    Box::new(Numbering { numbers, rows: 0, equals: 0, first: 0 })
}

fn folded<T: ArrowPrimitiveType>(
    argument: &Arc<dyn PhysicalExpr>,
    call: &Call,
    with: fn(T::Native, T::Native) -> T::Native,
) -> Box<dyn Running> {
    Box::new(Folded::<T> { argument: Arc::clone(argument), kind: call.kind.clone(), with, so_far: None })
}

/// Values put together, two at a time; NULLs are passed over.
struct Folded<T: ArrowPrimitiveType> {
    argument: Arc<dyn PhysicalExpr>,
    kind: DataType,
    with: fn(T::Native, T::Native) -> T::Native,
    so_far: Option<T::Native>,
}

impl<T: ArrowPrimitiveType> Running for Folded<T> {
    fn answers(&mut self, batch: &RecordBatch, steps: &Steps) -> Result<ArrayRef> {
        let values = self.argument.evaluate(batch)?.into_array(batch.num_rows())?;
        let values = values.as_primitive::<T>();
        let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
        let mut answers = Vec::with_capacity(steps.rows);
        let mut known = Vec::with_capacity(steps.rows);
        for rows in segments(&steps.partitions, steps.rows) {
            if rows.fresh {
                self.so_far = None;
            }
            for row in rows.rows {
                if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                    let value = values.value(row);
                    self.so_far = Some(self.so_far.map_or(value, |so_far| (self.with)(so_far, value)));
                }
                answers.push(self.so_far.unwrap_or_default());
                known.push(self.so_far.is_some());
            }
        }
        let known = Some(NullBuffer::from(known)).filter(|known| known.null_count() > 0);
        let answers = PrimitiveArray::<T>::new(answers.into(), known);
        Ok(Arc::new(answers.with_data_type(self.kind.clone())))
    }
}

/// How many values are not NULL.
struct Count {
    argument: Arc<dyn PhysicalExpr>,
    counted: i64,
}

impl Running for Count {
    fn answers(&mut self, batch: &RecordBatch, steps: &Steps) -> Result<ArrayRef> {
        let values = self.argument.evaluate(batch)?.into_array(batch.num_rows())?;
        let nulls = values.logical_nulls();
        let mut answers = Vec::with_capacity(steps.rows);
        for rows in segments(&steps.partitions, steps.rows) {
            if rows.fresh {
                self.counted = 0;
            }
            for row in rows.rows {
                self.counted += i64::from(nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)));
                answers.push(self.counted);
            }
        }
        Ok(Arc::new(Int64Array::from(answers)))
    }
}

/// What is numbered, from 1 in each partition.
#[derive(Debug, Clone, Copy)]
enum Numbers {
    Rows,
    /// Each row has the number of the first row that it equals.
    FirstOfEquals,
    /// Rows that are equal count as one.
    Equals,
}

struct Numbering {
    numbers: Numbers,
    rows: u64,
    equals: u64,
    /// The number of the first of the rows that equal the last one.
    first: u64,
}

impl Running for Numbering {
    fn answers(&mut self, _batch: &RecordBatch, steps: &Steps) -> Result<ArrayRef> {
        let mut answers = Vec::with_capacity(steps.rows);
        let mut partitions = steps.partitions.iter().copied().peekable();
        for equals in segments(&steps.equals, steps.rows) {
            if equals.fresh && partitions.next_if_eq(&equals.rows.start).is_some() {
                self.rows = 0;
                self.equals = 0;
            }
            if equals.fresh {
                self.first = self.rows + 1;
                self.equals += 1;
            }
            for _row in equals.rows {
                self.rows += 1;
                answers.push(match self.numbers {
                    Numbers::Rows => self.rows,
                    Numbers::FirstOfEquals => self.first,
                    Numbers::Equals => self.equals,
                });
            }
        }
        Ok(Arc::new(UInt64Array::from(answers)))
    }
}

/// Rows between two steps.
struct Segment {
    rows: std::ops::Range<usize>,
    /// Whether they begin with a step, and do not go on from the batch before.
    fresh: bool,
}

fn segments(starts: &[usize], rows: usize) -> impl Iterator<Item = Segment> + '_ {
    let goes_on = starts.first().is_none_or(|first| *first > 0);
    let before = goes_on.then(|| Segment { rows: 0..starts.first().copied().unwrap_or(rows), fresh: false });
    let ends = starts.iter().skip(1).copied().chain([rows]);
    let fresh = starts.iter().zip(ends).map(|(start, end)| Segment { rows: *start..end, fresh: true });
    before.into_iter().chain(fresh)
}
