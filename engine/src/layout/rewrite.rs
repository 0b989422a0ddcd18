//! The new files of one partition: its rows in another order, cut where a row group ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options, concat_batches};
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use futures::TryStreamExt;
use object_store::PutPayload;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::ParquetMetaData;

use crate::error::{EngineError, Result};
use crate::layout::sample::{PLACE, in_order, sample, with_places};
use crate::layout::source::Source;
use crate::layout::trial::{Forms, Setting};
use crate::layout::z_order::{FUNCTION, z_order};
use crate::plan::sql_literal::identifier as quoted;
use crate::session::Session;

/// Rows on which forms are tried: a row group, as a dictionary pays by how often its values come in one.
const TRIED: usize = 128 << 10;

/// The order of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "a Z-order is called so")]
pub(super) enum Order {
    AsTheyLie,
    Columns(Vec<String>),
    /// Each row group has the rows that lay together before.
    WithinRowGroups(Vec<String>),
    ZOrder(Vec<String>),
}

impl Order {
    /// In words.
    pub(super) fn told(&self) -> String {
        match self {
            Self::AsTheyLie => "as they lie".to_owned(),
            Self::Columns(columns) => format!("sorted by {}", columns.join(", ")),
            Self::WithinRowGroups(columns) => {
                format!("sorted by {} within each row group", columns.join(", "))
            }
            Self::ZOrder(columns) => format!("Z-order of {}", columns.join(", ")),
        }
    }

    pub(super) fn columns(&self) -> &[String] {
        match self {
            Self::AsTheyLie => &[],
            Self::Columns(columns) | Self::WithinRowGroups(columns) | Self::ZOrder(columns) => columns,
        }
    }

    /// What files say of their rows' order: readers take it for that of the whole file.
    fn sorted_by(&self) -> &[String] {
        match self {
            Self::Columns(columns) => columns,
            Self::AsTheyLie | Self::WithinRowGroups(_) | Self::ZOrder(_) => &[],
        }
    }
}

/// How every partition is written.
pub(super) struct Rewrite<'a> {
    pub(super) session: &'a Session,
    /// `schema.table`, and the same as SQL writes it.
    pub(super) table: &'a str,
    pub(super) quoted_table: &'a str,
    pub(super) order: &'a Order,
    pub(super) mark: &'a str,
    pub(super) target_file_size: u64,
    pub(super) row_group_rows: usize,
    pub(super) bloom_filters: &'a BTreeSet<String>,
}

/// A file that was written.
pub(super) struct NewFile {
    pub(super) footer: Arc<ParquetMetaData>,
    pub(super) bytes: u64,
}

