//! Which condition of a `CASE` is the first that holds, asked of all rows at once.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use datafusion::common::{Result, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal, NotExpr,
};

use crate::optimize::aggregate_before_join::compares;

/// Conditions that can be asked of every row, as none of them can fail: `CASE` itself asks a row no more once one holds, and pays
/// for that with a selection for each of them.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    /// Each with the code of the rows for which it is the first that holds.
    codes: Vec<(Arc<dyn PhysicalExpr>, i32)>,
    /// The code of the others; none for NULL.
    otherwise: Option<i32>,
}

/// `WHEN` and `THEN`.
type Branch = (Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>);

/// What a row has until a condition holds, where that is NULL.
const NONE: i32 = -1;

impl Conditions {
    /// Those of `branches`, whose values are literal codes; `None` if one may fail.
    pub(super) fn of(branches: &[Branch], otherwise: Option<&Arc<dyn PhysicalExpr>>) -> Option<Self> {
        let codes = branches.iter().map(|(when, code)| {
            never_fails(when).then(|| Some((Arc::clone(when), literal(code)?))).flatten()
        });
        let codes = codes.collect::<Option<Vec<_>>>()?;
        let otherwise = match otherwise {
            Some(code) => Some(literal(code)?),
            None => None,
        };
        Some(Self { codes, otherwise })
    }

    /// The code of each row of `batch`.
    ///
    /// # Errors
    /// When a condition cannot be computed.
    pub(super) fn evaluate(&self, batch: &RecordBatch) -> Result<Int32Array> {
        let rows = batch.num_rows();
        let mut codes = vec![self.otherwise.unwrap_or(NONE); rows];
        // The first that holds has the last word.
        for (condition, code) in self.codes.iter().rev() {
            let holds = condition.evaluate(batch)?.into_array(rows)?;
            let holds = holds.as_boolean();
            match holds.nulls() {
                Some(nulls) => set(&mut codes, *code, &(holds.values() & nulls.inner())),
                None => set(&mut codes, *code, holds.values()),
            }
        }
        let nulls = match self.otherwise {
            Some(_) => None,
            None => Some(NullBuffer::from_iter(codes.iter().map(|code| *code != NONE))),
        };
        Ok(Int32Array::try_new(codes.into(), nulls)?)
    }
}

/// Gives the rows where `holds` the code.
fn set(codes: &mut [i32], code: i32, holds: &BooleanBuffer) {
    let bits = holds.bit_chunks();
    let remainder = std::iter::once(bits.remainder_bits());
    for (codes, bits) in codes.chunks_mut(64).zip(bits.iter().chain(remainder)) {
        for (place, row) in codes.iter_mut().enumerate() {
            let mask = 0_i32.wrapping_sub(i32::from(bits >> place & 1 == 1));
            *row = *row & !mask | code & mask;
        }
    }
}

fn literal(code: &Arc<dyn PhysicalExpr>) -> Option<i32> {
    match code.downcast_ref::<Literal>()?.value() {
        ScalarValue::Int32(code) => *code,
        _ => None,
    }
}

/// Whether `condition` has a value for every row: comparisons of what is read, and their connections.
fn never_fails(condition: &Arc<dyn PhysicalExpr>) -> bool {
    let connects = match condition.downcast_ref::<BinaryExpr>() {
        Some(binary) => compares(*binary.op()),
        None => {
            condition.is::<Column>()
                || condition.is::<Literal>()
                || condition.is::<NotExpr>()
                || condition.is::<IsNullExpr>()
                || condition.is::<IsNotNullExpr>()
                || condition.is::<InListExpr>()
        }
    };
    connects && condition.children().into_iter().all(never_fails)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_mask_and_no_others() {
        for rows in [0, 1, 63, 64, 65, 200] {
            for every in [1, 2, 7] {
                let holds: BooleanBuffer = (0..rows + 3).map(|row| row % every == 0).collect();
                // Where a mask begins within a byte.
                for from in [0, 3] {
                    let mut codes = vec![9; rows];
                    set(&mut codes, 4, &holds.slice(from, rows));
                    let expected: Vec<i32> =
                        (from..from + rows).map(|row| if row % every == 0 { 4 } else { 9 }).collect();
                    assert_eq!(codes, expected, "{rows} {every} {from}");
                }
            }
        }
    }
}
