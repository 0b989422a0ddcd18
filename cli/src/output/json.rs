//! JSON: one array of objects, or one object a line. NULL is written, so that every object has every key.

use arrow::array::RecordBatch;
use arrow::json::WriterBuilder;
use arrow::json::writer::{JsonArray, LineDelimited, Writer};
use std::io::Write;

use crate::failure::Result;
use crate::output::{Destination, ResultWriter, failed};

pub(crate) struct JsonWriter<'d> {
    writer: Writer<&'d mut Destination, JsonArray>,
}

impl<'d> JsonWriter<'d> {
    pub(crate) fn new(destination: &'d mut Destination) -> Self {
        Self { writer: WriterBuilder::new().with_explicit_nulls(true).build(destination) }
    }
}

impl ResultWriter for JsonWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| failed("json", error))
    }

    fn finish(mut self: Box<Self>) -> Result<u64> {
        self.writer.finish().map_err(|error| failed("json", error))?;
        let destination = self.writer.into_inner();
        writeln!(destination).map_err(|error| destination.io_failure(&error))?;
        Ok(0)
    }
}

pub(crate) struct LinesWriter<'d> {
    writer: Writer<&'d mut Destination, LineDelimited>,
}

impl<'d> LinesWriter<'d> {
    pub(crate) fn new(destination: &'d mut Destination) -> Self {
        Self { writer: WriterBuilder::new().with_explicit_nulls(true).build(destination) }
    }
}

impl ResultWriter for LinesWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| failed("ndjson", error))
    }

    fn finish(mut self: Box<Self>) -> Result<u64> {
        self.writer.finish().map_err(|error| failed("ndjson", error))?;
        Ok(0)
    }
}
