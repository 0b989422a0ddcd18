//! Lines to batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_json::ReaderBuilder;

use crate::error::{EngineError, Result};
use crate::ingest::json_lines::blocks::Block;
use crate::ingest::json_lines::fit::{Misfit, Unfit, fit};

/// A decoder for the columns of one scan.
#[derive(Debug, Clone)]
pub(super) struct LineDecoder {
    schema: SchemaRef,
    /// Whole numbers arrive as the text of the file: the JSON decoder would cut 1.5 to 1.
    wire: SchemaRef,
    skip_bad_lines: bool,
}

/// A batch and what was left out of it.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) batch: RecordBatch,
    pub(super) lines_skipped: usize,
    pub(super) values_nulled: usize,
}

impl LineDecoder {
    pub(super) fn new(schema: SchemaRef, skip_bad_lines: bool) -> Self {
        let wire = Arc::new(Schema::new(schema.fields().iter().map(wire_field).collect::<Fields>()));
        Self { schema, wire, skip_bad_lines }
    }

    /// Decodes `block`, a part of the file at `path`.
    ///
    /// Every line is one row, whatever block it is in and whatever columns are asked for: a line that is no JSON
    /// object is skipped or an error, a value that does not fit its column is NULL or an error.
    pub(super) fn decode(&self, block: &Block, path: &str) -> Result<Decoded> {
        let lines: Vec<&[u8]> = block.lines().map(|(_, line)| line).collect();
        if let Ok(batch) = self.decode_lines(&lines) {
            return Ok(Decoded { batch, lines_skipped: 0, values_nulled: 0 });
        }
        let (mut lines_skipped, mut values_nulled) = (0, 0);
        let mut good: Vec<Vec<u8>> = Vec::new();
        let misfit = if self.skip_bad_lines { Misfit::Null } else { Misfit::Refuse };
        for (number, line) in block.lines() {
            if self.decode_lines(&[line]).is_ok() {
                good.push(line.to_vec());
                continue;
            }
            match fit(line, self.schema.fields(), misfit) {
                Ok(fitted) => {
                    values_nulled += fitted.nulled;
                    good.push(fitted.text);
                }
                Err(Unfit::NotAnObject(_)) if self.skip_bad_lines => lines_skipped += 1,
                Err(Unfit::NotAnObject(reason) | Unfit::Value(reason)) => {
                    return Err(EngineError::Line { path: path.to_owned(), line: number, reason });
                }
            }
        }
        let good: Vec<&[u8]> = good.iter().map(Vec::as_slice).collect();
        let batch = self
            .decode_lines(&good)
            .map_err(|error| EngineError::File { path: path.to_owned(), reason: error.to_string() })?;
        Ok(Decoded { batch, lines_skipped, values_nulled })
    }

    fn decode_lines(&self, lines: &[&[u8]]) -> std::result::Result<RecordBatch, ArrowError> {
        let mut decoder = ReaderBuilder::new(Arc::clone(&self.wire))
            .with_batch_size(lines.len().max(1))
            .with_coerce_primitive(true)
            .build_decoder()?;
        for (i, line) in lines.iter().enumerate() {
            let read = decoder.decode(line)?;
            let rest = line.get(read..).unwrap_or_default();
            let whole = rest.iter().all(u8::is_ascii_whitespace);
            if !whole || decoder.has_partial_record() || decoder.len() != i + 1 {
                return Err(ArrowError::JsonError("not one object".to_owned()));
            }
        }
        match decoder.flush()? {
            Some(batch) => self.typed(&batch),
            None => Ok(RecordBatch::new_empty(Arc::clone(&self.schema))),
        }
    }

    fn typed(&self, batch: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let columns = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| match column.data_type() == field.data_type() {
                true => Ok(Arc::clone(column)),
                false => cast_with_options(column, field.data_type(), &strict),
            })
            .collect::<std::result::Result<Vec<ArrayRef>, ArrowError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }
}

fn wire_field(field: &FieldRef) -> FieldRef {
    let kind = match field.data_type() {
        DataType::Int64 => DataType::Utf8,
        DataType::List(item) => DataType::List(wire_field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(wire_field).collect()),
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), kind, true))
}
