//! Lakes that tests share: made once, below the target directory.

use std::fs;
use std::path::{Path, PathBuf};

/// The lake called `name`, which the first process that asks makes with `make` under a name of its own and renames, so
/// that none sees half a lake.
///
/// # Panics
/// When it cannot be made.
pub(crate) fn kept_lake(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let lakes = target_directory().join("sample-lakes");
    let lake = lakes.join(name);
    if lake.is_dir() {
        return lake;
    }
    let own = lakes.join(format!("making-{name}-{}", std::process::id()));
    fs::create_dir_all(&lakes).expect("a folder for sample lakes");
    make(&own);
    if fs::rename(&own, &lake).is_err() {
        fs::remove_dir_all(&own).expect("another process was first, this copy goes");
    }
    assert!(lake.is_dir(), "no lake at {}", lake.display());
    lake
}

/// Where this test was built: Cargo marks the folder.
fn target_directory() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let marked = test.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    marked.map_or_else(std::env::temp_dir, Path::to_path_buf)
}
