//! A partition's file is announced, put in one step, and noted.

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use sha2::{Digest, Sha256};

use crate::error::{EngineError, ErrorKind, Result};
use crate::job::lock::CommitLock;
use crate::job::log::JobLog;
use crate::job::record::{Event, FileRecord};
use crate::job::recorder::Recorder;
use crate::job::value::Partition;
use crate::write::{ParquetObject, Put, WriteStore, hexadecimal};

/// What is to be committed, and where.
pub(crate) struct Commit<'a> {
    pub(crate) job: &'a str,
    pub(crate) partition: &'a Partition,
    pub(crate) path: &'a Path,
    /// The file that lay there when the run began.
    pub(crate) replaces: Option<ObjectMeta>,
    /// `path` below the lake's root.
    pub(crate) name: String,
    pub(crate) object: ParquetObject,
}

/// Puts the file if the lease still holds.
///
/// A runner that is stopped after its intent and taken over meanwhile changes nothing any more: on a disk nobody takes
/// over before the put is done, and in an object store the put meets another state than it names.
///
/// # Errors
/// When the lease is lost, or the store cannot be written.
pub(crate) async fn commit(log: &JobLog, recorder: &Recorder, commit: Commit<'_>) -> Result<()> {
    let Commit { job, partition, path, replaces, name, object } = commit;
    let Some(lock) = CommitLock::shared(log).await? else {
        return Err(EngineError::job(job, ErrorKind::Execution, "it is being taken over by another runner"));
    };
    let file = FileRecord { path: name, rows: object.rows, size: object.size, sha256: object.sha256 };
    let sha256 = file.sha256.clone();
    recorder.write(Event::Intent { partition: partition.clone(), file }).await?;
    let store = log.store();
    let mut known = replaces;
    loop {
        let put = match &known {
            None => store.create(path, object.payload.clone()).await?,
            Some(known) => store.replace(known, object.payload.clone()).await?,
        };
        if put == Put::Done || is_stored(store, path, object.size, &sha256).await? {
            break;
        }
        // What is there now is looked at before the lease is: whoever came after this runner put it later.
        known = match store.objects().head(path).await {
            Ok(meta) => Some(meta),
            Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        recorder.confirm().await?;
    }
    drop(lock);
    Ok(())
}

/// Whether the object at `path` has this content.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn is_stored(store: &WriteStore, path: &Path, size: u64, sha256: &str) -> Result<bool> {
    let got = match store.objects().get(path).await {
        Ok(got) => got,
        Err(object_store::Error::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if got.meta.size != size {
        return Ok(false);
    }
    Ok(hexadecimal(&Sha256::digest(got.bytes().await?)) == sha256)
}
