//! Arrow IPC: the file form for files, the stream form for pipes.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use crate::failure::Result;
use crate::output::{Destination, ResultWriter, failed};

pub(crate) enum ArrowWriter<'d> {
    File(FileWriter<&'d mut Destination>),
    Stream(StreamWriter<&'d mut Destination>),
}

impl<'d> ArrowWriter<'d> {
    pub(crate) fn new(schema: &Schema, destination: &'d mut Destination) -> Result<Self> {
        let writer = if destination.is_file() {
            FileWriter::try_new(destination, schema).map(Self::File)
        } else {
            StreamWriter::try_new(destination, schema).map(Self::Stream)
        };
        writer.map_err(|error| failed("arrow", error))
    }
}

impl ResultWriter for ArrowWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::File(writer) => writer.write(batch),
            Self::Stream(writer) => writer.write(batch),
        }
        .map_err(|error| failed("arrow", error))
    }

    fn finish(mut self: Box<Self>) -> Result<u64> {
        match self.as_mut() {
            Self::File(writer) => writer.finish(),
            Self::Stream(writer) => writer.finish(),
        }
        .map_err(|error| failed("arrow", error))?;
        Ok(0)
    }
}
