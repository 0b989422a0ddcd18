//! The files of one table, as the store lists them now.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use percent_encoding::percent_decode_str;

use crate::catalog::TableFormat;
use crate::catalog::large_folders::{LargeFolders, side_by_side};
use crate::catalog::replacement::Replacement;
use crate::catalog::walks::Walks;
use crate::error::{EngineError, Result};

/// Hive's name for the partition of rows without a value.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";
/// What makes a folder a Delta table.
pub(super) const DELTA_LOG: &str = "_delta_log";
/// The folder of a table's rollups, which no reader takes for data.
pub(crate) const ROLLUPS: &str = "_rollups";

/// One data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LakeFile {
    pub(crate) meta: ObjectMeta,
    /// One value for each of the listing's partition columns.
    pub(crate) partition_values: Vec<Option<String>>,
}

/// The data files of one table, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) format: TableFormat,
    pub(crate) partition_columns: Vec<String>,
    pub(crate) files: Vec<LakeFile>,
    /// What lies in the folder of the table's rollups.
    pub(crate) rollups: Vec<ObjectMeta>,
}

/// `key=value` in a path.
type PartitionValue = (String, Option<String>);

/// What a folder holds: a table, or why it is none.
#[derive(Debug)]
pub(crate) enum Folder {
    Table(Arc<Listing>),
    Nothing,
    Refused(String),
}

/// How often a folder is listed again whose files were replaced meanwhile.
const TRIES: usize = 20;

/// Lists `folder`; names that begin with `_` or `.` are not data, nor are files that a [`Replacement`] gives up.
pub(crate) async fn list(store: &dyn ObjectStore, folder: &Path) -> Result<Folder> {
    list_with(&Lists::Objects(LargeFolders::default()), store, folder).await
}

/// What is known of the folders of a lake from earlier lists.
#[derive(Debug)]
pub(super) enum Lists {
    /// Of a disk.
    Disk(Walks),
    /// Of an object store.
    Objects(LargeFolders),
}

/// As [`list`], sooner by what is known.
pub(super) async fn list_with(lists: &Lists, store: &dyn ObjectStore, folder: &Path) -> Result<Folder> {
    if let Lists::Disk(walks) = lists
        && let Some(listing) = walks.unchanged(folder).await?
    {
        return Ok(Folder::Table(listing));
    }
    for _ in 0..TRIES {
        let began = SystemTime::now();
        let large = matches!(lists, Lists::Objects(large) if large.contains(folder));
        let Some(found) = look(store, folder, large).await? else { continue };
        match (lists, &found) {
            (Lists::Disk(walks), Folder::Table(listing)) => walks.remember(folder, listing, began).await?,
            (Lists::Objects(large), Folder::Table(listing)) => large.note(folder, listing.files.len()),
            _ => {}
        }
        return Ok(found);
    }
    Ok(Folder::Refused("its files are being replaced over and over: try again".to_owned()))
}

/// Lists once, folder by folder where it is `large`; `None` when a note went meanwhile, so that the list may have files before and after it.
async fn look(store: &dyn ObjectStore, folder: &Path, large: bool) -> Result<Option<Folder>> {
    let mut found: Vec<(ObjectMeta, TableFormat, Vec<PartitionValue>)> = Vec::new();
    let mut notes = BTreeSet::new();
    let mut rollups = Vec::new();
    let mut objects = match large {
        true => side_by_side(store, folder),
        false => store.list(Some(folder)),
    };
    while let Some(meta) = objects.try_next().await? {
        let Some(below) = meta.location.prefix_match(folder) else { continue };
        let parts: Vec<String> = below.map(|part| part.as_ref().to_owned()).collect();
        if parts.first().is_some_and(|first| first == DELTA_LOG) {
            return Ok(Some(Folder::Refused(
                "it is a Delta table, which Tithe does not read yet; its Parquet files alone may hold deleted rows"
                    .to_owned(),
            )));
        }
        if let [name] = parts.as_slice()
            && Replacement::is_note(name)
        {
            notes.insert(meta.location.clone());
        }
        if parts.first().is_some_and(|first| first == ROLLUPS) {
            rollups.push(meta);
            continue;
        }
        if parts.iter().any(|part| part.starts_with('_') || part.starts_with('.')) {
            continue;
        }
        let Some((name, folders)) = parts.split_last() else { continue };
        let Some(format) = TableFormat::of_file(name) else { continue };
        let partitions = folders.iter().filter_map(|part| partition(part)).collect();
        found.push((meta, format, partitions));
    }
    // The note on such a file was there before it, but may have come after this list had passed its place.
    if found.iter().any(|(meta, _, _)| meta.location.filename().is_some_and(Replacement::is_laid_out)) {
        let now =
            store.list_with_delimiter(Some(folder)).await?.objects.into_iter().map(|meta| meta.location);
        notes.extend(now.filter(|name| name.filename().is_some_and(Replacement::is_note)));
    }
    let mut replacements = Vec::with_capacity(notes.len());
    for note in notes {
        let Some(replacement) = Replacement::read(store, &note).await? else { return Ok(None) };
        let holds = replacement.holds(found.iter().map(|(meta, _, _)| &meta.location), folder);
        replacements.push((replacement, holds));
    }
    found.retain(|(meta, _, _)| !replacements.iter().any(|(note, holds)| note.hides(*holds, meta, folder)));
    found.sort_by(|a, b| a.0.location.cmp(&b.0.location));
    rollups.sort_by(|a, b| a.location.cmp(&b.location));
    let Some((first, format, partitions)) = found.first() else { return Ok(Some(Folder::Nothing)) };
    let (format, first) = (*format, first.location.clone());
    let partition_columns: Vec<String> = partitions.iter().map(|(key, _)| key.clone()).collect();
    let mut files = Vec::with_capacity(found.len());
    for (meta, its_format, its_partitions) in found {
        if its_format != format {
            return Ok(Some(Folder::Refused(format!(
                "it mixes formats, {} and {}: keep one format in a folder",
                name_of(&first, folder),
                name_of(&meta.location, folder)
            ))));
        }
        if !its_partitions.iter().map(|(key, _)| key).eq(&partition_columns) {
            return Ok(Some(Folder::Refused(format!(
                "{} and {} do not lie below the same partition columns: put every file below the same `key=value` folders",
                name_of(&first, folder),
                name_of(&meta.location, folder)
            ))));
        }
        let partition_values = its_partitions.into_iter().map(|(_, value)| value).collect();
        files.push(LakeFile { meta, partition_values });
    }
    Ok(Some(Folder::Table(Arc::new(Listing { format, partition_columns, files, rollups }))))
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
    pub(crate) fn into_listing(self, table: &str) -> Result<Option<Arc<Listing>>> {
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
