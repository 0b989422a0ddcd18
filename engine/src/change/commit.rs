//! Makes a change: one file that appears, or one note that gives files up, and then what may take its time.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use arrow::array::{RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::MemoryPool;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::PutPayload;
use object_store::path::Path;

use super::fit::{appended_schema, fit, stored_schema};
use super::{Action, Existing, Target, WriteMode};
use crate::catalog::{Folder, GivenUp, Lake, Listing, Replacement, TableFormat, below};
use crate::error::{EngineError, Result};
use crate::layout;
use crate::rollup::remove_rollups;
use crate::write::{Put, TableFolder, WriteStore, encode, next_number, remove_replaced};

/// What every change returns: how many rows were written.
pub(super) static CHANGED: LazyLock<SchemaRef> =
    LazyLock::new(|| Arc::new(Schema::new(vec![Field::new("count", DataType::UInt64, false)])));

/// How often a number for a file's name is tried that another writer takes first.
const TRIES: usize = 100;

type Rows = BoxStream<'static, std::result::Result<RecordBatch, DataFusionError>>;

/// A change of one table, ready to be made.
pub(crate) struct LakeChange {
    pub(super) target: Target,
    pub(super) lake: Arc<Lake>,
    /// A file that is written counts against it.
    pub(super) pool: Arc<dyn MemoryPool>,
    /// The columns of the rows.
    pub(super) schema: SchemaRef,
}

impl LakeChange {
    /// Makes the change and says how many rows it wrote, in the columns of [`CHANGED`]. Until the rows have all come
    /// nothing is seen of them; when this is dropped before it ends, the table is as before or as after.
    ///
    /// # Errors
    /// Those of `rows`; when they do not fit, the table is there and must not be, or is not there and must be, or the
    /// store refuses.
    pub(crate) async fn make(self, rows: Rows) -> Result<RecordBatch> {
        let count = match self.target.action {
            Action::Write(mode) => self.write(mode, rows).await?,
            Action::Drop { if_exists } => self.drop_table(if_exists).await?,
        };
        let counts = Arc::new(UInt64Array::from(vec![count]));
        Ok(RecordBatch::try_new(Arc::clone(&CHANGED), vec![counts]).map_err(DataFusionError::from)?)
    }

    async fn write(&self, mode: WriteMode, rows: Rows) -> Result<u64> {
        let place = Place::new(self)?;
        let there = self.there().await?;
        let stored = match (&there, mode.existing) {
            (None, _) if !mode.create => return Err(self.absent()),
            (Some(_), Existing::Refuse) => return Err(self.exists()),
            (Some(_), Existing::Keep) => return Ok(0),
            (Some(listing), Existing::Append) => self.columns_for(listing).await?,
            (Some(listing), Existing::Replace) => {
                self.check_parquet(listing)?;
                stored_schema(&self.schema, &self.target.name())?
            }
            (None, _) => stored_schema(&self.schema, &self.target.name())?,
        };
        let (name, columns) = (self.target.name(), Arc::clone(&stored));
        let fitted = rows.map(move |batch| fit(&batch?, &columns, &name));
        let object = encode(stored, fitted, &self.pool).await?;
        match (there, mode.existing) {
            (Some(listing), Existing::Replace) => {
                let number = next_number(&place.store, &place.folder).await?;
                let file = part(number);
                let note = place.give_up(&listing, Some(file.clone()), number).await?;
                // Whoever replaces these files at the same time finds the note, or is found here.
                if let Err(error) = self.check_alone(&place, &listing).await {
                    place.store.remove(&note).await?;
                    return Err(error);
                }
                if place.put(&file, object.payload).await? == Put::Forestalled {
                    place.store.remove(&note).await?;
                    return Err(self.contended());
                }
                place.finish().await?;
            }
            (Some(_), _) => self.add(&place, object.payload).await?,
            // Of those who make the same table at once, one takes the first name.
            (None, _) => {
                place.finish().await?;
                if place.put(&part(0), object.payload.clone()).await? == Put::Forestalled {
                    match mode.existing {
                        Existing::Keep => return Ok(0),
                        Existing::Append => self.add(&place, object.payload).await?,
                        Existing::Refuse => return Err(self.exists()),
                        Existing::Replace => return Err(self.contended()),
                    }
                }
            }
        }
        Ok(object.rows)
    }

    async fn add(&self, place: &Place, payload: PutPayload) -> Result<()> {
        for _ in 0..TRIES {
            let file = part(next_number(&place.store, &place.folder).await?);
            if place.put(&file, payload.clone()).await? == Put::Done {
                return Ok(());
            }
        }
        Err(self.contended())
    }

    async fn drop_table(&self, if_exists: bool) -> Result<u64> {
        let place = Place::new(self)?;
        match self.there().await? {
            Some(listing) => {
                self.check_parquet(&listing)?;
                place.check_not_laid_out(&self.target.name()).await?;
                let number = next_number(&place.store, &place.folder).await?;
                place.give_up(&listing, None, number).await?;
                place.finish().await?;
                layout::remove_records(&place.store, &place.folder).await?;
                remove_rollups(&place.store, &place.folder).await?;
                place.remove_empty_folder().await;
                Ok(0)
            }
            None if if_exists => Ok(0),
            None => Err(self.absent()),
        }
    }

