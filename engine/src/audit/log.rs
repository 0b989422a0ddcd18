//! Writes the records of a directory, one after the other.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use super::chain::{GENESIS, digest};
use super::directory::{file_name, files, lines};
use super::record::Record;
use crate::error::{EngineError, Result};

/// Bytes after which records go to a new file.
const FILE_BYTES: u64 = 64 << 20;
const LOCK: &str = ".lock";

/// The audit of one process: no other writes to the directory at the same time.
#[derive(Debug)]
pub(crate) struct AuditLog {
    directory: PathBuf,
    file_bytes: u64,
    state: Mutex<State>,
    _lock: File,
}

#[derive(Debug)]
struct State {
    file: Option<Current>,
    sequence: u64,
    previous: String,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: File,
    /// Whole records end here.
    bytes: u64,
}

#[derive(Deserialize)]
struct Numbered {
    sequence: u64,
}

impl AuditLog {
    /// Opens a directory, makes it where there is none, and goes on after its last record.
    ///
    /// Half a record at the end, which a process that was killed may leave, is cut off: whoever asked had no row yet.
    ///
    /// # Errors
    /// When another process has the directory, or it cannot be used.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        Self::open_with(directory, FILE_BYTES)
    }

    fn open_with(directory: &Path, file_bytes: u64) -> Result<Self> {
        let refuse = |reason: String| EngineError::Configuration {
            origin: format!("the audit directory {}", directory.display()),
            reason,
        };
        let failed = |error: io::Error| refuse(error.to_string());
        private_directory().create(directory).map_err(failed)?;
        let lock = private_file().append(true).create(true).open(directory.join(LOCK)).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => {
                refuse("another process writes to it: give each its own".to_owned())
            }
            std::fs::TryLockError::Error(error) => failed(error),
        })?;
        let mut state = State { file: None, sequence: 0, previous: GENESIS.to_owned() };
        for path in files(directory).map_err(failed)?.into_iter().rev() {
            if resume(&mut state, &path).map_err(|error| refuse(format!("{}: {error}", path.display())))? {
                break;
            }
        }
        Ok(Self { directory: directory.to_owned(), file_bytes, state: Mutex::new(state), _lock: lock })
    }

    /// Writes the record that `make` makes of its number and the digest of the one before; returns the number.
    ///
    /// It is with the operating system when this returns: killing the process does not lose it.
    pub(super) fn append<'a>(&self, make: impl FnOnce(u64) -> Record<'a>) -> io::Result<u64> {
        let mut state = self.lock();
        let sequence = state.sequence + 1;
        let mut record = make(sequence);
        let previous = state.previous.clone();
        record.previous = &previous;
        let mut line = serde_json::to_vec(&record)?;
        let hash = digest(&line);
        line.push(b'\n');
        let current = self.current(&mut state, sequence)?;
        if let Err(error) = current.file.write_all(&line) {
            // Part of a line would break the chain for every later one.
            current.file.set_len(current.bytes)?;
            return Err(error);
        }
        current.bytes += u64::try_from(line.len()).unwrap_or(u64::MAX);
        state.sequence = sequence;
        state.previous = hash;
        Ok(sequence)
    }

    /// The files now, and up to which byte each holds whole records.
    pub(super) fn whole(&self) -> io::Result<Vec<(PathBuf, u64)>> {
        let state = self.lock();
        let mut whole = Vec::new();
        for path in files(&self.directory)? {
            let bytes = match &state.file {
                Some(current) if current.path == path => current.bytes,
                _ => std::fs::metadata(&path)?.len(),
            };
            whole.push((path, bytes));
        }
        Ok(whole)
    }

    fn current<'s>(&self, state: &'s mut State, sequence: u64) -> io::Result<&'s mut Current> {
        let full = state.file.as_ref().is_none_or(|current| current.bytes >= self.file_bytes);
        if full {
            let path = self.directory.join(file_name(sequence));
            let file = private_file().append(true).create(true).open(&path)?;
            // What a failed write may have left under this number.
            file.set_len(0)?;
            state.file = Some(Current { path, file, bytes: 0 });
        }
        state.file.as_mut().ok_or_else(|| io::Error::other("no file of records is open"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes up `path` where it ends; false when it holds no record.
fn resume(state: &mut State, path: &Path) -> io::Result<bool> {
    let (mut bytes, mut last, mut torn) = (0_u64, Vec::new(), false);
    lines(path, |line, ended| {
        if ended {
            bytes += u64::try_from(line.len()).unwrap_or(u64::MAX) + 1;
            last.clear();
            last.extend_from_slice(line);
        } else {
            torn = true;
        }
        Ok(())
    })?;
    let file = OpenOptions::new().append(true).open(path)?;
    if torn {
        tracing::warn!(
            target: "tithe::audit",
            file = %path.display(),
            "half a record at the end, of a process that was killed, is cut off",
        );
        file.set_len(bytes)?;
    }
    if last.is_empty() {
        return Ok(false);
    }
    let numbered: Numbered = serde_json::from_slice(&last)
        .map_err(|error| io::Error::other(format!("its last record is not one ({error})")))?;
    state.sequence = numbered.sequence;
    state.previous = digest(&last);
    state.file = Some(Current { path: path.to_owned(), file, bytes });
    Ok(true)
}

fn private_directory() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::super::record::Event;
    use super::super::verify::verify_audit;
    use super::*;

    fn append(log: &AuditLog, sql: &str) -> u64 {
        let record = |sequence| Record {
            sequence,
            previous: "",
            event: Event::End,
            query: sequence,
            id: String::new(),
            began_at: String::new(),
            written_at: String::new(),
            who: "lin",
            groups: Vec::new(),
            roles: Vec::new(),
            sql,
            parameters: Vec::new(),
            tables: Vec::new(),
            columns: Vec::new(),
            policy: "unrestricted",
            outcome: Some("done"),
            error: None,
            rows: Some(1),
            milliseconds: Some(1),
        };
        log.append(record).unwrap()
    }

    #[test]
    fn records_go_on_after_those_that_are_there() {
        let directory = tempfile::tempdir().unwrap();
        for first in [1, 4] {
            let log = AuditLog::open_with(directory.path(), 300).unwrap();
            for k in 0..3 {
                assert_eq!(append(&log, "SELECT 1"), first + k);
            }
        }
        assert!(files(directory.path()).unwrap().len() > 1);
        let verified = verify_audit(directory.path()).unwrap();
        assert_eq!((verified.first, verified.last), (1, 6));
    }

    #[test]
    fn half_a_record_is_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        append(&AuditLog::open(directory.path()).unwrap(), "SELECT 1");
        let path = files(directory.path()).unwrap().remove(0);
        let whole = std::fs::read(&path).unwrap();
        for half in [&whole[..1], &whole[..whole.len() - 1]] {
            std::fs::write(&path, [&whole, half].concat()).unwrap();
            assert!(verify_audit(directory.path()).is_err());
            drop(AuditLog::open(directory.path()).unwrap());
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
        std::fs::write(&path, &whole[..5]).unwrap();
        assert_eq!(append(&AuditLog::open(directory.path()).unwrap(), "SELECT 2"), 1);
        assert_eq!(verify_audit(directory.path()).unwrap().last, 1);
    }

    #[test]
    fn two_processes_do_not_write_to_one_directory() {
        let directory = tempfile::tempdir().unwrap();
        let _first = AuditLog::open(directory.path()).unwrap();
        let second = AuditLog::open(directory.path()).unwrap_err().to_string();
        assert!(second.contains("another process writes to it"), "{second}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("audit");
        append(&AuditLog::open(&directory).unwrap(), "SELECT 1");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&files(&directory).unwrap()[0]), 0o600);
    }
}
