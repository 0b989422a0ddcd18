//! What columns a table has, found once and kept for as long as its files are the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::execution::SessionState;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::catalog::TableFormat;
use crate::catalog::listing::{Listing, name_of};
use crate::catalog::union::unite;
use crate::error::{EngineError, Result, plain};
use crate::ingest::{json_lines, text};
use crate::optimize::footer;

/// Footers or samples read at once.
const READS: usize = 16;
/// JSON lines files that are sampled for their columns, spread evenly over the table.
const SAMPLED_FILES: usize = 64;

/// The columns of a table.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Columns inside the files.
    pub(crate) file_schema: SchemaRef,
    /// Columns in the names of the folders.
    pub(crate) partition_columns: Vec<FieldRef>,
    /// Where every file's footer tells it.
    pub(crate) rows: Option<u64>,
    /// The files that were looked at for it.
    pub(crate) listing: Arc<Listing>,
    files: BTreeMap<Path, (FileState, FileShape)>,
}

/// What tells one content of a file from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileState {
    size: u64,
    modified: DateTime<Utc>,
    e_tag: Option<String>,
    version: Option<String>,
}

impl From<&ObjectMeta> for FileState {
    fn from(meta: &ObjectMeta) -> Self {
        Self {
            size: meta.size,
            modified: meta.last_modified,
            e_tag: meta.e_tag.clone(),
            version: meta.version.clone(),
        }
    }
}

#[derive(Debug, Clone)]
enum FileShape {
    Columns { schema: SchemaRef, rows: Option<u64> },
    Json(json_lines::Sample),
}

/// The shapes of a lake's tables.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    known: Mutex<BTreeMap<String, Arc<Shape>>>,
}

/// Where to read the files whose shape is not known yet.
pub(crate) struct Reading<'a> {
    pub(crate) state: &'a SessionState,
    pub(crate) store: &'a Arc<dyn ObjectStore>,
    /// The lake's root, below which files are named.
    pub(crate) root: &'a Path,
    /// `schema.table`.
    pub(crate) table: &'a str,
}

impl Shapes {
    /// The shape of the table with the files of `listing`; reads only files that are new or changed.
    pub(crate) async fn of(&self, listing: &Arc<Listing>, reading: &Reading<'_>) -> Result<Arc<Shape>> {
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(reading.table).cloned();
        if let Some(before) = &before
            && (Arc::ptr_eq(&before.listing, listing) || before.listing == *listing)
        {
            return Ok(Arc::clone(before));
        }
        let known = before.as_ref().map(|shape| &shape.files);
        forget_replaced(
            known,
            listing,
            reading.state.runtime_env().cache_manager.get_file_metadata_cache().as_ref(),
        );
        let files = read_new(known, listing, reading).await?;
        let shape = Arc::new(Shape {
            file_schema: whole(listing, &files, reading)?,
            partition_columns: partition_columns(listing),
            rows: rows(&files),
            listing: Arc::clone(listing),
            files,
        });
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(reading.table.to_owned(), Arc::clone(&shape));
        Ok(shape)
    }
}

/// DataFusion keeps footers by path, size and time alone; stores whose clock ticks in seconds need more.
fn forget_replaced(
    known: Option<&BTreeMap<Path, (FileState, FileShape)>>,
    listing: &Listing,
    footers: &FileMetadataCache,
) {
    let Some(known) = known else { return };
    for file in &listing.files {
        if let Some((state, _)) = known.get(&file.meta.location)
            && *state != FileState::from(&file.meta)
        {
            footers.remove(&file.meta.location);
        }
    }
}

async fn read_new(
    known: Option<&BTreeMap<Path, (FileState, FileShape)>>,
    listing: &Listing,
    reading: &Reading<'_>,
) -> Result<BTreeMap<Path, (FileState, FileShape)>> {
    let all: Vec<&ObjectMeta> = listing.files.iter().map(|file| &file.meta).collect();
    let chosen = match listing.format {
        TableFormat::JsonLines => spread(&all, SAMPLED_FILES),
        TableFormat::Text => Vec::new(),
        _ => all,
    };
    let mut reads = Vec::with_capacity(chosen.len());
    for meta in chosen {
        let before = known.and_then(|known| known.get(&meta.location));
        reads.push(read_unless_known(before, listing.format, meta, reading).boxed());
    }
    futures::stream::iter(reads).buffered(READS).try_collect().await
}

