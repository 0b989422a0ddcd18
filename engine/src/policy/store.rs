//! The policy in force: read from its file, and read again when the file changes.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::error::{EngineError, Result};
use crate::policy::rules::{LARGEST_FILE, Policy};

/// How long a change of the file may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A policy file and what it last said that was understood.
#[derive(Debug)]
pub(crate) struct PolicyStore {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    policy: Arc<Policy>,
    stamp: Option<Stamp>,
    looked: Instant,
}

/// Differs when the file has been written again.
type Stamp = (SystemTime, u64);

impl PolicyStore {
    /// Reads the policy.
    ///
    /// # Errors
    /// When the file cannot be read or is not understood.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let stamp = stamp(path);
        let policy = Arc::new(read(path)?);
        let state = Mutex::new(State { policy, stamp, looked: Instant::now() });
        Ok(Self { path: path.to_owned(), state })
    }

    /// The policy now. A changed file that is not understood alarms and changes nothing: the last good one holds.
    pub(crate) fn current(&self) -> Arc<Policy> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK_EVERY {
            state.looked = Instant::now();
            let now = stamp(&self.path);
            if now != state.stamp {
                state.stamp = now;
                match read(&self.path) {
                    Ok(policy) => {
                        tracing::info!(
                            target: "tithe::policy",
                            file = %self.path.display(),
                            version = policy.version(),
                            "a new policy is in force",
                        );
                        state.policy = Arc::new(policy);
                    }
                    Err(error) => tracing::error!(
                        target: "tithe::policy",
                        version = state.policy.version(),
                        "the changed policy is not used, and the last good one stays in force: {error}",
                    ),
                }
            }
        }
        Arc::clone(&state.policy)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

fn read(path: &Path) -> Result<Policy> {
    let origin = path.display().to_string();
    let refuse = |reason: String| EngineError::Configuration { origin: origin.clone(), reason };
    let file = std::fs::File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut text = String::new();
    let read =
        file.take(LARGEST_FILE + 1).read_to_string(&mut text).map_err(|error| refuse(error.to_string()))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > LARGEST_FILE {
        return Err(refuse(format!("it is larger than {} MiB", LARGEST_FILE >> 20)));
    }
    Policy::parse(&text, &origin)
}
