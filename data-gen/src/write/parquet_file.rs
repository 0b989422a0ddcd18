use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::{Column, TableName};
use crate::error::GenerateError;

const ROWS_PER_GROUP: usize = 131_072;
const ROWS_PER_BATCH: usize = 8_192;

/// A row type of one table.
pub(crate) trait Record: Sized {
    /// Where its rows go.
    const TABLE: TableName;
    /// The table's columns, for any number of rows.
    fn columns(rows: &[Self]) -> Vec<Column>;
}

/// One Parquet file that rows are appended to.
pub(crate) struct Table<R> {
    path: PathBuf,
    writer: ArrowWriter<BufWriter<File>>,
    waiting: Vec<R>,
    rows: u64,
}

impl<R: Record> Table<R> {
    pub(crate) fn create(path: &Path) -> Result<Self, GenerateError> {
        let schema = batch::<R>(path, &[])?.schema();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("tithe-data-gen".to_owned())
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .set_statistics_enabled(EnabledStatistics::Page)
            .build();
        let file = File::create(path).map_err(GenerateError::io("create", path))?;
        let writer = ArrowWriter::try_new(BufWriter::new(file), schema, Some(properties))
            .map_err(GenerateError::parquet(path))?;
        Ok(Self { path: path.to_owned(), writer, waiting: Vec::new(), rows: 0 })
    }

    pub(crate) fn push(&mut self, row: R) -> Result<(), GenerateError> {
        self.waiting.push(row);
        if self.waiting.len() >= ROWS_PER_BATCH { self.flush() } else { Ok(()) }
    }

    pub(crate) fn extend(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), GenerateError> {
        rows.into_iter().try_for_each(|row| self.push(row))
    }

    fn flush(&mut self) -> Result<(), GenerateError> {
        let batch = batch(&self.path, &self.waiting)?;
        self.writer.write(&batch).map_err(GenerateError::parquet(&self.path))?;
        self.rows += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Completes the file and returns its number of rows.
    pub(crate) fn close(mut self) -> Result<u64, GenerateError> {
        self.flush()?;
        self.writer.close().map_err(GenerateError::parquet(&self.path))?;
        Ok(self.rows)
    }
}

/// Writes all `rows` as one file and returns their number.
pub(crate) fn write_parquet<R: Record>(path: &Path, rows: Vec<R>) -> Result<u64, GenerateError> {
    let mut table = Table::create(path)?;
    table.extend(rows)?;
    table.close()
}

fn batch<R: Record>(path: &Path, rows: &[R]) -> Result<RecordBatch, GenerateError> {
    let (fields, arrays): (Vec<_>, Vec<_>) = R::columns(rows)
        .into_iter()
        .map(|(name, array, nullable)| (Field::new(name, array.data_type().clone(), nullable), array))
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|source| GenerateError::Columns { path: path.to_owned(), source })
}
