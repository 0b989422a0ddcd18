//! Texts without what nobody looks at.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericByteViewArray, RecordBatch};
use arrow::datatypes::{ByteViewType, DataType};
use datafusion::common::Result;

/// What texts may point into, as many times what they are. To copy them costs more than so much memory.
const TIMES: usize = 2;

/// `batch`, whose views of texts point into buffers of their own where they pointed into much larger ones, and more than `wasted`
/// bytes besides.
///
/// # Errors
/// When columns cannot be put together.
pub(super) fn compact(batch: &RecordBatch, wasted: usize) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    let mut changed = false;
    for column in &mut columns {
        let texts: Option<ArrayRef> = match column.data_type() {
            DataType::Utf8View => {
                own_buffers(column.as_string_view(), wasted).map(|texts| Arc::new(texts) as ArrayRef)
            }
            DataType::BinaryView => {
                own_buffers(column.as_binary_view(), wasted).map(|texts| Arc::new(texts) as ArrayRef)
            }
            _ => None,
        };
        if let Some(texts) = texts {
            *column = texts;
            changed = true;
        }
    }
    match changed {
        true => Ok(RecordBatch::try_new(batch.schema(), columns)?),
        false => Ok(batch.clone()),
    }
}

fn own_buffers<T: ByteViewType + ?Sized>(
    texts: &GenericByteViewArray<T>,
    wasted: usize,
) -> Option<GenericByteViewArray<T>> {
    let held: usize = texts.data_buffers().iter().map(|buffer| buffer.capacity()).sum();
    let used = texts.total_buffer_bytes_used() + size_of_val(texts.views().as_ref());
    (held > (TIMES * used).max(used.saturating_add(wasted))).then(|| texts.gc())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringViewArray};
    use datafusion::common::utils::memory::get_record_batch_memory_size;

    use super::*;

    fn batch() -> RecordBatch {
        let texts: StringViewArray = (0..10_000).map(|row| Some(format!("發票品項名稱 {row:020}"))).collect();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
        RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef), ("number", numbers)]).unwrap()
    }

    fn buffer(batch: &RecordBatch) -> *const u8 {
        batch.column(0).as_string_view().data_buffers()[0].as_ptr()
    }

    #[test]
    fn parts_of_batches_hold_their_own_texts_alone() {
        let part = batch().slice(5000, 100);
        assert!(get_record_batch_memory_size(&part) > 300_000);
        let compacted = compact(&part, 0).unwrap();
        assert_eq!(compacted, part);
        let texts = compacted.column(0).as_string_view();
        let held: usize = texts.data_buffers().iter().map(|buffer| buffer.capacity()).sum();
        assert!((3900..5000).contains(&held), "{held}");
        assert_eq!(buffer(&compact(&part, 1 << 20).unwrap()), buffer(&part));
    }

    #[test]
    fn whole_batches_are_left_alone() {
        let batch = batch();
        let compacted = compact(&batch, 0).unwrap();
        assert_eq!(
            compacted.column(0).to_data().buffers()[1].as_ptr(),
            batch.column(0).to_data().buffers()[1].as_ptr()
        );
    }
}
