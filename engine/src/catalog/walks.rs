//! Folders on a disk that are known to be as they were when they were listed.
//!
//! A list names what there is and asks for the state of each file several times, on one thread. Of a folder that was
//! listed before, its folders and files are asked for their state alone: the system notes when each was changed last in any
//! way, which nobody can set, so that where all have the same time no name has come or gone and all files are as they were.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path as DiskPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::try_join_all;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use tokio::task::{JoinError, spawn_blocking};

use crate::catalog::listing::{DELTA_LOG, Listing, ROLLUPS};
use crate::error::{EngineError, Result, innermost};

/// Folders with fewer files are listed in no time.
const WORTH: usize = 50;
/// Files that are remembered, of all folders: about 500 bytes each.
const MOST: usize = 300_000;
/// How long ago the last change must lie: clocks of file systems tick, and a second change within a tick shows nowhere.
const TICK: Duration = Duration::from_secs(2);
/// Files and folders that one thread asks for.
const AT_ONCE: usize = 25_000;

/// The folders of a lake that were listed.
#[derive(Debug)]
pub(super) struct Walks {
    known: Mutex<Known>,
    tick: Duration,
}

#[derive(Debug, Default)]
struct Known {
    /// With the number of the list for which each was of use the last time.
    walks: BTreeMap<Path, (u64, Arc<Walk>)>,
    lists: u64,
}

/// What a list found, and how it is told that it would find the same again.
#[derive(Debug)]
struct Walk {
    /// Folders and files, with the time of their last change.
    entries: Vec<(PathBuf, Change)>,
    listing: Arc<Listing>,
}

/// Which file has a name, and when it or what is known of it was changed, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    place: u64,
    time: i128,
}

impl Default for Walks {
    fn default() -> Self {
        Self { known: Mutex::default(), tick: TICK }
    }
}

impl Walks {
    /// What `folder` had when it was listed, if nothing in it has changed since.
    ///
    /// # Errors
    /// When the threads that look have ended.
    pub(super) async fn unchanged(&self, folder: &Path) -> Result<Option<Arc<Listing>>> {
        let Some(walk) = self.get(folder) else { return Ok(None) };
        if still_holds(&walk).await? {
            return Ok(Some(Arc::clone(&walk.listing)));
        }
        self.forget(folder);
        Ok(None)
    }

    /// Remembers what was found in `folder` from `began` on, if that is worth it and certain.
    ///
    /// # Errors
    /// As [`Walks::unchanged`].
    pub(super) async fn remember(
        &self,
        folder: &Path,
        listing: &Arc<Listing>,
        began: SystemTime,
    ) -> Result<()> {
        if !(WORTH..=MOST).contains(&listing.files.len()) {
            return Ok(());
        }
        let before = began.checked_sub(self.tick).unwrap_or(UNIX_EPOCH);
        let (root, found) = (folder.clone(), Arc::clone(listing));
        let walk = spawn_blocking(move || Walk::of(&root, found, before)).await.map_err(ended)?;
        if let Some(walk) = walk {
            self.keep(folder, walk);
        }
        Ok(())
    }

    fn get(&self, folder: &Path) -> Option<Arc<Walk>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.lists += 1;
        let now = known.lists;
        let (used, walk) = known.walks.get_mut(folder)?;
        *used = now;
        Some(Arc::clone(walk))
    }

    fn forget(&self, folder: &Path) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).walks.remove(folder);
    }

    fn keep(&self, folder: &Path, walk: Walk) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = known.lists;
        known.walks.insert(folder.clone(), (now, Arc::new(walk)));
        while known.walks.values().map(|(_, walk)| walk.listing.files.len()).sum::<usize>() > MOST {
            let oldest = known.walks.iter().min_by_key(|(_, (used, _))| *used).map(|(path, _)| path.clone());
            let Some(oldest) = oldest else { return };
            known.walks.remove(&oldest);
        }
    }
}

