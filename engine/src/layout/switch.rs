//! New files take the place of old ones in one put.
//!
//! First a note says how the names of the new files begin, and keeps them out of the table. They are put, whole, one
//! after the other. Then the note is replaced by one that names them, and the files whose place they take.

use std::collections::BTreeSet;

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutPayload};
use uuid::Uuid;

use crate::catalog::{Folder, GivenUp, Replacement, below, list_folder};
use crate::error::{EngineError, Result};
use crate::job::{CommitLock, Runner};
use crate::layout::lease::Turn;
use crate::write::{Put, next_number};

/// How often a number for a note is tried that another writer takes first.
const TRIES: usize = 100;

/// The table whose files are replaced, by whoever has the turn.
pub(super) struct Switch<'a> {
    pub(super) turn: &'a Turn,
    /// The table's folder.
    pub(super) folder: &'a Path,
    /// `schema.table`.
    pub(super) table: &'a str,
}

/// Files that are written and not in force.
pub(super) struct Staged {
    note: ObjectMeta,
    /// How their names begin.
    prefix: String,
}

impl Switch<'_> {
    /// Begins to write files for `partition`, a folder of the table.
    ///
    /// # Errors
    /// When the turn is lost, or the store refuses.
    pub(super) async fn stage(&self, partition: &str) -> Result<Staged> {
        self.turn.recorder.confirm().await?;
        let store = self.turn.log.store();
        let id = Uuid::new_v4().simple().to_string();
        let prefix = Replacement::prefix(partition, id.get(..12).unwrap_or(&id));
        let note = Replacement {
            unfinished: Some(prefix.clone()),
            writer: Some(Runner::this()),
            ..Replacement::default()
        };
        let text = encoded(&note)?;
        for _ in 0..TRIES {
            let path = Replacement::note(self.folder, next_number(store, self.folder).await?);
            if store.create(&path, text.clone()).await? == Put::Done {
                let note = store.objects().head(&path).await?;
                return Ok(Staged { note, prefix });
            }
        }
        Err(self.contended())
    }

    /// Puts the file number `number`, and gives its name below the table's folder.
    ///
    /// # Errors
    /// When the turn is lost, or the store refuses.
    pub(super) async fn put(&self, staged: &Staged, number: usize, payload: PutPayload) -> Result<String> {
        self.turn.recorder.confirm().await?;
        let name = format!("{}{number:05}.parquet", staged.prefix);
        match self.turn.log.store().create(&self.below_folder(&name)?, payload).await? {
            Put::Done => Ok(name),
            Put::Forestalled => Err(self.contended()),
        }
    }

    /// Puts `files` in force in the place of `sources`, which must still be there as they were.
    ///
    /// # Errors
    /// When they are not, others replace them at the same time, or the turn is lost: then they stay in force.
    pub(super) async fn switch(
        &self,
        staged: &Staged,
        sources: &[ObjectMeta],
        files: Vec<String>,
    ) -> Result<()> {
        let Some(_lock) = CommitLock::shared(&self.turn.log).await? else { return Err(self.contended()) };
        self.turn.recorder.confirm().await?;
        let instead_of: BTreeSet<GivenUp> =
            sources.iter().map(|meta| GivenUp::new(meta, self.folder)).collect();
        self.check_pending(&instead_of, staged).await?;
        self.check_there(&instead_of).await?;
        let note = Replacement {
            further: files,
            instead_of: instead_of.into_iter().collect(),
            ..Replacement::default()
        };
        match self.turn.log.store().replace(&staged.note, encoded(&note)?).await? {
            Put::Done => Ok(()),
            Put::Forestalled => Err(self.contended()),
        }
    }

    /// Gives up what was staged, by whoever staged it.
    ///
    /// # Errors
    /// When the store refuses: then the next who lays out the table sees to it.
    pub(super) async fn withdraw(&self, staged: &Staged, files: &[String]) -> Result<()> {
        self.turn.recorder.confirm().await?;
        for file in files {
            self.turn.log.store().remove(&self.below_folder(file)?).await?;
        }
        self.turn.log.store().remove(&staged.note.location).await
    }

    /// Somebody else has noted to replace the same files, and not done so yet.
    async fn check_pending(&self, sources: &BTreeSet<GivenUp>, own: &Staged) -> Result<()> {
        let store = self.turn.log.store().objects();
        let objects = store.list_with_delimiter(Some(self.folder)).await?.objects;
        let others = objects
            .iter()
            .map(|meta| &meta.location)
            .filter(|path| **path != own.note.location && path.filename().is_some_and(Replacement::is_note));
        for path in others {
            let Some(note) = Replacement::read(store.as_ref(), path).await? else { continue };
            let same_files = note.instead_of.iter().any(|old| sources.contains(old));
            let pending = note
                .file
                .as_ref()
                .is_some_and(|file| !objects.iter().any(|meta| below(&meta.location, self.folder) == *file));
            if same_files && pending {
                return Err(EngineError::Write {
                    table: self.table.to_owned(),
                    reason: format!(
                        "others replace it at the same time: try again, and where nobody does any more, remove the \
                         note {} that a writer left which was killed",
                        path.filename().unwrap_or_default()
                    ),
                });
            }
        }
        Ok(())
    }

    async fn check_there(&self, sources: &BTreeSet<GivenUp>) -> Result<()> {
        let store = self.turn.log.store().objects();
        let there: BTreeSet<GivenUp> = match list_folder(store.as_ref(), self.folder).await? {
            Folder::Table(now) => {
                now.files.iter().map(|file| GivenUp::new(&file.meta, self.folder)).collect()
            }
            Folder::Nothing | Folder::Refused(_) => BTreeSet::new(),
        };
        match sources.is_subset(&there) {
            true => Ok(()),
            false => Err(EngineError::Stale { what: format!("files of the table {}", self.table) }),
        }
    }

    fn below_folder(&self, name: &str) -> Result<Path> {
        Path::parse(format!("{}/{name}", self.folder))
            .map_err(|error| EngineError::Write { table: self.table.to_owned(), reason: error.to_string() })
    }

    fn contended(&self) -> EngineError {
        EngineError::Write {
            table: self.table.to_owned(),
            reason: "others write it at the same time; try again".to_owned(),
        }
    }
}

fn encoded(note: &Replacement) -> Result<PutPayload> {
    let text = serde_json::to_vec(note).map_err(|error| EngineError::Defect { reason: error.to_string() })?;
    Ok(text.into())
}
