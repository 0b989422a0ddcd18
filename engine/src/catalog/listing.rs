//! The files of one table, as the store lists them now.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use percent_encoding::percent_decode_str;

use crate::catalog::TableFormat;
use crate::catalog::replacement::Replacement;
use crate::error::{EngineError, Result};

/// Hive's name for the partition of rows without a value.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// One data file.
#[derive(Debug, Clone)]
pub(crate) struct LakeFile {
    pub(crate) meta: ObjectMeta,
    /// One value for each of the listing's partition columns.
    pub(crate) partition_values: Vec<Option<String>>,
}

/// The data files of one table, sorted by path.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) format: TableFormat,
    pub(crate) partition_columns: Vec<String>,
    pub(crate) files: Vec<LakeFile>,
}

/// `key=value` in a path.
type PartitionValue = (String, Option<String>);

/// What a folder holds: a table, or why it is none.
#[derive(Debug)]
pub(crate) enum Folder {
    Table(Listing),
    Nothing,
    Refused(String),
}

/// Lists `folder`; names that begin with `_` or `.` are not data, nor are files that a [`Replacement`] gives up.
pub(crate) async fn list(store: &dyn ObjectStore, folder: &Path) -> Result<Folder> {
    let mut found: Vec<(ObjectMeta, TableFormat, Vec<PartitionValue>)> = Vec::new();
    let mut notes = Vec::new();
    let mut objects = store.list(Some(folder));
    while let Some(meta) = objects.try_next().await? {
        let Some(below) = meta.location.prefix_match(folder) else { continue };
        let parts: Vec<String> = below.map(|part| part.as_ref().to_owned()).collect();
        if parts.first().is_some_and(|first| first == "_delta_log") {
            return Ok(Folder::Refused(
                "it is a Delta table, which Tithe does not read yet; its Parquet files alone may hold deleted rows"
                    .to_owned(),
            ));
        }
        if let [name] = parts.as_slice()
            && Replacement::is_note(name)
        {
            notes.push(meta.location.clone());
        }
        if parts.iter().any(|part| part.starts_with('_') || part.starts_with('.')) {
            continue;
        }
        let Some((name, folders)) = parts.split_last() else { continue };
        let Some(format) = TableFormat::of_file(name) else { continue };
        let partitions = folders.iter().filter_map(|part| partition(part)).collect();
        found.push((meta, format, partitions));
    }
    for note in notes {
        let Some(replacement) = Replacement::read(store, &note).await? else { continue };
        if replacement.holds(found.iter().map(|(meta, _, _)| &meta.location), folder) {
            found.retain(|(meta, _, _)| !replacement.instead_of.iter().any(|old| old.is(meta, folder)));
        }
    }
    found.sort_by(|a, b| a.0.location.cmp(&b.0.location));
    let Some((first, format, partitions)) = found.first() else { return Ok(Folder::Nothing) };
    let (format, first) = (*format, first.location.clone());
    let partition_columns: Vec<String> = partitions.iter().map(|(key, _)| key.clone()).collect();
    let mut files = Vec::with_capacity(found.len());
    for (meta, its_format, its_partitions) in found {
        if its_format != format {
            return Ok(Folder::Refused(format!(
                "it mixes formats, {} and {}: keep one format in a folder",
                name_of(&first, folder),
                name_of(&meta.location, folder)
            )));
        }
        if !its_partitions.iter().map(|(key, _)| key).eq(&partition_columns) {
            return Ok(Folder::Refused(format!(
                "{} and {} do not lie below the same partition columns: put every file below the same `key=value` folders",
                name_of(&first, folder),
                name_of(&meta.location, folder)
            )));
        }
        let partition_values = its_partitions.into_iter().map(|(_, value)| value).collect();
        files.push(LakeFile { meta, partition_values });
    }
    Ok(Folder::Table(Listing { format, partition_columns, files }))
}

/// `path` below `folder`, as a person writes it.
pub(crate) fn name_of(path: &Path, folder: &Path) -> String {
    match path.prefix_match(folder) {
        Some(below) => below.map(|part| decode(part.as_ref())).collect::<Vec<_>>().join("/"),
        None => path.to_string(),
    }
}

fn partition(part: &str) -> Option<PartitionValue> {
    let (key, value) = part.split_once('=')?;
    if key.is_empty() {
        return None;
    }
    Some((decode(key), (value != NULL_PARTITION).then(|| decode(value))))
}

impl Folder {
    /// The listing, or the error that names `table`; `None` for a folder without data files.
    pub(crate) fn into_listing(self, table: &str) -> Result<Option<Listing>> {
        match self {
            Self::Table(listing) => Ok(Some(listing)),
            Self::Nothing => Ok(None),
            Self::Refused(reason) => Err(EngineError::Table { table: table.to_owned(), reason }),
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
