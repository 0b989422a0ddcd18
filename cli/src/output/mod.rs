//! Results to bytes: one file per format, and where the bytes go.

mod arrow_ipc;
mod csv;
mod destination;
mod format;
mod json;
mod listing;
mod markdown;
mod parquet;
mod printable;
mod table;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::FormatOptions;

pub(crate) use destination::Destination;
pub(crate) use format::Format;
pub(crate) use listing::{frame, listing};
pub(crate) use printable::printable;

use crate::failure::{Failure, Result};

/// Writes the batches of one result in one format.
pub(crate) trait ResultWriter {
    /// Takes the next rows. Only `table` keeps any of them.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Writes what must come last. Gives the number of rows that were left out.
    fn finish(self: Box<Self>) -> Result<u64>;
}

/// A writer of `schema` in `format`. `max_rows` bounds what `table` shows.
pub(crate) fn writer<'d>(
    format: Format,
    schema: SchemaRef,
    max_rows: Option<usize>,
    destination: &'d mut Destination,
) -> Result<Box<dyn ResultWriter + 'd>> {
    Ok(match format {
        Format::Table => Box::new(table::TableWriter::new(&schema, max_rows, destination)),
        Format::Csv => Box::new(csv::CsvWriter::new(&schema, destination)?),
        Format::Json => Box::new(json::JsonWriter::new(destination)),
        Format::Ndjson => Box::new(json::LinesWriter::new(destination)),
        Format::Markdown => Box::new(markdown::MarkdownWriter::new(&schema, destination)?),
        Format::Arrow => Box::new(arrow_ipc::ArrowWriter::new(&schema, destination)?),
        Format::Parquet => Box::new(parquet::ParquetWriter::new(schema, destination)?),
    })
}

fn failed(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::failed(format!("cannot write the result as {what}: {error}"))
}

/// How values read in text formats: ISO 8601 dates, and a mark for NULL.
fn display_options(null: &str) -> FormatOptions<'_> {
    FormatOptions::new().with_null(null).with_display_error(true)
}

fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        other => other.is_numeric(),
    }
}
