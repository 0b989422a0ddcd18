//! Where partitions and equal rows begin.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::partition;
use datafusion::common::Result;
use datafusion::physical_plan::PhysicalExpr;

use super::calls::Calls;

/// The rows of a batch at which something else begins than there was in the row before, be that in the batch before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) rows: usize,
    /// Where a partition begins.
    pub(super) partitions: Vec<usize>,
    /// Where rows begin that equal each other: where a partition begins, too.
    pub(super) equals: Vec<usize>,
}

impl Steps {
    /// The last row of those that each row equals, as far as this batch tells.
    pub(super) fn last_equals(&self) -> impl Iterator<Item = usize> + '_ {
        let mut next =
            self.equals.iter().copied().skip_while(|start| *start == 0).chain([self.rows]).peekable();
        (0..self.rows).map(move |row| {
            next.next_if(|end| *end <= row);
            next.peek().copied().unwrap_or(self.rows).saturating_sub(1)
        })
    }
}

/// Finds the steps of one batch after the other.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Of the last row: what makes partitions, and what makes equal rows.
    last: Option<[Vec<ArrayRef>; 2]>,
}

impl Walk {
    /// The steps of `batch`, which has rows.
    ///
    /// # Errors
    /// When a key cannot be computed or compared.
    pub(super) fn steps(&mut self, calls: &Calls, batch: &RecordBatch) -> Result<Steps> {
        let of = |key: &Arc<dyn PhysicalExpr>| key.evaluate(batch)?.into_array(batch.num_rows());
        let partition_keys = calls.partition_keys.iter().map(of).collect::<Result<Vec<_>>>()?;
        let order_keys = calls.order_keys.iter().map(of).collect::<Result<Vec<_>>>()?;
        let rows = batch.num_rows();
        let before = self.last.take();
        let before = before.as_ref().map(|[partition, order]| [partition.as_slice(), order.as_slice()]);
        let partition_before = before.map(|[partition, _order]| partition);
        let partitions = starts(&partition_keys, partition_before, rows)?;
        // Ordered within a partition alone: a row may equal the last one of the partition before.
        let mut equals = starts(&order_keys, before.map(|[_partition, order]| order), rows)?;
        equals.extend_from_slice(&partitions);
        equals.sort_unstable();
        equals.dedup();
        let last = |keys: &[ArrayRef]| keys.iter().map(|key| key.slice(rows - 1, 1)).collect();
        self.last = Some([last(&partition_keys), last(&order_keys)]);
        Ok(Steps { rows, partitions, equals })
    }
}

/// The rows whose `keys` are others than those of the row before.
fn starts(keys: &[ArrayRef], before: Option<&[ArrayRef]>, rows: usize) -> Result<Vec<usize>> {
    let inner = match keys {
        [] => Vec::new(),
        keys => partition(keys)?.ranges().into_iter().map(|range| range.start).skip(1).collect(),
    };
    let continued = match before {
        Some(before) => continues(keys, before)?,
        None => false,
    };
    debug_assert!(rows > 0, "an empty batch has no first row");
    Ok(if continued { inner } else { [0].into_iter().chain(inner).collect() })
}

/// Whether the first row of `keys` equals `before`; NULLs are equal.
fn continues(keys: &[ArrayRef], before: &[ArrayRef]) -> Result<bool> {
    for (key, before) in keys.iter().zip(before) {
        if !not_distinct(&key.slice(0, 1), before)?.value(0) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use datafusion::physical_expr::expressions::Column;

    use super::*;

    fn batch(partition: &[Option<&str>], order: &[i64]) -> RecordBatch {
        let partition: ArrayRef = Arc::new(StringArray::from(partition.to_vec()));
        let order: ArrayRef = Arc::new(Int64Array::from(order.to_vec()));
        RecordBatch::try_from_iter([("p", partition), ("o", order)]).unwrap()
    }

    fn calls(partition: bool, order: bool) -> Calls {
        let key = |name: &str, index| Arc::new(Column::new(name, index)) as Arc<dyn PhysicalExpr>;
        Calls {
            partition_keys: partition.then(|| key("p", 0)).into_iter().collect(),
            order_keys: order.then(|| key("o", 1)).into_iter().collect(),
            calls: Vec::new(),
        }
    }

    #[test]
    fn steps_go_on_in_the_next_batch() {
        let mut walk = Walk::default();
        let both = calls(true, true);
        let first = batch(&[None, None, Some("a"), Some("a"), Some("a")], &[1, 1, 1, 1, 2]);
        let steps = walk.steps(&both, &first).unwrap();
        assert_eq!(steps, Steps { rows: 5, partitions: vec![0, 2], equals: vec![0, 2, 4] });
        assert_eq!(steps.last_equals().collect::<Vec<_>>(), [1, 1, 3, 3, 4]);
        let steps = walk.steps(&both, &batch(&[Some("a"), Some("a"), Some("b")], &[2, 3, 3])).unwrap();
        assert_eq!(steps, Steps { rows: 3, partitions: vec![2], equals: vec![1, 2] });
        assert_eq!(steps.last_equals().collect::<Vec<_>>(), [0, 1, 2]);
        let steps = walk.steps(&both, &batch(&[Some("b"), Some("b")], &[3, 3])).unwrap();
        assert_eq!(steps, Steps { rows: 2, partitions: vec![], equals: vec![] });
        assert_eq!(steps.last_equals().collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn without_keys_all_rows_are_of_one_partition() {
        let rows = batch(&[Some("a"), Some("b")], &[1, 2]);
        for (order, equals) in [(true, vec![0, 1]), (false, vec![0])] {
            let mut walk = Walk::default();
            let steps = walk.steps(&calls(false, order), &rows).unwrap();
            assert_eq!(steps, Steps { rows: 2, partitions: vec![0], equals });
            assert!(walk.steps(&calls(false, order), &rows).unwrap().partitions.is_empty());
        }
    }
}
