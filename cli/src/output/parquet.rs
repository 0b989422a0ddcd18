//! Parquet, compressed with zstd; at most one row group is held in memory.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::failure::Result;
use crate::output::{Destination, ResultWriter, failed};

const ROW_GROUP_BYTES: usize = 128 * 1024 * 1024;

pub(crate) struct ParquetWriter<'d> {
    writer: ArrowWriter<&'d mut Destination>,
}

impl<'d> ParquetWriter<'d> {
    pub(crate) fn new(schema: SchemaRef, destination: &'d mut Destination) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("tithe ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(destination, schema, Some(properties))
            .map_err(|error| failed("parquet", error))?;
        Ok(Self { writer })
    }
}

impl ResultWriter for ParquetWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| failed("parquet", error))?;
        if self.writer.in_progress_size() > ROW_GROUP_BYTES {
            self.writer.flush().map_err(|error| failed("parquet", error))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<u64> {
        self.writer.close().map_err(|error| failed("parquet", error))?;
        Ok(0)
    }
}
