//! Near in several columns at once: Morton's order of the values' ranks.
//!
//! Each value becomes its rank among the quantiles of a sample, so that a column counts by how its rows are spread and
//! not by its unit, and the bits of the ranks are interleaved, the first column foremost.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// Bits of a rank.
const BITS: u32 = 10;
/// As many as have room in 64 bits.
pub(super) const MOST_COLUMNS: usize = 6;
/// The name of the function in a layout's own session.
pub(super) const FUNCTION: &str = "tithe_z_order";

/// The ranks of one column's values.
struct Ranks {
    converter: RowConverter,
    /// One value less than there are ranks, ascending.
    bounds: Vec<OwnedRow>,
}

impl Ranks {
    fn of(sample: &ArrayRef) -> Result<Self, DataFusionError> {
        let converter = RowConverter::new(vec![SortField::new(sample.data_type().clone())])?;
        let rows = converter.convert_columns(std::slice::from_ref(sample))?;
        let mut sorted: Vec<_> = rows.iter().collect();
        sorted.sort_unstable();
        let ranks = 1_usize << BITS;
        let bounds = (1..ranks)
            .filter_map(|rank| sorted.get(rank * sorted.len() / ranks))
            .map(|row| row.owned())
            .collect();
        Ok(Self { converter, bounds })
    }

    fn ranks(&self, values: &ArrayRef) -> Result<Vec<u64>, DataFusionError> {
        let rows = self.converter.convert_columns(std::slice::from_ref(values))?;
        let rank = |row| self.bounds.partition_point(|bound| bound.row() <= row);
        Ok(rows.iter().map(|row| u64::try_from(rank(row)).unwrap_or(u64::MAX)).collect())
    }
}

/// The function that gives the place of a row among others, from its values of the columns of `sample`.
///
/// # Errors
/// When a column has no order.
pub(super) fn z_order(sample: &RecordBatch) -> Result<ScalarUDF, DataFusionError> {
    let types: Vec<DataType> =
        sample.schema_ref().fields().iter().map(|field| field.data_type().clone()).collect();
    let ranks = sample.columns().iter().map(Ranks::of).collect::<Result<Vec<_>, _>>()?;
    let ranks = Arc::new(ranks);
    let place = move |values: &[ColumnarValue]| {
        let values = ColumnarValue::values_to_arrays(values)?;
        let ranks = ranks.iter().zip(&values).map(|(ranks, values)| ranks.ranks(values));
        let ranks = ranks.collect::<Result<Vec<_>, _>>()?;
        let rows = values.first().map_or(0, |values| values.len());
        let places =
            (0..rows).map(|row| interleave(ranks.iter().filter_map(|ranks| ranks.get(row).copied())));
        Ok(ColumnarValue::Array(Arc::new(UInt64Array::from_iter_values(places))))
    };
    Ok(create_udf(FUNCTION, types, DataType::UInt64, Volatility::Immutable, Arc::new(place)))
}

/// The highest bits of all ranks, then the next, and so on.
fn interleave(ranks: impl Iterator<Item = u64> + Clone) -> u64 {
    let mut place = 0;
    for bit in (0..BITS).rev() {
        for rank in ranks.clone() {
            place = (place << 1) | ((rank >> bit) & 1);
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;

    #[test]
    fn bits_are_interleaved_from_the_highest() {
        let check = |ranks: &[u64], expected: u64| {
            assert_eq!(interleave(ranks.iter().copied()), expected, "{ranks:?}");
        };
        check(&[0b11], 0b11);
        check(&[0b10, 0b01], 0b1001);
        check(&[0b11, 0b00], 0b1010);
        check(&[0b1, 0b1, 0b0], 0b110);
        check(&[(1 << BITS) - 1; MOST_COLUMNS], (1 << 60) - 1);
    }

    #[test]
    fn ranks_follow_how_values_are_spread_and_not_their_unit() {
        let skewed: Vec<i64> = (0..4096).map(|n| if n < 4000 { n } else { n * 1_000_000 }).collect();
        let column = Arc::new(Int64Array::from(skewed)) as ArrayRef;
        let ranks = Ranks::of(&column).unwrap().ranks(&column).unwrap();
        assert!(ranks.is_sorted());
        assert_eq!((ranks[0], ranks[2048], ranks[4095]), (0, 512, 1023));
        let nulls = Arc::new(Int64Array::from(vec![None, Some(1), None])) as ArrayRef;
        let ranks = Ranks::of(&nulls).unwrap().ranks(&nulls).unwrap();
        assert_eq!(ranks[0], ranks[2]);
        assert!(ranks[0] < ranks[1]);
    }
}