impl Rewrite<'_> {
    /// Writes the rows of `source`, whose files have these `names` below the lake's root, and hands each file to `put` with
    /// its number. `forms` is found with the first rows where it is not known yet.
    ///
    /// # Errors
    /// When the rows cannot be read, do not fit into the memory for queries, or are others than the footers say; and
    /// those of `put`.
    pub(super) async fn write(
        &self,
        source: &Source,
        names: &[String],
        forms: &mut Option<Forms>,
        mut put: impl AsyncFnMut(usize, PutPayload) -> Result<()>,
    ) -> Result<Vec<NewFile>> {
        let session = in_order(self.session, self.table, names)?;
        let sql = self.statement(&session, source).await?;
        let mut rows = session.query(&sql).await?.execute().await?;
        let memory = MemoryConsumer::new("Parquet files that are laid out");
        let memory = memory.register(session.engine().memory_pool());
        let (mut held, mut held_rows, mut ended) = (Vec::new(), 0, false);
        let known = match forms {
            Some(forms) => forms.clone(),
            None => {
                while held_rows < self.row_group_rows.min(TRIED) && !ended {
                    match rows.try_next().await? {
                        Some(batch) => {
                            let batch = self.as_stored(&batch, &source.columns)?;
                            held_rows += batch.num_rows();
                            memory.try_grow(2 * batch.get_array_memory_size())?;
                            held.push(batch);
                        }
                        None => ended = true,
                    }
                }
                let sample = concat_batches(&source.columns, &held).map_err(DataFusionError::from)?;
                let sample = sample.slice(0, held_rows.min(self.row_group_rows));
                forms.insert(Forms::of(&sample, self.bloom_filters)?).clone()
            }
        };
        let mut files = Files {
            rewrite: self,
            columns: &source.columns,
            forms: &known,
            memory: &memory,
            open: None,
            written: Vec::new(),
        };
        for batch in held {
            files.take(batch, &mut put).await?;
        }
        while !ended {
            match rows.try_next().await? {
                Some(batch) => files.take(self.as_stored(&batch, &source.columns)?, &mut put).await?,
                None => ended = true,
            }
        }
        files.close(&mut put).await?;
        let written = files.written;
        let count = |files: &[NewFile]| {
            files
                .iter()
                .map(|file| u64::try_from(file.footer.file_metadata().num_rows()).unwrap_or_default())
                .sum::<u64>()
        };
        if count(&written) != source.rows() {
            return Err(EngineError::Stale { what: format!("files of the table {}", self.table) });
        }
        Ok(written)
    }

    /// The rows in their new order. Those that are equal in it stay in that of the files, and so the answer does not
    /// depend on how it is computed.
    async fn statement(&self, session: &Session, source: &Source) -> Result<String> {
        let columns = source.columns.fields().iter().map(|field| quoted(field.name()));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let there = |column: &&String| source.columns.field_with_name(column).is_ok();
        let by: Vec<String> = self.order.columns().iter().filter(there).cloned().collect();
        let quoted_by: Vec<String> = by.iter().map(|column| quoted(column)).collect();
        let ascending = || {
            let columns = quoted_by.iter().map(|column| format!("{column} ASC NULLS LAST"));
            columns.collect::<Vec<_>>().join(", ")
        };
        let order = match self.order {
            _ if by.is_empty() => return Ok(format!("SELECT {columns} FROM {}", self.quoted_table)),
            Order::AsTheyLie | Order::Columns(_) => ascending(),
            Order::WithinRowGroups(_) => {
                // Places begin with 1, and every row group but the last has as many rows.
                let (place, rows) = (quoted(PLACE), self.row_group_rows);
                format!("(CAST({place} AS BIGINT) - 1) / {rows}, {}", ascending())
            }
            Order::ZOrder(_) => {
                let values = sample(session, self.quoted_table, &by, source.rows()).await?;
                session.context.register_udf(z_order(&values)?);
                format!("{FUNCTION}({})", quoted_by.join(", "))
            }
        };
        Ok(format!(
            "SELECT {columns} FROM {} ORDER BY {order}, {}",
            with_places(self.quoted_table),
            quoted(PLACE)
        ))
    }

    /// `batch` in the types that the files have, which are others than those that queries see.
    fn as_stored(&self, batch: &RecordBatch, columns: &SchemaRef) -> Result<RecordBatch> {
        let exact = CastOptions { safe: false, ..CastOptions::default() };
        let cast = batch.columns().iter().zip(columns.fields());
        let cast = cast.map(|(values, field)| cast_with_options(values, field.data_type(), &exact));
        let cast: Vec<ArrayRef> =
            cast.collect::<std::result::Result<_, _>>().map_err(DataFusionError::from)?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(columns), cast, &options);
        Ok(batch.map_err(DataFusionError::from)?)
    }
}

/// A file that is being written.
struct Open {
    writer: ArrowWriter<Vec<u8>>,
    /// Rows of the row group that is being written.
    rows: usize,
    groups: u64,
}

struct Files<'a> {
    rewrite: &'a Rewrite<'a>,
    columns: &'a SchemaRef,
    forms: &'a Forms,
    memory: &'a MemoryReservation,
    open: Option<Open>,
    written: Vec<NewFile>,
}

impl Files<'_> {
    async fn take(
        &mut self,
        batch: RecordBatch,
        put: &mut impl AsyncFnMut(usize, PutPayload) -> Result<()>,
    ) -> Result<()> {
        let mut from = 0;
        while from < batch.num_rows() {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => self.begin()?,
            };
            // A row group has as many rows however the batches are cut.
            let rows = (batch.num_rows() - from).min(self.rewrite.row_group_rows - open.rows);
            open.writer.write(&batch.slice(from, rows)).map_err(DataFusionError::from)?;
            from += rows;
            open.rows += rows;
            self.memory.try_resize(open.writer.memory_size() + open.writer.bytes_written())?;
            let mut full = false;
            if open.rows == self.rewrite.row_group_rows {
                open.writer.flush().map_err(DataFusionError::from)?;
                open.rows = 0;
                open.groups += 1;
                let bytes = u64::try_from(open.writer.bytes_written()).unwrap_or(u64::MAX);
                full = bytes + bytes / open.groups / 2 >= self.rewrite.target_file_size;
            }
            self.open = Some(open);
            if full {
                self.close(put).await?;
            }
        }
        Ok(())
    }

    fn begin(&self) -> Result<Open> {
        let setting = Setting {
            mark: self.rewrite.mark,
            sorted_by: self.rewrite.order.sorted_by(),
            row_group_rows: self.rewrite.row_group_rows,
        };
        let properties = self.forms.properties(self.columns, &setting)?;
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(self.columns), Some(properties));
        Ok(Open { writer: writer.map_err(DataFusionError::from)?, rows: 0, groups: 0 })
    }

    async fn close(&mut self, put: &mut impl AsyncFnMut(usize, PutPayload) -> Result<()>) -> Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let footer = open.writer.finish().map_err(DataFusionError::from)?;
        let file = std::mem::take(open.writer.inner_mut());
        let bytes = u64::try_from(file.len()).unwrap_or(u64::MAX);
        put(self.written.len(), file.into()).await?;
        self.written.push(NewFile { footer: Arc::new(footer), bytes });
        self.memory.try_resize(0)?;
        Ok(())
    }
}
