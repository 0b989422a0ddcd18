//! One process at a time lays out a table, and whatever it leaves when it is killed is cleared away by the next.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures::TryStreamExt;
use object_store::ObjectMeta;
use object_store::path::Path;
use tokio::task::JoinHandle;

use crate::catalog::{Replacement, below};
use crate::error::{EngineError, ErrorKind, Result};
use crate::job::{self, CommitLock, Event, JobLog, JobOutcome, Lease, Recorder, Runner, Taken, take};
use crate::write::{Put, WriteStore};

/// Where the records lie that tell whose turn it is: beside the files, where no reader takes them for data.
const RECORDS: &str = "_layout";
/// How long a process may be silent before another takes over.
const LEASE: Duration = Duration::from_secs(30);
/// A file on its way to an object store when its writer was taken over arrives sooner than this.
const LATE: TimeDelta = TimeDelta::hours(1);

/// The log that tells whose turn it is to lay out the table in `folder`.
pub(crate) fn log(store: WriteStore, folder: &Path, table: &str) -> JobLog {
    JobLog::new(store, folder.clone().join(RECORDS), &format!("optimize {table}"))
}

/// Whether a process may be at work.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn is_held(log: &JobLog) -> Result<bool> {
    let state = log.read().await?;
    job::is_held(log, &state).await
}

/// Whether there is a note on files that are not in force yet, and whose writer has not been given up.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn has_unfinished(store: &WriteStore, folder: &Path) -> Result<bool> {
    Ok(unfinished(store, folder).await?.iter().any(|(_, note)| !note.abandoned))
}

/// Sees to it that files which a killed process left are never put in force. Only for whoever found that no process is
/// at work.
///
/// # Errors
/// When one is, after all, or the store cannot be changed.
pub(crate) async fn abandon_unfinished(log: &JobLog, folder: &Path) -> Result<()> {
    let state = log.read().await?;
    clear_away(log, folder, state.lease.as_ref()).await
}

/// Removes the records, with the table.
///
/// # Errors
/// When the store cannot be changed.
pub(crate) async fn remove_records(store: &WriteStore, folder: &Path) -> Result<()> {
    store.remove_below(&folder.clone().join(RECORDS)).await
}

/// A turn that was taken.
pub(super) struct Turn {
    pub(super) log: JobLog,
    pub(super) recorder: Recorder,
    writer: JoinHandle<Taken>,
}

impl Turn {
    /// Takes the turn, and clears away what others left.
    ///
    /// # Errors
    /// When another process has it, or the store cannot be used.
    pub(super) async fn take(log: JobLog, folder: &Path, table: &str) -> Result<Self> {
        let state = log.read().await?;
        let holder = state.lease.clone();
        let name = format!("optimize {table}");
        let taken = take(log.clone(), state, LEASE, &name).await.map_err(|error| match error.kind() {
            ErrorKind::Limit => EngineError::Write {
                table: table.to_owned(),
                reason: format!(
                    "another process lays it out{}: wait until it is done",
                    holder.as_ref().map_or_else(String::new, |lease| format!(
                        ", {} on {}",
                        lease.runner.process, lease.runner.host
                    ))
                ),
            },
            _ => error,
        })?;
        let (recorder, writer) = Recorder::start(taken, &name);
        let turn = Self { log, recorder, writer };
        if let Err(error) = clear_away(&turn.log, folder, holder.as_ref()).await {
            turn.end(JobOutcome::Failed).await?;
            return Err(error);
        }
        Ok(turn)
    }

    /// Gives the turn back.
    ///
    /// # Errors
    /// When it was lost.
    pub(super) async fn end(self, outcome: JobOutcome) -> Result<()> {
        let said = self.recorder.write(Event::End { outcome }).await;
        drop(self.recorder);
        self.writer.await.map_err(|error| EngineError::Defect { reason: error.to_string() })?;
        said
    }
}

async fn unfinished(store: &WriteStore, folder: &Path) -> Result<Vec<(ObjectMeta, Replacement)>> {
    let objects = store.objects().list_with_delimiter(Some(folder)).await?.objects;
    let mut found = Vec::new();
    for meta in objects {
        if meta.location.filename().is_some_and(Replacement::is_note)
            && let Some(note) = Replacement::read(store.objects().as_ref(), &meta.location).await?
            && note.unfinished.is_some()
        {
            found.push((meta, note));
        }
    }
    Ok(found)
}

/// Whether the writer of the files of `note` is known to write no more; `holder` is who had the turn last.
fn has_ended(note: &Replacement, holder: Option<&Lease>) -> bool {
    let said =
        |writer: &Runner| holder.is_some_and(|lease| lease.runner == *writer && lease.outcome.is_some());
    note.writer.as_ref().is_some_and(|writer| writer.is_gone() || said(writer))
}

/// Removes files that were not put in force. The note that keeps them out of the table stays, with a mark, unless
/// their writer is known to have ended: one that was thought dead may put a file yet.
async fn clear_away(log: &JobLog, folder: &Path, holder: Option<&Lease>) -> Result<()> {
    let store = log.store();
    let notes = unfinished(store, folder).await?;
    if notes.is_empty() {
        return store.remove_unfinished_like(folder, &format!(".{}", Replacement::LAID_OUT)).await;
    }
    let busy = || EngineError::Write {
        table: folder.to_string(),
        reason: "others write it at the same time; try again".to_owned(),
    };
    // On a disk nobody puts files in force while this is held.
    let Some(_lock) = CommitLock::exclusive(log).await? else { return Err(busy()) };
    for (meta, note) in notes {
        let gone = has_ended(&note, holder) || Utc::now() - meta.last_modified > LATE;
        let abandoned = Replacement { abandoned: true, ..note.clone() };
        if !note.abandoned {
            let text = serde_json::to_vec(&abandoned)
                .map_err(|error| EngineError::Defect { reason: error.to_string() })?;
            if store.replace(&meta, text.into()).await? == Put::Forestalled {
                return Err(busy());
            }
        }
        let beginning = note.unfinished.unwrap_or_default();
        let objects: Vec<ObjectMeta> = store.objects().list(Some(folder)).try_collect().await?;
        for object in objects.iter().filter(|object| below(&object.location, folder).starts_with(&beginning))
        {
            store.remove(&object.location).await?;
        }
        if gone {
            store.remove(&meta.location).await?;
        }
    }
    store.remove_unfinished_like(folder, &format!(".{}", Replacement::LAID_OUT)).await
}
