//! How the files of a table are replaced, or the table dropped, all at once in a store that changes one object at a time.
//!
//! Beside the files lies a note that names those to be given up, and the one that takes their place. From the moment
//! when that file is there, or at once where none takes their place, the named files are no part of the table. They
//! and the note are then removed, by whoever wrote it or by the next who writes.

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use crate::error::Result;

const PREFIX: &str = "_replacement-";
const SUFFIX: &str = ".json";

/// The note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replacement {
    /// The file that takes the place of the others; none when the table is dropped.
    pub(crate) file: Option<String>,
    /// The files that are given up.
    pub(crate) instead_of: Vec<GivenUp>,
}

/// A file as it was when it was given up: one that is written later under its name is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenUp {
    /// Its name below the table's folder.
    pub(crate) name: String,
    size: u64,
    e_tag: Option<String>,
}

impl GivenUp {
    pub(crate) fn new(meta: &ObjectMeta, folder: &Path) -> Self {
        Self { name: below(&meta.location, folder), size: meta.size, e_tag: meta.e_tag.clone() }
    }

    /// Whether `meta` is that file.
    pub(crate) fn is(&self, meta: &ObjectMeta, folder: &Path) -> bool {
        self.size == meta.size && self.e_tag == meta.e_tag && self.name == below(&meta.location, folder)
    }
}

impl Replacement {
    /// The name of the note number `number` in a table's folder.
    pub(crate) fn note(folder: &Path, number: u64) -> Path {
        folder.clone().join(format!("{PREFIX}{number:05}{SUFFIX}"))
    }

    /// Whether an object of this name in a table's folder is a note.
    pub(crate) fn is_note(name: &str) -> bool {
        name.starts_with(PREFIX) && name.ends_with(SUFFIX)
    }

    /// Reads a note; `None` when it is gone.
    ///
    /// # Errors
    /// When the store cannot be asked, or the note is not understood.
    pub(crate) async fn read(store: &dyn ObjectStore, note: &Path) -> Result<Option<Self>> {
        let bytes = match store.get(note).await {
            Ok(object) => object.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(serde_json::from_slice(&bytes).ok())
    }

    /// Whether it is in force in a folder with the files `names`.
    pub(crate) fn holds<'a>(&self, mut names: impl Iterator<Item = &'a Path>, folder: &Path) -> bool {
        self.file.as_ref().is_none_or(|file| names.any(|name| below(name, folder) == *file))
    }
}

/// The name of `path` below `folder`, as the store has it.
pub(crate) fn below(path: &Path, folder: &Path) -> String {
    match path.prefix_match(folder) {
        Some(parts) => parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"),
        None => path.to_string(),
    }
}
