//! The table that a job writes: what lies there, and where a partition's file goes.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::datasource::file_format::parquet::transform_schema_to_view;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::catalog::{Folder, Lake, list_folder, unite};
use crate::error::{EngineError, Result};
use crate::job::definition::{JobDefinition, OutputMode};
use crate::job::value::Partition;
use crate::write::TableFolder;

/// Where the records of all jobs that write a table lie.
pub(crate) const RECORDS: &str = "_jobs";

/// A job's output as it lies there when the run begins.
#[derive(Debug)]
pub(crate) struct Output {
    folder: TableFolder,
    file: String,
    mode: OutputMode,
    /// By folder.
    existing: BTreeMap<String, Vec<ObjectMeta>>,
    partition_columns: Option<Vec<String>>,
    /// Other jobs that write this table.
    others: BTreeSet<String>,
}

impl Output {
    /// Looks at the output of `definition`.
    ///
    /// # Errors
    /// When it is something that Parquet files cannot be put beside.
    pub(crate) async fn look(lake: &Lake, folder: TableFolder, definition: &JobDefinition) -> Result<Self> {
        let store: &dyn ObjectStore = lake.store().as_ref();
        let refuse = |reason: String| EngineError::Write { table: folder.name(), reason };
        let (mut existing, mut partition_columns) = (BTreeMap::<String, Vec<ObjectMeta>>::new(), None);
        match list_folder(store, folder.path()).await? {
            Folder::Nothing => {}
            Folder::Refused(reason) => return Err(refuse(reason)),
            Folder::Table(listing) if listing.format != crate::catalog::TableFormat::Parquet => {
                return Err(refuse(
                    "it holds files of another format than Parquet: name another table".to_owned(),
                ));
            }
            Folder::Table(listing) => {
                partition_columns = Some(listing.partition_columns.clone());
                for file in &listing.files {
                    let parent = parent(&file.meta.location);
                    existing.entry(parent).or_default().push(file.meta.clone());
                }
            }
        }
        let records = store.list_with_delimiter(Some(&folder.path().clone().join(RECORDS))).await?;
        let jobs = records.common_prefixes.iter().filter_map(|path| path.filename().map(ToOwned::to_owned));
        let others = jobs.filter(|job| *job != definition.name).collect();
        let file = format!("{}.parquet", definition.name);
        Ok(Self { folder, file, mode: definition.mode, existing, partition_columns, others })
    }

    /// Checks that files with `columns` below folders of `partition_columns` can stand beside what is there.
    ///
    /// # Errors
    /// When the table could not be read any more.
    pub(crate) async fn check(
        &self,
        lake: &Lake,
        columns: &Schema,
        partition_columns: &[String],
    ) -> Result<()> {
        let refuse = |reason: String| EngineError::Write { table: self.folder.name(), reason };
        let Some(existing) = &self.partition_columns else { return Ok(()) };
        if existing != partition_columns {
            let say = |columns: &[String]| match columns {
                [] => "no columns".to_owned(),
                columns => columns.join(", "),
            };
            return Err(refuse(format!(
                "its files are partitioned by {}, and the job's would be by {}: partition alike, or name another table",
                say(existing),
                say(partition_columns)
            )));
        }
        let (schema, table) = (self.folder.schema(), self.folder.table());
        let Some(listing) = lake.listing(schema, table).await? else { return Ok(()) };
        let shape = lake.shape(schema, table, &listing).await?;
        // As the columns will be when they are read back.
        let columns = transform_schema_to_view(columns);
        let files = [
            ("the files that are there".to_owned(), shape.file_schema.as_ref()),
            ("the job's answer".to_owned(), &columns),
        ];
        unite(files).map(|_schema: SchemaRef| ()).map_err(refuse)
    }

    /// Where the file of `partition` goes, and what it replaces. `own` are the files that the job has written so far.
    ///
    /// # Errors
    /// When something is in its way.
    pub(crate) fn place(
        &self,
        partition: &Partition,
        own: &BTreeSet<Path>,
    ) -> Result<(Path, Option<ObjectMeta>)> {
        let refuse = |reason: String| EngineError::Write { table: self.folder.name(), reason };
        let folder = self.folder.partition(&partition.texts())?;
        let path = folder.clone().join(self.file.as_str());
        let none = Vec::new();
        let there = self.existing.get(folder.as_ref()).unwrap_or(&none);
        let same = there.iter().find(|meta| meta.location == path);
        if self.mode == OutputMode::Append {
            return match same {
                Some(meta) if !own.contains(&path) => Err(refuse(format!(
                    "the file {} exists and no record says that this job wrote it: move it away, or give the job \
                     another name",
                    meta.location
                ))),
                same => Ok((path, same.cloned())),
            };
        }
        match there.as_slice() {
            [] => Ok((path, None)),
            [only] => {
                let stem = only.location.filename().and_then(|name| name.strip_suffix(".parquet"));
                match stem.filter(|stem| self.others.contains(*stem)) {
                    Some(other) if !own.contains(&only.location) => Err(refuse(format!(
                        "the partition {partition} is written by the job {other} as well: let one job alone write it"
                    ))),
                    _ => Ok((only.location.clone(), Some(only.clone()))),
                }
            }
            several => Err(refuse(format!(
                "the partition {partition} has {} files, and only one can be replaced in one step: remove them \
                 first, or take the mode append",
                several.len()
            ))),
        }
    }

    /// The size of the file at `path`, if it was there.
    pub(crate) fn size(&self, path: &Path) -> Option<u64> {
        let files = self.existing.get(&parent(path))?;
        files.iter().find(|meta| meta.location == *path).map(|meta| meta.size)
    }
}

fn parent(path: &Path) -> String {
    path.as_ref().rsplit_once('/').map_or("", |(folder, _file)| folder).to_owned()
}