    /// That the files of `listing` are still those of the table, and nobody else is about to replace them.
    async fn check_alone(&self, place: &Place, listing: &Listing) -> Result<()> {
        place.check_not_laid_out(&self.target.name()).await?;
        let now = self.there().await?;
        let there: BTreeSet<GivenUp> = now
            .iter()
            .flat_map(|now| &now.files)
            .map(|file| GivenUp::new(&file.meta, &place.folder))
            .collect();
        let all = listing.files.iter().all(|file| there.contains(&GivenUp::new(&file.meta, &place.folder)));
        if all { Ok(()) } else { Err(self.contended()) }
    }

    /// The table's files, if it is there.
    async fn there(&self) -> Result<Option<Arc<Listing>>> {
        let Target { schema, table, .. } = &self.target;
        match self.lake.folder(schema, table).await? {
            Folder::Table(listing) => Ok(Some(listing)),
            Folder::Nothing => Ok(None),
            Folder::Refused(reason) => Err(self.refuse(&reason)),
        }
    }

    async fn columns_for(&self, listing: &Arc<Listing>) -> Result<SchemaRef> {
        self.check_parquet(listing)?;
        if !listing.partition_columns.is_empty() {
            return Err(self.refuse(&format!(
                "its files lie in folders by {}, and rows are added only to tables without such folders",
                listing.partition_columns.join(", ")
            )));
        }
        let Target { schema, table, .. } = &self.target;
        let shape = self.lake.shape(schema, table, listing).await?;
        appended_schema(&self.schema, &shape.file_schema, &self.target.name())
    }

    /// Files that others delivered are theirs to remove.
    fn check_parquet(&self, listing: &Listing) -> Result<()> {
        match listing.format {
            TableFormat::Parquet => Ok(()),
            _ => Err(self.refuse(
                "its files are raw ones as they were delivered, and only tables of Parquet files are written or dropped",
            )),
        }
    }

    fn refuse(&self, reason: &str) -> EngineError {
        EngineError::NotAllowed {
            what: format!("changing {}", self.target.name()),
            reason: reason.to_owned(),
        }
    }

    fn exists(&self) -> EngineError {
        EngineError::Exists { table: self.target.name() }
    }

    fn absent(&self) -> EngineError {
        EngineError::Unknown { what: "table", name: self.target.name(), hint: String::new() }
    }

    fn contended(&self) -> EngineError {
        EngineError::Write {
            table: self.target.name(),
            reason: "others write it at the same time; try again".to_owned(),
        }
    }
}

/// The name of a file of rows; sorted by name, files are in the order in which they were written.
fn part(number: u64) -> String {
    format!("part-{number:05}.parquet")
}

/// The folder of a table that is written.
struct Place {
    store: WriteStore,
    folder: Path,
}

impl Place {
    fn new(change: &LakeChange) -> Result<Self> {
        let Target { schema, table, .. } = &change.target;
        let folder = TableFolder::new(change.lake.root(), schema, table)?.path().clone();
        Ok(Self { store: WriteStore::of(&change.lake), folder })
    }

    async fn put(&self, name: &str, payload: PutPayload) -> Result<Put> {
        self.store.create(&self.folder.clone().join(name), payload).await
    }

    /// Notes that the files of `listing` are given up for `file`, or at once without one.
    async fn give_up(&self, listing: &Listing, file: Option<String>, number: u64) -> Result<Path> {
        let instead_of = listing.files.iter().map(|file| GivenUp::new(&file.meta, &self.folder)).collect();
        let note = serde_json::to_vec(&Replacement { file, instead_of, ..Replacement::default() });
        let note = note.map_err(|error| EngineError::Defect { reason: error.to_string() })?;
        let path = Replacement::note(&self.folder, number);
        match self.store.create(&path, note.into()).await? {
            Put::Done => Ok(path),
            Put::Forestalled => Err(EngineError::Write {
                table: self.folder.to_string(),
                reason: "others write it at the same time; try again".to_owned(),
            }),
        }
    }

    /// Removes the files that notes in force give up, and then those notes.
    async fn finish(&self) -> Result<()> {
        remove_replaced(&self.store, &self.folder).await
    }

    /// What is laid out anew is not replaced meanwhile; what such a writer left that was killed is given up for good.
    async fn check_not_laid_out(&self, name: &str) -> Result<()> {
        if !layout::has_unfinished(&self.store, &self.folder).await? {
            return Ok(());
        }
        let log = layout::log(self.store.clone(), &self.folder, name);
        if layout::is_held(&log).await? {
            return Err(EngineError::Write {
                table: name.to_owned(),
                reason: "`tithe optimize` lays it out anew: try again when that is done".to_owned(),
            });
        }
        layout::abandon_unfinished(&log, &self.folder).await
    }

    /// On a disk an empty folder would still be listed, as a table that cannot be read.
    async fn remove_empty_folder(&self) {
        if let Some(folder) = self.store.on_disk(&self.folder) {
            // Whatever else lies there keeps it.
            let gone = tokio::fs::remove_dir(&folder).await;
            if let Err(error) = gone {
                tracing::debug!(folder = below(&self.folder, &Path::default()), %error, "the folder stays");
            }
        }
    }
}
