//! A job's log: numbered objects of which each is made once.
//!
//! That an object is made only where none was before is all that is asked of the store, and it makes one order of
//! whatever several runners write. Whoever lost the lease finds somebody else's entry where its next one should go.

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use crate::error::{EngineError, Result};
use crate::job::record::Entry;
use crate::job::state::State;
use crate::write::{Put, WriteStore};

/// Entries read at once.
const READS: usize = 16;
/// Digits of a number, so that names sort as numbers do.
const DIGITS: usize = 10;

/// Where a job's records lie: `<table>/_jobs/<job>/`, which no reader takes for data.
#[derive(Debug, Clone)]
pub(crate) struct JobLog {
    store: WriteStore,
    folder: Path,
    name: String,
}

/// What came of an append.
#[derive(Debug)]
pub(crate) enum Appended {
    Done,
    /// The number was taken by this entry.
    Forestalled(Box<Entry>),
}

impl JobLog {
    /// The log in `folder`, of the job called `name`.
    pub(crate) fn new(store: WriteStore, folder: Path, name: &str) -> Self {
        Self { store, folder, name: name.to_owned() }
    }

    pub(crate) fn store(&self) -> &WriteStore {
        &self.store
    }

    /// A file among the records.
    pub(crate) fn file(&self, name: &str) -> Path {
        self.folder.clone().join(name)
    }

    fn entry(&self, number: u64) -> Path {
        self.folder.clone().join("log").join(format!("{number:0DIGITS$}.json"))
    }

    /// Reads the whole log.
    ///
    /// # Errors
    /// When the store cannot be read, or an entry is broken or missing.
    pub(crate) async fn read(&self) -> Result<State> {
        let below = self.folder.clone().join("log");
        let mut numbers: Vec<u64> = self
            .store
            .objects()
            .list(Some(&below))
            .try_filter_map(|meta| async move {
                let name = meta.location.filename().and_then(|name| name.strip_suffix(".json"));
                Ok(name.and_then(|digits| digits.parse::<u64>().ok()))
            })
            .try_collect()
            .await?;
        numbers.sort_unstable();
        let mut state = State::default();
        let mut entries = futures::stream::iter(numbers)
            .map(|number| async move { Ok::<_, EngineError>((number, self.get(number).await?)) })
            .buffered(READS);
        while let Some((number, entry)) = entries.try_next().await? {
            match entry {
                Some(entry) if number == state.last + 1 => state.apply(number, entry),
                _ => return Err(self.broken(state.last + 1, "it is missing")),
            }
        }
        Ok(state)
    }

    /// Takes the entries into `state` that were written since it was read.
    ///
    /// # Errors
    /// As [`JobLog::read`].
    pub(crate) async fn catch_up(&self, state: &mut State) -> Result<()> {
        while let Some(entry) = self.get(state.last + 1).await? {
            state.apply(state.last + 1, entry);
        }
        Ok(())
    }

    async fn get(&self, number: u64) -> Result<Option<Entry>> {
        let got = match self.store.objects().get(&self.entry(number)).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let bytes = got.bytes().await?;
        match serde_json::from_slice(&bytes) {
            Ok(entry) => Ok(Some(entry)),
            Err(error) => Err(self.broken(number, &format!("it is not understood ({error})"))),
        }
    }

    fn broken(&self, number: u64, reason: &str) -> EngineError {
        EngineError::job(
            &self.name,
            crate::error::ErrorKind::Execution,
            format!(
                "the record {} is unusable, {reason}: bring it back, or remove the folder {} and the job's files \
                 and run it anew",
                self.entry(number),
                self.folder
            ),
        )
    }

    /// Writes `entry` as the one after `last`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn append(&self, last: u64, entry: &Entry) -> Result<Appended> {
        let text =
            serde_json::to_vec(entry).map_err(|error| EngineError::Defect { reason: error.to_string() })?;
        if self.store.create(&self.entry(last + 1), PutPayload::from(text)).await? == Put::Done {
            return Ok(Appended::Done);
        }
        match self.get(last + 1).await? {
            // A retry of the network met its own first try.
            Some(found) if found.id == entry.id => Ok(Appended::Done),
            Some(found) => Ok(Appended::Forestalled(Box::new(found))),
            None => Err(self.broken(last + 1, "it came and went")),
        }
    }
}
