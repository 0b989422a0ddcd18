//! Comma-separated values with a header; NULL is an empty field.

use arrow::array::RecordBatch;
use arrow::csv::{Writer, WriterBuilder};
use arrow::datatypes::Schema;

use crate::failure::{Failure, Result};
use crate::output::{Destination, ResultWriter, failed};

pub(crate) struct CsvWriter<'d> {
    writer: Writer<&'d mut Destination>,
}

impl<'d> CsvWriter<'d> {
    pub(crate) fn new(schema: &Schema, destination: &'d mut Destination) -> Result<Self> {
        if let Some(field) = schema.fields().iter().find(|field| field.data_type().is_nested()) {
            return Err(Failure::failed(format!(
                "column {:?} is a {} and CSV has no nested values: select its parts, use unnest(), or write \
                 json, ndjson, arrow or parquet",
                field.name(),
                field.data_type(),
            )));
        }
        let mut writer = WriterBuilder::new().with_header(true).build(destination);
        // The header stands even when no row follows.
        writer
            .write(&RecordBatch::new_empty(std::sync::Arc::new(schema.clone())))
            .map_err(|error| failed("csv", error))?;
        Ok(Self { writer })
    }
}

impl ResultWriter for CsvWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| failed("csv", error))
    }

    fn finish(self: Box<Self>) -> Result<u64> {
        Ok(0)
    }
}
