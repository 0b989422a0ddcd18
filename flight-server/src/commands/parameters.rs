//! Values for the parameters of a prepared statement: which there are, and what a client bound to them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::buffer::Buffer;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Date64Type, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use datafusion::common::ScalarValue;
use futures::{FutureExt, TryStreamExt, stream};
use prost::Message;
use tithe_engine::Query;
use tonic::Status;

use super::upload::Upload;
use crate::status;
use crate::wire_schema::wire_schema;

/// The values travel in the statement's handle, which clients send back with every call.
const MOST_BYTES: usize = 1 << 20;
/// Those of an update are written at once.
const MOST_UPDATE_BYTES: usize = 64 << 20;

/// A field per parameter, in the order in which they are bound; `Null` is a type that the statement does not tell.
pub(super) fn schema(query: &Query) -> Result<SchemaRef, Status> {
    let fields = query.logical_plan().get_parameter_fields().map_err(status::from_execution)?;
    let mut types = BTreeMap::new();
    for (name, field) in fields.into_iter().collect::<BTreeMap<_, _>>() {
        let number: usize = name.trim_start_matches('$').parse().map_err(|_not_a_number| {
            Status::invalid_argument(format!(
                "the parameter {} has no number: write ? for every parameter, or $1, $2 and so on",
                status::excerpt(&name)
            ))
        })?;
        types.insert(number, field.map_or(DataType::Null, |field| field.data_type().clone()));
    }
    if types.keys().copied().ne(1..=types.len()) {
        return Err(Status::invalid_argument(
            "the statement's parameters are not numbered from $1 on without a gap: number them so",
        ));
    }
    let fields: Vec<Field> =
        types.into_iter().map(|(number, kind)| Field::new(format!("${number}"), kind, true)).collect();
    Ok(wire_schema(&Schema::new(fields)))
}

/// The fields of `count` parameters whose types the statement does not tell.
pub(super) fn untold(count: usize) -> SchemaRef {
    let field = |number| Field::new(format!("${number}"), DataType::Null, true);
    Arc::new(Schema::new((1..=count).map(field).collect::<Vec<_>>()))
}

/// What is read by whoever runs a statement without values for its parameters.
pub(super) fn require_none(parameters: &Schema) -> Result<(), Status> {
    match parameters.fields().len() {
        0 => Ok(()),
        many => Err(Status::invalid_argument(format!(
            "the statement has {many} parameter(s) without a value: prepare it and bind the values"
        ))),
    }
}

/// What is read by whoever sends an update without values for its `count` parameters.
pub(super) fn missing(count: usize) -> Status {
    Status::invalid_argument(format!(
        "the statement has {count} parameter(s) without a value: bind the values"
    ))
}

/// That an update to which nothing was bound has no parameters.
pub(super) fn require_none_open(query: &Query, unbound: bool) -> Result<(), Status> {
    match unbound {
        true => require_none(schema(query)?.as_ref()),
        false => Ok(()),
    }
}

/// The rows of values that a client uploads with an update, or none where it has none to bind.
pub(super) async fn receive_for_update(upload: Upload) -> Result<Option<RecordBatch>, Status> {
    let values = receive_at_most(MOST_UPDATE_BYTES, upload).await?;
    if values.num_columns() == 0 {
        return Ok(None);
    }
    check(&values, values.schema_ref())?;
    Ok(Some(values))
}

/// The rows of values that a client uploads.
pub(super) async fn receive(upload: Upload) -> Result<RecordBatch, Status> {
    receive_at_most(MOST_BYTES, upload).await
}

async fn receive_at_most(most: usize, upload: Upload) -> Result<RecordBatch, Status> {
    let mut bytes = 0;
    let mut messages = Vec::new();
    let mut sent = pin!(upload.messages());
    while let Some(message) = sent.try_next().await? {
        // Some say what they send in a message of its own.
        if message.data_header.is_empty() {
            continue;
        }
        bytes += message.encoded_len();
        if bytes > most {
            return Err(too_large(most));
        }
        messages.push(message);
    }
    let unreadable = |reason: String| {
        let reason = format!("the values of the parameters cannot be read as Arrow data: {reason}");
        Status::invalid_argument(status::sentence(&reason))
    };
    let mut stream = FlightRecordBatchStream::new_from_flight_data(stream::iter(
        messages.into_iter().map(Ok::<_, FlightError>),
    ));
    let mut batches = Vec::new();
    loop {
        // Arrow stops with a panic at buffers that are shorter than their message says.
        let next = AssertUnwindSafe(stream.try_next()).catch_unwind().await;
        let next = next.map_err(|_panic| unreadable("a message is shorter than it says".to_owned()))?;
        match next.map_err(|error| unreadable(error.to_string()))? {
            Some(batch) => batches.push(batch),
            None => break,
        }
    }
    let schema = stream.schema().cloned().unwrap_or_else(|| Arc::new(Schema::empty()));
    // NULLs without a type take no bytes, however many there are.
    if batches.iter().map(RecordBatch::num_rows).fold(0, usize::saturating_add) > most {
        return Err(Status::resource_exhausted(format!(
            "more than {most} rows of values were bound: bind fewer at once"
        )));
    }
    concat_batches(&schema, &batches).map_err(|error| unreadable(error.to_string()))
}

