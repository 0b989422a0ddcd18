//! On a disk, nobody takes a job over between another's intent and its file.
//!
//! Object stores need no lock: there each put of a file names the state that it replaces.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::error::{EngineError, Result, innermost};
use crate::job::log::JobLog;

const FILE: &str = "lock";
/// A commit takes less; a runner that was stopped within one keeps the lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// A lock that ends when it is dropped, or with the process.
#[derive(Debug)]
pub(crate) struct CommitLock {
    _file: Option<File>,
}

impl CommitLock {
    /// Held while a file is committed, by any number of tasks.
    ///
    /// # Errors
    /// When the disk cannot be used.
    pub(crate) async fn shared(log: &JobLog) -> Result<Option<Self>> {
        Self::lock(log, File::try_lock_shared).await
    }

    /// Held while the lease changes hands; `None` when a commit does not end.
    ///
    /// # Errors
    /// When the disk cannot be used.
    pub(crate) async fn exclusive(log: &JobLog) -> Result<Option<Self>> {
        Self::lock(log, File::try_lock).await
    }

    async fn lock(log: &JobLog, how: fn(&File) -> Result<(), TryLockError>) -> Result<Option<Self>> {
        let Some(path) = log.store().on_disk(&log.file(FILE)) else {
            return Ok(Some(Self { _file: None }));
        };
        let locked = tokio::task::spawn_blocking(move || wait(path, how)).await;
        let locked = locked.map_err(|error| EngineError::Defect { reason: innermost(&error) })?;
        let locked = locked.map_err(datafusion::error::DataFusionError::IoError)?;
        Ok(locked.map(|file| Self { _file: Some(file) }))
    }
}

fn wait(path: PathBuf, how: fn(&File) -> Result<(), TryLockError>) -> std::io::Result<Option<File>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    let began = Instant::now();
    loop {
        match how(&file) {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if began.elapsed() > PATIENCE => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
