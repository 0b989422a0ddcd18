//! Puts that happen whole or not at all, and only if nobody was there before.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path as DiskPath, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use tempfile::NamedTempFile;

use crate::catalog::Lake;
use crate::error::{EngineError, Result, innermost};

/// How the name of an unfinished file ends on a disk; it begins with a dot.
const UNFINISHED: &str = ".part";

/// What came of a conditional put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// The object is there, with this content.
    Done,
    /// Nothing was changed: somebody else has put or changed the object before.
    Forestalled,
}

/// A lake's store, for writing.
///
/// On a disk a file is written beside its place under a hidden name, brought to the disk, and only then given its
/// name; object stores do the like by themselves.
#[derive(Debug, Clone)]
pub(crate) struct WriteStore {
    store: Arc<dyn ObjectStore>,
    is_disk: bool,
}

impl WriteStore {
    /// The store of `lake`.
    pub(crate) fn of(lake: &Lake) -> Self {
        let is_disk = lake.location().url().scheme() == "file";
        Self { store: Arc::clone(lake.store()), is_disk }
    }

    /// The store itself, for reading and listing.
    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The file of the object at `path` where the store is a disk.
    pub(crate) fn on_disk(&self, path: &Path) -> Option<PathBuf> {
        self.is_disk.then(|| DiskPath::new("/").join(path.as_ref()))
    }

    /// Puts a new object; never replaces one.
    ///
    /// # Errors
    /// When the store refuses or cannot be reached. The object may be there all the same.
    pub(crate) async fn create(&self, path: &Path, payload: PutPayload) -> Result<Put> {
        if let Some(file) = self.on_disk(path) {
            return on_blocking_thread(move || {
                let (draft, folder) = draft(&file, &payload)?;
                match draft.persist_noclobber(&file) {
                    Ok(_file) => sync_folder(&folder).map(|()| Put::Done),
                    Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                        Ok(Put::Forestalled)
                    }
                    Err(error) => Err(error.error),
                }
            })
            .await;
        }
        conditional(self.store.put_opts(path, payload, PutMode::Create.into()).await)
    }

    /// Puts an object in the place of the one that `known` describes.
    ///
    /// A disk cannot compare and replace in one step: there, whoever replaces keeps others out by a lock.
    ///
    /// # Errors
    /// As [`WriteStore::create`].
    pub(crate) async fn replace(&self, known: &ObjectMeta, payload: PutPayload) -> Result<Put> {
        if self.on_disk(&known.location).is_some() {
            let now = match self.store.head(&known.location).await {
                Ok(now) => now,
                Err(object_store::Error::NotFound { .. }) => return Ok(Put::Forestalled),
                Err(error) => return Err(error.into()),
            };
            if now.e_tag != known.e_tag {
                return Ok(Put::Forestalled);
            }
            self.overwrite(&known.location, payload).await?;
            return Ok(Put::Done);
        }
        let version = UpdateVersion { e_tag: known.e_tag.clone(), version: known.version.clone() };
        conditional(self.store.put_opts(&known.location, payload, PutMode::Update(version).into()).await)
    }

    /// Puts an object, whatever is there.
    ///
    /// # Errors
    /// As [`WriteStore::create`].
    pub(crate) async fn overwrite(&self, path: &Path, payload: PutPayload) -> Result<()> {
        if let Some(file) = self.on_disk(path) {
            return on_blocking_thread(move || {
                let (draft, folder) = draft(&file, &payload)?;
                draft.persist(&file).map_err(|error| error.error)?;
                sync_folder(&folder)
            })
            .await;
        }
        self.store.put(path, payload).await?;
        Ok(())
    }

    /// Removes an object; one that is gone already is no error.
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub(crate) async fn remove(&self, path: &Path) -> Result<()> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes everything below `folder`, and the folder.
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub(crate) async fn remove_below(&self, folder: &Path) -> Result<()> {
        let objects: Vec<ObjectMeta> = self.store.list(Some(folder)).try_collect().await?;
        for object in objects {
            self.remove(&object.location).await?;
        }
        if let Some(folder) = self.on_disk(folder)
            && let Err(error) = tokio::fs::remove_dir_all(&folder).await
        {
            tracing::debug!(folder = %folder.display(), %error, "the folder stays");
        }
        Ok(())
    }

    /// Removes what writers of objects called `name` left unfinished below `folder` when they were killed. Only for
    /// whoever knows that none of them still writes.
    ///
    /// # Errors
    /// When the folder cannot be read or changed.
    pub(crate) async fn remove_unfinished(&self, folder: &Path, name: &str) -> Result<()> {
        self.remove_unfinished_like(folder, &draft_prefix(name)).await
    }

    /// As [`WriteStore::remove_unfinished`], of objects whose unfinished names begin with `prefix`.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn remove_unfinished_like(&self, folder: &Path, prefix: &str) -> Result<()> {
        let Some(folder) = self.on_disk(folder) else { return Ok(()) };
        let prefix = prefix.to_owned();
        on_blocking_thread(move || remove_drafts(&folder, &prefix)).await
    }
}

