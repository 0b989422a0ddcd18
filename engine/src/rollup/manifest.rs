//! What is written beside the segments of a rollup: its definition, and which segment counts for which files.

use object_store::path::Path;
use object_store::{ObjectMeta, PutPayload};
use serde::{Deserialize, Serialize};

use crate::catalog::below;
use crate::error::{EngineError, Result};

/// The name of the manifest in a rollup's folder.
pub(crate) const MANIFEST: &str = "rollup.json";
/// Rises when older programs would misread what is written.
pub(super) const VERSION: u32 = 1;

/// The manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(super) version: u32,
    /// What the rows are grouped by: expressions over the table's columns, and the names of columns in the segments.
    pub(super) keys: Vec<String>,
    /// What is computed of each group: calls of aggregates, and the names of columns in the segments.
    pub(super) measures: Vec<String>,
    #[serde(default)]
    pub(super) segments: Vec<Segment>,
    /// Segments that count no more, and are removed when queries have had time to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) retired: Vec<Retired>,
}

/// The aggregates of some files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Segment {
    /// Its name in the rollup's folder.
    pub(super) file: String,
    pub(super) size: u64,
    pub(super) rows: u64,
    /// The files that it counts for.
    pub(super) of: Vec<FileVersion>,
}

/// A file as it was: one that is written later under its name is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileVersion {
    /// Its name below the table's folder.
    pub(super) name: String,
    pub(super) size: u64,
    /// What the store calls this content; where it says nothing, when it was written.
    pub(super) content: String,
}

/// A segment that counts no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retired {
    pub(super) file: String,
    /// Seconds since 1970.
    pub(super) since: i64,
}

impl FileVersion {
    /// The file that `meta` describes, in the table's `folder`.
    pub(super) fn of(meta: &ObjectMeta, folder: &Path) -> Self {
        let content = match (&meta.e_tag, &meta.version) {
            (_, Some(version)) => version.clone(),
            (Some(tag), None) => tag.clone(),
            (None, None) => meta.last_modified.to_rfc3339(),
        };
        Self { name: below(&meta.location, folder), size: meta.size, content }
    }

    /// The folder that it lies in, below the table's.
    pub(super) fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _name)| folder)
    }
}

impl Manifest {
    /// The manifest in `bytes`, which lay at `path`, below the table's `folder`.
    ///
    /// # Errors
    /// When it is none, or one of a later version.
    pub(super) fn parse(bytes: &[u8], path: &Path, folder: &Path) -> Result<Self> {
        let refuse = |reason: String| {
            let mut table: Vec<_> = folder.parts().collect();
            let table = table.split_off(table.len().saturating_sub(2));
            let table: Vec<&str> = table.iter().map(|part| part.as_ref()).collect();
            EngineError::File { path: format!("{}/{}", table.join("/"), below(path, folder)), reason }
        };
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| {
            refuse(format!("it is no description of a rollup ({error}); drop the rollup and create it again"))
        })?;
        if manifest.version != VERSION {
            return Err(refuse(format!(
                "it describes a rollup in version {}, and this program knows version {VERSION}; drop the rollup and \
                 create it again",
                manifest.version
            )));
        }
        Ok(manifest)
    }

    /// The text that [`Manifest::parse`] reads.
    pub(super) fn encoded(&self) -> Result<PutPayload> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| EngineError::Defect { reason: error.to_string() })?;
        Ok(text.into())
    }
}