async fn read_unless_known(
    before: Option<&(FileState, FileShape)>,
    format: TableFormat,
    meta: &ObjectMeta,
    reading: &Reading<'_>,
) -> Result<(Path, (FileState, FileShape))> {
    let state = FileState::from(meta);
    let shape = match before {
        Some((known, shape)) if *known == state => shape.clone(),
        _ => read(format, meta, reading).await?,
    };
    Ok((meta.location.clone(), (state, shape)))
}

async fn read(format: TableFormat, meta: &ObjectMeta, reading: &Reading<'_>) -> Result<FileShape> {
    if format == TableFormat::JsonLines {
        let path = name_of(&meta.location, reading.root);
        return Ok(FileShape::Json(json_lines::sample(reading.store.as_ref(), meta, &path).await?));
    }
    let schema = ParquetFormat::default()
        .infer_schema(reading.state, reading.store, std::slice::from_ref(meta))
        .await
        .map_err(|error| broken_parquet(error, meta, reading))?;
    let footers = reading.state.runtime_env().cache_manager.get_file_metadata_cache();
    let footer = footer(footers.as_ref(), meta);
    let rows = footer.and_then(|footer| u64::try_from(footer.file_metadata().num_rows()).ok());
    Ok(FileShape::Columns { schema, rows })
}

fn rows(files: &BTreeMap<Path, (FileState, FileShape)>) -> Option<u64> {
    let of_file = |shape: &FileShape| match shape {
        FileShape::Columns { rows, .. } => *rows,
        FileShape::Json(_) => None,
    };
    // Of text no file is read.
    let mut known = files.values().map(|(_, shape)| of_file(shape)).peekable();
    known.peek()?;
    known.sum()
}

fn broken_parquet(
    error: datafusion::error::DataFusionError,
    meta: &ObjectMeta,
    reading: &Reading<'_>,
) -> EngineError {
    use datafusion::error::DataFusionError;
    if let DataFusionError::ObjectStore(_) = error.find_root() {
        return EngineError::DataFusion(error);
    }
    EngineError::File {
        path: name_of(&meta.location, reading.root),
        reason: format!("it is not a whole Parquet file ({}); replace or remove it", plain(&error)),
    }
}

/// At most `count` of `all`, the first and the last among them.
fn spread<'a>(all: &[&'a ObjectMeta], count: usize) -> Vec<&'a ObjectMeta> {
    if all.len() <= count || count < 2 {
        return all.to_vec();
    }
    (0..count).filter_map(|i| all.get(i * (all.len() - 1) / (count - 1)).copied()).collect()
}

fn whole(
    listing: &Listing,
    files: &BTreeMap<Path, (FileState, FileShape)>,
    reading: &Reading<'_>,
) -> Result<SchemaRef> {
    let refuse = |reason| EngineError::Table { table: reading.table.to_owned(), reason };
    let schema = match listing.format {
        TableFormat::Text => text::schema(),
        TableFormat::JsonLines => {
            let samples = files.values().filter_map(|(_, shape)| match shape {
                FileShape::Json(sample) => Some(sample),
                FileShape::Columns { .. } => None,
            });
            json_lines::schema(samples)
        }
        _ => {
            let columns = files.iter().filter_map(|(path, (_, shape))| match shape {
                FileShape::Columns { schema, .. } => Some((name_of(path, reading.root), schema.as_ref())),
                FileShape::Json(_) => None,
            });
            unite(columns).map_err(refuse)?
        }
    };
    if listing.partition_columns.iter().any(|name| schema.field_with_name(name).is_ok()) {
        let kept: Vec<FieldRef> = schema
            .fields()
            .iter()
            .filter(|field| !listing.partition_columns.contains(field.name()))
            .cloned()
            .collect();
        return Ok(Arc::new(Schema::new(kept)));
    }
    Ok(schema)
}

fn partition_columns(listing: &Listing) -> Vec<FieldRef> {
    listing
        .partition_columns
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let nullable =
                listing.files.iter().any(|file| file.partition_values.get(i).is_none_or(Option::is_none));
            Arc::new(Field::new(name, DataType::Utf8, nullable))
        })
        .collect()
}