/// That `values` are for `parameters`.
pub(super) fn check(values: &RecordBatch, parameters: &Schema) -> Result<(), Status> {
    let (given, wanted) = (values.num_columns(), parameters.fields().len());
    if given != wanted {
        return Err(Status::invalid_argument(format!(
            "the statement has {wanted} parameter(s), and {given} value(s) were bound: bind one for each"
        )));
    }
    if wanted > 0 && values.num_rows() == 0 {
        return Err(Status::invalid_argument("no row of values was bound: bind at least one"));
    }
    match values.columns().iter().position(holds_no_date) {
        Some(place) => Err(Status::invalid_argument(format!(
            "the value of parameter {} is no date: bind one that lies within some hundred thousand years",
            place + 1
        ))),
        None => Ok(()),
    }
}

/// DataFusion stops with a panic where it writes the least number of milliseconds as a date.
fn holds_no_date(column: &ArrayRef) -> bool {
    column
        .as_primitive_opt::<Date64Type>()
        .is_some_and(|dates| dates.iter().flatten().any(|date| date == i64::MIN))
}

/// `values` for a handle.
pub(super) fn encode(values: &RecordBatch) -> Result<Vec<u8>, Status> {
    let write = || {
        let mut writer = StreamWriter::try_new(Vec::new(), values.schema_ref())?;
        writer.write(values)?;
        writer.into_inner()
    };
    let bytes: Vec<u8> = write().map_err(|error: ArrowError| status::from_arrow(&error))?;
    if bytes.len() > MOST_BYTES {
        return Err(too_large(MOST_BYTES));
    }
    Ok(bytes)
}

/// The values in a handle as they were bound.
pub(super) fn batches(bytes: &[u8]) -> Result<Vec<RecordBatch>, Status> {
    let read = || {
        // A reader would make room for as many bytes as a message says that it has, and a handle comes from a client:
        // this takes what is there.
        let (mut decoder, mut left) = (StreamDecoder::new(), Buffer::from(bytes));
        let mut batches = Vec::new();
        while !left.is_empty() {
            batches.extend(decoder.decode(&mut left)?);
        }
        decoder.finish()?;
        Ok(batches)
    };
    // As above.
    let read = catch_unwind(AssertUnwindSafe(read)).map_err(|_panic| broken())?;
    let batches: Vec<RecordBatch> = read.map_err(|_unreadable: ArrowError| broken())?;
    // NULLs without a type take no bytes, however many there are.
    match batches.iter().map(RecordBatch::num_rows).fold(0, usize::saturating_add) > MOST_UPDATE_BYTES {
        true => Err(broken()),
        false => Ok(batches),
    }
}

/// The rows of values in a handle, of which there is at least one.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Vec<ScalarValue>>, Status> {
    let batches = batches(bytes)?;
    if batches.iter().map(RecordBatch::num_rows).fold(0, usize::saturating_add) > MOST_BYTES {
        return Err(broken());
    }
    let mut rows = Vec::new();
    for batch in batches {
        if batch.columns().iter().any(holds_no_date) {
            return Err(broken());
        }
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| ScalarValue::try_from_array(column, row));
            let values: Result<Vec<_>, _> = values.collect();
            rows.push(values.map_err(|_unreadable| broken())?);
        }
    }
    match rows.first() {
        Some(row) if !row.is_empty() => Ok(rows),
        _ => Err(broken()),
    }
}

fn broken() -> Status {
    Status::invalid_argument("the statement's handle is broken: prepare the statement again")
}

fn too_large(most: usize) -> Status {
    Status::resource_exhausted(format!(
        "the values of the parameters take more than {} MiB: bind fewer rows at once",
        most >> 20
    ))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, NullArray, StringArray};

    use super::*;

    #[test]
    fn values_survive_the_handle_and_garbage_does_not() {
        let numbers = Int64Array::from(vec![Some(1), None]);
        let names = StringArray::from(vec!["稅", "'; DROP TABLE x; --"]);
        let batch =
            RecordBatch::try_from_iter([("0", Arc::new(numbers) as _), ("1", Arc::new(names) as _)]).unwrap();
        let bytes = encode(&batch).unwrap();
        let rows = decode(&bytes).unwrap();
        assert_eq!(rows[1], [ScalarValue::Int64(None), ScalarValue::from("'; DROP TABLE x; --")]);
        for end in [0, 1, 8, 64] {
            assert!(decode(&bytes[..end]).is_err(), "{end} bytes");
        }
        assert!(decode(&encode(&batch.slice(0, 0)).unwrap()).is_err());
    }

    #[test]
    fn rows_that_take_no_bytes_are_bounded() {
        let nulls = |rows| RecordBatch::try_from_iter([("0", Arc::new(NullArray::new(rows)) as _)]).unwrap();
        assert_eq!(decode(&encode(&nulls(3)).unwrap()).unwrap().len(), 3);
        assert!(decode(&encode(&nulls(1 << 40)).unwrap()).is_err());
    }

    /// An answer or a refusal, and no room for what is only said to be there.
    #[test]
    fn any_bit_may_be_wrong() {
        let names = StringArray::from(vec!["稅"]);
        let batch = RecordBatch::try_from_iter([("0", Arc::new(names) as _)]).unwrap();
        let bytes = encode(&batch).unwrap();
        for place in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            if let Ok(rows) = decode(&flipped) {
                assert!(!rows.is_empty(), "bit {place}");
            }
        }
    }
}
