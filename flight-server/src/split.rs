//! Batches to Flight messages of bounded encoded size.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_flight::{FlightData, SchemaAsIpc};
use prost::Message;
use tithe_engine::plain_size;

use crate::wire_schema::to_wire;

/// What gRPC clients accept in one message unless told otherwise.
pub(crate) const MESSAGE_LIMIT: usize = 4 * 1024 * 1024;

/// Room for the message's own header and the padding of its buffers.
const BODY_TARGET: usize = MESSAGE_LIMIT - 256 * 1024;

const ROWS_LIMIT: usize = 65_536;

/// Encodes the batches of one stream. A message holds at most 65,536 rows and, when encoded, [`MESSAGE_LIMIT`] bytes;
/// only a single row that is larger by itself makes a larger message.
pub(crate) struct Splitter {
    schema: SchemaRef,
    pending: Vec<RecordBatch>,
    generator: IpcDataGenerator,
    dictionaries: DictionaryTracker,
    options: IpcWriteOptions,
    context: IpcWriteContext,
}

impl Splitter {
    /// For a stream of `schema`, which [`crate::wire_schema::wire_schema`] made.
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            pending: Vec::new(),
            generator: IpcDataGenerator::default(),
            dictionaries: DictionaryTracker::new(true),
            options: IpcWriteOptions::default(),
            context: IpcWriteContext::default(),
        }
    }

    /// The message that opens the stream.
    pub(crate) fn opening(&self) -> FlightData {
        SchemaAsIpc::new(&self.schema, &self.options).into()
    }

    /// Adds a batch as the engine made it; call [`Splitter::message`] until it has nothing more.
    pub(crate) fn push(&mut self, batch: RecordBatch) {
        self.pending.push(batch);
    }

    /// The next message of what was pushed.
    pub(crate) fn message(&mut self) -> Result<Option<FlightData>, ArrowError> {
        while let Some(part) = self.pending.pop() {
            if part.num_rows() == 0 {
                continue;
            }
            if part.num_rows() > 1 && (part.num_rows() > ROWS_LIMIT || plain_size(&part) > BODY_TARGET) {
                self.halve(&part);
                continue;
            }
            let message = self.encode(&to_wire(&part, &self.schema)?)?;
            if part.num_rows() > 1 && message.encoded_len() > MESSAGE_LIMIT {
                self.halve(&part);
                continue;
            }
            return Ok(Some(message));
        }
        Ok(None)
    }

    fn halve(&mut self, part: &RecordBatch) {
        let middle = part.num_rows() / 2;
        self.pending.push(part.slice(middle, part.num_rows() - middle));
        self.pending.push(part.slice(0, middle));
    }

    fn encode(&mut self, part: &RecordBatch) -> Result<FlightData, ArrowError> {
        let (dictionaries, encoded) =
            self.generator.encode(part, &mut self.dictionaries, &self.options, &mut self.context)?;
        if !dictionaries.is_empty() {
            return Err(ArrowError::SchemaError(
                "a dictionary came where plain values were announced".to_owned(),
            ));
        }
        Ok(encoded.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, ArrayRef, BinaryArray, DictionaryArray, Int64Array, ListArray, RecordBatchOptions,
        StringArray, StringViewArray, StructArray,
    };
    use arrow::buffer::OffsetBuffer;
    use arrow::compute::concat_batches;
    use arrow::datatypes::{DataType, Field, Int32Type, Schema};
    use arrow_flight::utils::flight_data_to_batches;

    use super::*;
    use crate::wire_schema::wire_schema;

    fn split(batch: &RecordBatch) -> Vec<FlightData> {
        let mut splitter = Splitter::new(wire_schema(&batch.schema()));
        let mut messages = vec![splitter.opening()];
        splitter.push(batch.clone());
        while let Some(message) = splitter.message().unwrap() {
            messages.push(message);
        }
        messages
    }

    fn check(column: ArrayRef, most: usize) {
        let batch = RecordBatch::try_from_iter([("c", column)]).unwrap();
        let messages = split(&batch);
        for message in &messages {
            assert!(message.encoded_len() <= MESSAGE_LIMIT, "{} bytes", message.encoded_len());
        }
        assert!(messages.len() <= most + 1, "{} messages", messages.len());
        let received = flight_data_to_batches(&messages).unwrap();
        let schema = wire_schema(&batch.schema());
        assert_eq!(concat_batches(&schema, &received).unwrap(), to_wire(&batch, &schema).unwrap());
    }

    fn skewed(rows: usize, large: usize) -> Vec<String> {
        (0..rows)
            .map(|row| if row % 1_000 == 999 { "稅".repeat(large / 3) } else { row.to_string() })
            .collect()
    }

    #[test]
    fn messages_are_bounded_and_lose_nothing() {
        check(Arc::new(Int64Array::from_iter_values(0..10)), 1);
        check(Arc::new(Int64Array::from_iter_values(0..2_000_000)), 32);
        check(Arc::new(StringArray::from(skewed(8_000, 1_500_000))), 16);
        check(Arc::new(StringViewArray::from(skewed(8_000, 1_500_000))), 16);
        let codes: DictionaryArray<Int32Type> = skewed(8_000, 1_500_000).iter().map(String::as_str).collect();
        check(Arc::new(codes), 16);
        let repeated: DictionaryArray<Int32Type> = std::iter::repeat_n("y".repeat(1_000_000), 9)
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str)
            .collect();
        check(Arc::new(repeated), 4);
        let bytes = vec![7_u8; 3_000_000];
        check(Arc::new(BinaryArray::from_vec(vec![&bytes, &bytes, &bytes])), 3);
        let lists = (0..5_000).map(|row| Some((0..row % 400).map(Some)));
        check(Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists)), 4);
    }

    #[test]
    fn slices_are_measured_by_what_they_hold() {
        let all = Int64Array::from_iter_values(0..1_000_000);
        check(Arc::new(all.slice(999_000, 1_000)), 1);
        let text = StringViewArray::from(skewed(8_000, 1_500_000));
        check(Arc::new(text.slice(0, 500)), 1);
        let items = Arc::new(StringViewArray::from(skewed(8_000, 1_500_000)));
        let field = Arc::new(Field::new_list_field(DataType::Utf8View, true));
        let lists = ListArray::new(field, OffsetBuffer::from_lengths([1; 8_000]), items, None);
        check(Arc::new(lists.slice(0, 500)), 1);
        let field = Arc::new(Field::new("list", lists.data_type().clone(), true));
        check(Arc::new(StructArray::from(vec![(field, Arc::new(lists) as ArrayRef)])), 16);
    }

    #[test]
    fn one_row_larger_than_a_message_is_sent_whole() {
        let batch = RecordBatch::try_from_iter([(
            "c",
            Arc::new(StringArray::from(vec!["a".to_owned(), "b".repeat(5_000_000), "c".to_owned()]))
                as ArrayRef,
        )])
        .unwrap();
        let sizes: Vec<_> =
            split(&batch).iter().map(|message| message.encoded_len() > MESSAGE_LIMIT).collect();
        assert_eq!(sizes, [false, false, true, false]);
    }

    #[test]
    fn rows_without_columns_are_counted() {
        let rows = RecordBatchOptions::new().with_row_count(Some(3));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &rows).unwrap();
        let received = flight_data_to_batches(&split(&batch)).unwrap();
        assert_eq!(received.iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
    }
}
