//! Which columns of a Parquet file hold codes from its first page to its last.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::basic::{Encoding, Type};
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use moka::sync::Cache as Known;
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::optimize::repeated_text::is_text;

/// Files that are remembered.
const MOST_FILES: u64 = 1 << 17;
/// A dictionary has at most one byte (compressed) for so many rows: one that is larger costs what it saves.
const ROWS_OF_A_BYTE: i64 = 1;
/// Hardly a writer gives up a dictionary of so few bytes (compressed): their limits begin at 1 MiB of texts.
const SURELY_WHOLE: i64 = 64 << 10;

/// A row group is large that has this part of the rows of the largest.
const LARGE: i64 = 4;
/// Those that are not large tell nothing, if they have no more than this part of all rows together.
const REST: i64 = 16;
/// So many rows are read in one piece.
const FEW_ROWS: i64 = 8192;

/// What is known of one file.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Of the file's columns.
    pub(super) schema: SchemaRef,
    /// The names of those that hold codes.
    pub(super) coded: Arc<Vec<String>>,
    /// The names of those that can be read as codes, whether or not that is worth it.
    pub(super) texts: Arc<Vec<String>>,
    /// It has so few rows that it does not matter how they are read.
    pub(super) few: bool,
}

impl Facts {
    fn is_like(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.coded == other.coded
            && self.texts == other.texts
            && self.few == other.few
    }
}

/// Facts of files, kept as long as the files stay what they are.
pub(super) struct FileFacts {
    metadata: Arc<FileMetadataCache>,
    known: Known<Path, (ObjectMeta, Facts)>,
    /// The facts found last: files of one table share them.
    last: Mutex<Option<Facts>>,
}

impl std::fmt::Debug for FileFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileFacts").field("files", &self.known.entry_count()).finish_non_exhaustive()
    }
}

impl FileFacts {
    pub(super) fn new(metadata: Arc<FileMetadataCache>) -> Self {
        Self { metadata, known: Known::new(MOST_FILES), last: Mutex::default() }
    }

    /// `None` when the footer is not at hand, or not understood.
    pub(super) fn of(&self, file: &PartitionedFile) -> Option<Facts> {
        let path = &file.object_meta.location;
        if let Some((meta, facts)) = self.known.get(path)
            && meta == file.object_meta
        {
            return Some(facts);
        }
        let footer = footer(self.metadata.as_ref(), &file.object_meta)?;
        let facts = self.shared(facts(&footer)?);
        self.known.insert(path.clone(), (file.object_meta.clone(), facts.clone()));
        Some(facts)
    }

    fn shared(&self, new: Facts) -> Facts {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref() {
            Some(known) if known.is_like(&new) => known.clone(),
            _ => last.insert(new).clone(),
        }
    }
}

/// The footer of `file` as it is now, if it is at hand.
pub(crate) fn footer(metadata: &FileMetadataCache, file: &ObjectMeta) -> Option<Arc<ParquetMetaData>> {
    let entry = metadata.get(&file.location)?;
    let entry = Some(entry).filter(|entry| entry.is_valid_for(file))?;
    let footer = entry.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>()?;
    Some(Arc::clone(footer.parquet_metadata()))
}

fn facts(footer: &ParquetMetaData) -> Option<Facts> {
    let file = footer.file_metadata();
    let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()).ok()?;
    let columns = file.schema_descr().columns().iter().enumerate();
    // What is a text to the table alone, or a list of them, has no codes to read.
    let texts: Vec<_> = columns
        .filter(|(_, column)| {
            let field = schema.field_with_name(column.name()).ok();
            column.path().parts().len() == 1 && field.is_some_and(|field| is_text(field.data_type()))
        })
        .collect();
    let groups = telling(footer.row_groups());
    let coded =
        texts.iter().filter(|(place, _)| groups.iter().all(|group| reads_codes(group.column(*place))));
    let coded = coded.map(|(_, column)| column.name().to_owned()).collect();
    let texts = texts.iter().map(|(_, column)| column.name().to_owned()).collect();
    let few = file.num_rows() <= FEW_ROWS;
    Some(Facts { schema: Arc::new(schema), coded: Arc::new(coded), texts: Arc::new(texts), few })
}

/// The row groups that tell how a file was written: a writer that cuts its rows into groups of one size leaves small ones where
/// a part of them ends, whose texts hardly repeat.
fn telling(groups: &[RowGroupMetaData]) -> Vec<&RowGroupMetaData> {
    let rows = |groups: &[&RowGroupMetaData]| -> i64 { groups.iter().map(|group| group.num_rows()).sum() };
    let largest = groups.iter().map(RowGroupMetaData::num_rows).max().unwrap_or_default();
    let all: Vec<_> = groups.iter().filter(|group| group.num_rows() > 0).collect();
    let large: Vec<_> = all.iter().copied().filter(|group| group.num_rows() >= largest / LARGE).collect();
    let rest = rows(&all) - rows(&large);
    if rest <= rows(&all) / REST { large } else { all }
}

/// Whether all of a chunk's texts are in a small dictionary.
pub(crate) fn holds_codes(chunk: &ColumnChunkMetaData) -> bool {
    small_dictionary(chunk).is_some() && only_codes(chunk)
}

/// Whether a chunk is better read as codes: one or another text beside the dictionary makes that slower, not wrong.
fn reads_codes(chunk: &ColumnChunkMetaData) -> bool {
    small_dictionary(chunk).is_some_and(|bytes| {
        // Writers give dictionaries up when they become large.
        only_codes(chunk) || (bytes < SURELY_WHOLE && chunk.page_encoding_stats_mask().is_none())
    })
}

/// The bytes of a dictionary that is small for its rows.
fn small_dictionary(chunk: &ColumnChunkMetaData) -> Option<i64> {
    let bytes = chunk.data_page_offset() - chunk.dictionary_page_offset()?;
    let small = (0..=chunk.num_values() / ROWS_OF_A_BYTE).contains(&bytes);
    (chunk.column_type() == Type::BYTE_ARRAY && small).then_some(bytes)
}

/// Whether no page of a chunk holds its values themselves.
pub(crate) fn only_codes(chunk: &ColumnChunkMetaData) -> bool {
    if let Some(mask) = chunk.page_encoding_stats_mask() {
        return mask.is_only(Encoding::PLAIN_DICTIONARY) || mask.is_only(Encoding::RLE_DICTIONARY);
    }
    // Who gives no statistics of pages lists PLAIN for the dictionary itself, or for pages that fell back to it.
    chunk.encodings().all(|encoding| encoding != Encoding::PLAIN)
}
