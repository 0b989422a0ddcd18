//! What a table has: its files by the folders they lie in, with their footers.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Fields, Schema, SchemaRef};
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::ParquetMetaData;

use crate::catalog::{Lake, Listing, Replacement, below};
use crate::error::{EngineError, Result};
use crate::layout::report::LayoutTotals;

/// Footers read at once.
const READS: usize = 16;
/// Under which key a file says how it was laid out.
pub(super) const MARK: &str = "tithe.layout";

/// The files of one folder of a table.
pub(super) struct Source {
    /// The folder below that of the table; empty where the table has none.
    pub(super) partition: String,
    pub(super) files: Vec<ObjectMeta>,
    pub(super) footers: Vec<Arc<ParquetMetaData>>,
    /// Its values of the table's partition columns.
    pub(super) values: Vec<Option<String>>,
    /// The columns as the files have them.
    pub(super) columns: SchemaRef,
}

impl Source {
    pub(super) fn rows(&self) -> u64 {
        let rows = self.footers.iter().map(|footer| footer.file_metadata().num_rows());
        rows.map(|rows| u64::try_from(rows).unwrap_or_default()).sum()
    }

    pub(super) fn totals(&self) -> LayoutTotals {
        LayoutTotals {
            files: self.files.len(),
            row_groups: self.footers.iter().map(|footer| footer.num_row_groups()).sum(),
            bytes: self.files.iter().map(|meta| meta.size).sum(),
        }
    }

    /// The names of its files below the lake's root.
    pub(super) fn names(&self, lake: &Lake) -> Vec<String> {
        self.files.iter().map(|meta| lake.below_root(&meta.location)).collect()
    }

    /// Whether its files are those of one layout that left this mark.
    pub(super) fn is_laid_out(&self, mark: &str) -> bool {
        let stem = |meta: &ObjectMeta| {
            let name = meta.location.filename().filter(|name| Replacement::is_laid_out(name))?;
            Some(name.rsplit_once('-')?.0.to_owned())
        };
        let first = self.files.first().and_then(stem);
        first.is_some()
            && self.files.iter().all(|meta| stem(meta) == first)
            && self.footers.iter().all(|footer| {
                let said = footer.file_metadata().key_value_metadata().into_iter().flatten();
                said.into_iter().any(|pair| pair.key == MARK && pair.value.as_deref() == Some(mark))
            })
    }
}

/// The table with the files of `listing`, folder by folder; `names` are its columns within the files.
///
/// # Errors
/// When a footer cannot be read.
pub(super) async fn sources(
    lake: &Lake,
    folder: &Path,
    listing: &Listing,
    names: &Schema,
) -> Result<Vec<Source>> {
    let reads = listing.files.iter().map(|file| {
        async move {
            let read = DFParquetMetadata::new(lake.store().as_ref(), &file.meta).fetch_metadata().await;
            read.map_err(EngineError::from)
        }
        .boxed()
    });
    let reads: Vec<_> = reads.collect();
    let footers: Vec<Arc<ParquetMetaData>> =
        futures::stream::iter(reads).buffered(READS).try_collect().await?;
    let mut folders: BTreeMap<String, Source> = BTreeMap::new();
    for (file, footer) in listing.files.iter().zip(footers) {
        let name = below(&file.meta.location, folder);
        let partition = name.rsplit_once('/').map_or("", |(partition, _file)| partition).to_owned();
        let source = folders.entry(partition.clone()).or_insert_with(|| Source {
            partition,
            files: Vec::new(),
            footers: Vec::new(),
            values: file.partition_values.clone(),
            columns: Arc::new(Schema::empty()),
        });
        source.files.push(file.meta.clone());
        source.footers.push(footer);
    }
    let mut found: Vec<Source> = folders.into_values().collect();
    for source in &mut found {
        source.columns = columns(source, names)?;
    }
    Ok(found)
}

/// The columns of a folder's files, in the order of the table: of the types that they have in the file that has them
/// first, nullable unless no file can have NULL.
fn columns(source: &Source, names: &Schema) -> Result<SchemaRef> {
    let mut schemas = Vec::with_capacity(source.footers.len());
    for footer in &source.footers {
        let file = footer.file_metadata();
        let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())
            .map_err(datafusion::error::DataFusionError::from)?;
        schemas.push(schema);
    }
    let mut fields = Vec::new();
    for name in names.fields().iter().map(|field| field.name()) {
        let mut there = schemas.iter().map(|schema| schema.field_with_name(name).ok());
        let Some(first) = there.clone().flatten().next() else { continue };
        let nullable = there.any(|field| field.is_none_or(Field::is_nullable));
        fields.push(first.clone().with_nullable(nullable));
    }
    Ok(Arc::new(Schema::new(Fields::from(fields))))
}