impl Walk {
    /// That `listing` was found in `root`, where nothing has changed since `before`, which is before it was listed; `None` if
    /// something may have.
    fn of(root: &Path, listing: Arc<Listing>, before: SystemTime) -> Option<Self> {
        let before = i128::try_from(before.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()?;
        let mut entries = Vec::with_capacity(listing.files.len());
        let mut left = vec![LocalFileSystem::new().path_to_filesystem(root).ok()?];
        let rested = |path: &DiskPath| Change::of(path).filter(|change| change.time < before);
        while let Some(folder) = left.pop() {
            let change = rested(&folder)?;
            for entry in fs::read_dir(&folder).ok()? {
                let entry = entry.ok()?;
                let kind = entry.file_type().ok()?;
                if kind.is_dir() {
                    if matters(&entry.file_name()) {
                        left.push(entry.path());
                    }
                } else if kind.is_file() {
                    let path = entry.path();
                    let change = rested(&path)?;
                    entries.push((path, change));
                } else {
                    // Where a link leads may change without a trace here.
                    return None;
                }
            }
            entries.push((folder, change));
        }
        Some(Self { entries, listing })
    }
}

/// Whether what lies in a folder of this name may be a part of a table, or keep it from being one: signs of life in the records of
/// jobs are not.
fn matters(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    !name.starts_with(['_', '.']) || name == ROLLUPS || name == DELTA_LOG
}

impl Change {
    /// The last one of the file or folder at `path`; `None` if there is none, or the system does not tell.
    #[cfg(unix)]
    fn of(path: &DiskPath) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let state = fs::metadata(path).ok()?;
        let time = i128::from(state.ctime()) * 1_000_000_000 + i128::from(state.ctime_nsec());
        Some(Self { place: state.ino(), time })
    }

    #[cfg(not(unix))]
    fn of(_path: &DiskPath) -> Option<Self> {
        None
    }
}

fn ended(error: JoinError) -> EngineError {
    EngineError::Defect { reason: innermost(&error) }
}

