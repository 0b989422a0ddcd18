//! How large a batch is for whoever receives it.

use arrow::array::{Array, AsArray, OffsetSizeTrait, RecordBatch};
use arrow::compute::cast;
use arrow::compute::kernels::aggregate::sum;
use arrow::compute::kernels::length::length;
use arrow::datatypes::{DataType, Int64Type};

/// Bytes of the values of `batch` once they are sent: views and dictionaries in plain form, of slices what they hold,
/// without headers, padding and the validity of some types.
#[must_use]
pub fn plain_size(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column_estimate(column.as_ref())).sum()
}

fn column_estimate(column: &dyn Array) -> usize {
    let rows = column.len();
    match column.data_type() {
        DataType::Utf8View | DataType::BinaryView => text_bytes(column).unwrap_or(0) + 4 * rows,
        DataType::Dictionary(_, values) if values.is_string() || values.is_binary() => {
            text_bytes(column).unwrap_or(0) + 4 * rows
        }
        DataType::Dictionary(_, values) => values.primitive_width().unwrap_or(16) * rows,
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            item_estimate(list.values(), list.value_offsets()) + 4 * rows
        }
        DataType::LargeList(_) => {
            let list = column.as_list::<i64>();
            item_estimate(list.values(), list.value_offsets()) + 8 * rows
        }
        DataType::Map(..) => {
            let map = column.as_map();
            item_estimate(map.entries(), map.value_offsets()) + 4 * rows
        }
        DataType::Struct(_) => {
            column.as_struct().columns().iter().map(|column| column_estimate(column.as_ref())).sum()
        }
        _ => column
            .to_data()
            .get_slice_memory_size()
            .unwrap_or_else(|_unsupported| column.get_buffer_memory_size()),
    }
}

/// Of the items of a list, which a slice of it shares with the others.
fn item_estimate<O: OffsetSizeTrait>(items: &dyn Array, offsets: &[O]) -> usize {
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return 0 };
    let (first, last) = (first.as_usize(), last.as_usize());
    column_estimate(items.slice(first, last.saturating_sub(first)).as_ref())
}

fn text_bytes(column: &dyn Array) -> Option<usize> {
    let lengths = cast(&length(column).ok()?, &DataType::Int64).ok()?;
    usize::try_from(sum(lengths.as_primitive::<Int64Type>())?).ok()
}