fn conditional(put: object_store::Result<object_store::PutResult>) -> Result<Put> {
    match put {
        Ok(_result) => Ok(Put::Done),
        Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
            Ok(Put::Forestalled)
        }
        Err(object_store::Error::NotImplemented { operation, .. }) => Err(EngineError::Connection {
            location: "the lake's store".to_owned(),
            reason: format!(
                "it has no conditional puts ({operation}), without which two writers cannot be told apart: write to \
                 a store that has them"
            ),
        }),
        Err(error) => Err(error.into()),
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| EngineError::Defect { reason: innermost(&error) })?;
    done.map_err(|error| datafusion::error::DataFusionError::IoError(error).into())
}

fn draft_prefix(name: &str) -> String {
    format!(".{name}.")
}

/// `payload` on the disk, under a hidden name in the folder of `file`.
fn draft(file: &DiskPath, payload: &PutPayload) -> std::io::Result<(NamedTempFile, PathBuf)> {
    let folder = file.parent().unwrap_or(DiskPath::new("/")).to_path_buf();
    fs::create_dir_all(&folder)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut builder = tempfile::Builder::new();
    let prefix = draft_prefix(&name);
    builder.prefix(&prefix).suffix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut draft = builder.tempfile_in(&folder)?;
    for part in payload {
        draft.write_all(part)?;
    }
    draft.as_file().sync_all()?;
    Ok((draft, folder))
}

/// A new name is on the disk when its folder is.
fn sync_folder(folder: &DiskPath) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn remove_drafts(folder: &DiskPath, prefix: &str) -> std::io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            remove_drafts(&entry.path(), prefix)?;
        } else if name.starts_with(prefix) && name.ends_with(UNFINISHED) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use object_store::local::LocalFileSystem;

    use super::*;

    fn store() -> WriteStore {
        WriteStore { store: Arc::new(LocalFileSystem::new()), is_disk: true }
    }

    fn names(folder: &DiskPath) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn an_object_is_made_once_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| Path::from_absolute_path(folder.path().join(name)).unwrap();
        let store = store();
        let path = at("k=1/a.parquet");
        assert_eq!(store.create(&path, PutPayload::from_static(b"one")).await.unwrap(), Put::Done);
        assert_eq!(store.create(&path, PutPayload::from_static(b"two")).await.unwrap(), Put::Forestalled);
        let first = store.objects().head(&path).await.unwrap();
        assert_eq!(store.replace(&first, PutPayload::from_static(b"three")).await.unwrap(), Put::Done);
        assert_eq!(store.replace(&first, PutPayload::from_static(b"four")).await.unwrap(), Put::Forestalled);
        assert_eq!(fs::read(folder.path().join("k=1/a.parquet")).unwrap(), b"three");
        assert_eq!(names(&folder.path().join("k=1")), ["a.parquet"]);
        store.remove(&path).await.unwrap();
        store.remove(&path).await.unwrap();
        assert_eq!(store.replace(&first, PutPayload::from_static(b"five")).await.unwrap(), Put::Forestalled);
    }

    #[tokio::test]
    async fn what_a_killed_writer_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("k=1");
        fs::create_dir_all(&below).unwrap();
        for name in [".a.parquet.x1.part", ".b.parquet.x1.part", "a.parquet", ".a.parquet.note"] {
            fs::write(below.join(name), "").unwrap();
        }
        let root = Path::from_absolute_path(folder.path()).unwrap();
        store().remove_unfinished(&root, "a.parquet").await.unwrap();
        assert_eq!(names(&below), [".a.parquet.note", ".b.parquet.x1.part", "a.parquet"]);
        store().remove_unfinished(&root.clone().join("absent"), "a.parquet").await.unwrap();
    }
}
