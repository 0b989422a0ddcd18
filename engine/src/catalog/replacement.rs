//! How the files of a table are replaced, or the table dropped, all at once in a store that changes one object at a time.
//!
//! Beside the files lies a note that names those to be given up, and those that take their place. From the moment
//! when these are there, or at once where none takes their place, the named files are no part of the table. They
//! and the note are then removed, by whoever wrote it or by the next who writes.
//!
//! Where several files take the place of others, they are no part of the table before: a note says from the beginning
//! how their names begin, and the one put that makes it the note above is the moment when all of them are in force.

use std::collections::BTreeSet;

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};
use crate::job::Runner;

const PREFIX: &str = "_replacement-";
const SUFFIX: &str = ".json";

/// The note.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replacement {
    /// The file that takes the place of the others; none when the table is dropped.
    pub(crate) file: Option<String>,
    /// Further files that do so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) further: Vec<String>,
    /// The files that are given up.
    pub(crate) instead_of: Vec<GivenUp>,
    /// As long as it is said: how the names of the files begin that are written to take the place of others, below the
    /// table's folder. They are no part of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unfinished: Option<String>,
    /// As long as that is said: who writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) writer: Option<Runner>,
    /// Whoever wrote them ended before they were in force, and nobody will put them in force any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) abandoned: bool,
}

/// A file as it was when it was given up: one that is written later under its name is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// How the names of files begin that take the place of several.
    pub(crate) const LAID_OUT: &str = "sorted-";

    /// The name of the note number `number` in a table's folder.
    pub(crate) fn note(folder: &Path, number: u64) -> Path {
        folder.clone().join(format!("{PREFIX}{number:05}{SUFFIX}"))
    }

    /// Whether an object of this name in a table's folder is a note.
    pub(crate) fn is_note(name: &str) -> bool {
        name.starts_with(PREFIX) && name.ends_with(SUFFIX)
    }

    /// How the names of files begin that are written by the one called `id` to take the place of several, in the
    /// folder `partition` of the table.
    pub(crate) fn prefix(partition: &str, id: &str) -> String {
        match partition {
            "" => format!("{}{id}-", Self::LAID_OUT),
            folder => format!("{folder}/{}{id}-", Self::LAID_OUT),
        }
    }

    /// Whether a file of this name may be one that a note tells of.
    pub(crate) fn is_laid_out(name: &str) -> bool {
        name.starts_with(Self::LAID_OUT)
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
        match serde_json::from_slice(&bytes) {
            Ok(replacement) => Ok(Some(replacement)),
            Err(error) => Err(EngineError::File {
                path: note.to_string(),
                reason: format!(
                    "it is no note on replaced files ({error}), without which nobody knows which files the table has: \
                     bring it back as it was"
                ),
            }),
        }
    }

    /// The files that take the place of others.
    pub(crate) fn files(&self) -> impl Iterator<Item = &String> {
        self.file.iter().chain(&self.further)
    }

    /// Whether it is in force in a folder with the files `names`.
    pub(crate) fn holds<'a>(&self, names: impl Iterator<Item = &'a Path>, folder: &Path) -> bool {
        if self.unfinished.is_some() {
            return false;
        }
        let mut missing: BTreeSet<&String> = self.files().collect();
        if missing.is_empty() {
            return true;
        }
        names.into_iter().any(|name| {
            missing.remove(&below(name, folder));
            missing.is_empty()
        })
    }

    /// Whether it keeps the file `meta` out of the table, being in force or not.
    pub(crate) fn hides(&self, holds: bool, meta: &ObjectMeta, folder: &Path) -> bool {
        if holds {
            return self.instead_of.iter().any(|old| old.is(meta, folder));
        }
        let name = below(&meta.location, folder);
        match &self.unfinished {
            Some(beginning) => name.starts_with(beginning.as_str()),
            None => self.files().any(|file| *file == name),
        }
    }
}

/// The name of `path` below `folder`, as the store has it.
pub(crate) fn below(path: &Path, folder: &Path) -> String {
    match path.prefix_match(folder) {
        Some(parts) => parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"),
        None => path.to_string(),
    }
}
