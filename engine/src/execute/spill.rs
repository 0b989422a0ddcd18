//! Where queries write what does not fit into their memory.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "tithe-spill-";

/// A folder of this process alone. It goes with this; where the process is killed, it goes when the next one starts.
#[derive(Debug)]
pub(crate) struct SpillFolder {
    folder: TempDir,
    /// Held as long as the folder is in use: the system lets go of it however the process ends.
    _lock: File,
}

impl SpillFolder {
    /// A new one in `parent`, from which those of killed processes are removed.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub(crate) fn open(parent: &Path) -> Result<Self> {
        remove_abandoned(parent);
        // Another process may take the new folder for abandoned until it is locked.
        for _attempt in 0..100 {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            let Ok(lock) = File::open(folder.path()) else { continue };
            if lock.try_lock().is_ok() && folder.path().is_dir() {
                return Ok(Self { folder, _lock: lock });
            }
        }
        Err(Error::new(ErrorKind::AlreadyExists, "other processes remove every new folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What cannot be looked at belongs to somebody else.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        let Ok(lock) = File::open(&path) else { continue };
        if lock.try_lock().is_ok()
            && let Err(error) = fs::remove_dir_all(&path)
        {
            tracing::warn!(
                "the temporary files that a killed process left in {} cannot be removed ({error}): remove them",
                path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_goes_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let abandoned = parent.path().join(format!("{PREFIX}left"));
        fs::create_dir(&abandoned).unwrap();
        fs::write(abandoned.join("rows"), "rows").unwrap();
        fs::create_dir(parent.path().join("other")).unwrap();
        let in_use = SpillFolder::open(parent.path()).unwrap();
        assert!(!abandoned.exists());
        let second = SpillFolder::open(parent.path()).unwrap();
        assert!(in_use.path().is_dir() && second.path().is_dir() && parent.path().join("other").is_dir());
        let gone = in_use.path().to_path_buf();
        drop(in_use);
        assert!(!gone.exists() && second.path().is_dir());
    }
}