async fn still_holds(walk: &Arc<Walk>) -> Result<bool> {
    let parts = (0..walk.entries.len()).step_by(AT_ONCE).map(|first| {
        let walk = Arc::clone(walk);
        spawn_blocking(move || {
            let part = walk.entries.iter().skip(first).take(AT_ONCE);
            part.into_iter().all(|(path, then)| Change::of(path) == Some(*then))
        })
    });
    let same = try_join_all(parts).await.map_err(ended)?;
    Ok(same.into_iter().all(|same| same))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use crate::catalog::TableFormat;
    use crate::catalog::listing::{Folder, LakeFile, Lists, list, list_with};
    use object_store::ObjectMeta;

    use super::*;

    /// Longer than clocks of file systems tick.
    const SHORT: Duration = Duration::from_millis(40);

    struct Tree {
        folder: tempfile::TempDir,
        store: LocalFileSystem,
        walks: Lists,
    }

    impl Tree {
        /// Files in ten folders, and an empty folder.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            for number in 0..WORTH {
                let within = folder.path().join(format!("月={}", number % 10));
                fs::create_dir_all(&within).unwrap();
                fs::write(within.join(format!("{number} 100%.parquet")), "rows").unwrap();
            }
            fs::create_dir(folder.path().join("empty")).unwrap();
            let walks = Lists::Disk(Walks { tick: SHORT, ..Walks::default() });
            Self { folder, store: LocalFileSystem::new(), walks }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn root(&self) -> Path {
            Path::from_absolute_path(self.folder.path()).unwrap()
        }

        fn known(&self) -> Option<Arc<Walk>> {
            let Lists::Disk(walks) = &self.walks else { panic!("a disk") };
            walks.get(&self.root())
        }

        /// Lists, as it must be; whether nothing was listed for it.
        async fn list(&self) -> bool {
            let known = self.known();
            let found = list_with(&self.walks, &self.store, &self.root()).await.unwrap();
            let expected = list(&self.store, &self.root()).await.unwrap();
            let (Folder::Table(found), Folder::Table(expected)) = (found, expected) else {
                panic!("a table")
            };
            assert_eq!(found, expected);
            let still = self.known();
            known.zip(still).is_some_and(|(before, after)| Arc::ptr_eq(&before, &after))
        }
    }

    fn modified(path: &DiskPath) -> SystemTime {
        fs::metadata(path).unwrap().modified().unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_lists_what_is_there_after_any_change() {
        type Changed = (&'static str, fn(&Tree));
        let changes: [Changed; 9] = [
            ("a new file", |tree| fs::write(tree.at("月=3/new.parquet"), "rows").unwrap()),
            ("a file that is no part of the table", |tree| fs::write(tree.at("月=9/.hidden"), "").unwrap()),
            ("a new folder", |tree| {
                fs::rename(tree.at("empty"), tree.at("月=11")).unwrap();
                fs::write(tree.at("月=11/a.parquet"), "").unwrap();
            }),
            ("a file gone", |tree| fs::remove_file(tree.at("月=4/4 100%.parquet")).unwrap()),
            ("another name", |tree| {
                fs::rename(tree.at("月=1/1 100%.parquet"), tree.at("月=1/x.parquet")).unwrap()
            }),
            ("written anew, as long as before", |tree| {
                fs::write(tree.at("月=5/5 100%.parquet"), "ROWS").unwrap()
            }),
            ("longer", |tree| {
                let mut file = File::options().append(true).open(tree.at("月=6/6 100%.parquet")).unwrap();
                file.write_all(b"more").unwrap();
            }),
            ("written anew, with the size and time of before", |tree| {
                let path = tree.at("月=7/7 100%.parquet");
                let time = modified(&path);
                fs::write(&path, "ROWS").unwrap();
                File::open(&path).unwrap().set_modified(time).unwrap();
            }),
            ("replaced, with the size and all times of before", |tree| {
                let (old, new, folder) =
                    (tree.at("月=8/8 100%.parquet"), tree.at("月=8/other"), tree.at("月=8"));
                let (time, of_folder) = (modified(&old), modified(&folder));
                fs::write(&new, "ROWS").unwrap();
                File::open(&new).unwrap().set_modified(time).unwrap();
                fs::rename(new, old).unwrap();
                File::open(folder).unwrap().set_modified(of_folder).unwrap();
            }),
        ];
        let tree = Tree::new();
        for (name, change) in changes {
            std::thread::sleep(SHORT * 2);
            tree.list().await;
            assert!(tree.list().await, "before {name}: nothing has changed");
            change(&tree);
            assert!(!tree.list().await, "{name}");
        }
        std::thread::sleep(SHORT * 2);
        fs::create_dir(tree.at("_job")).unwrap();
        std::thread::sleep(SHORT * 2);
        tree.list().await;
        fs::write(tree.at("_job/lease.json"), "alive").unwrap();
        assert!(tree.list().await, "the records of a job");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_changed_just_now_or_may_without_a_trace_is_listed_each_time() {
        let mut tree = Tree::new();
        tree.walks = Lists::Disk(Walks::default());
        tree.list().await;
        assert!(!tree.list().await, "it was made just now");
        tree.walks = Lists::Disk(Walks { tick: SHORT, ..Walks::default() });
        std::thread::sleep(SHORT * 2);
        tree.list().await;
        assert!(tree.list().await);
        std::os::unix::fs::symlink(tree.at("月=1/1 100%.parquet"), tree.at("月=1/link.parquet")).unwrap();
        std::thread::sleep(SHORT * 2);
        tree.list().await;
        assert!(!tree.list().await, "a link");
    }

    #[test]
    fn of_too_many_folders_the_ones_not_used_are_forgotten() {
        let file = LakeFile {
            meta: ObjectMeta {
                location: Path::default(),
                last_modified: chrono::DateTime::UNIX_EPOCH,
                size: 0,
                e_tag: None,
                version: None,
            },
            partition_values: Vec::new(),
        };
        let listing = Arc::new(Listing {
            format: TableFormat::Parquet,
            partition_columns: Vec::new(),
            files: vec![file; MOST / 2],
            rollups: Vec::new(),
        });
        let walk = || Walk { entries: Vec::new(), listing: Arc::clone(&listing) };
        let walks = Walks::default();
        let [a, b, c] = ["a", "b", "c"].map(Path::from);
        walks.keep(&a, walk());
        walks.keep(&b, walk());
        walks.get(&a);
        walks.keep(&c, walk());
        assert_eq!([&a, &b, &c].map(|path| walks.get(path).is_some()), [true, false, true]);
    }
}
