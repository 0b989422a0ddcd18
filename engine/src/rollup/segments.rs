//! Which segments count for the files that a table has now.

use std::collections::BTreeMap;

use object_store::ObjectMeta;
use object_store::path::Path;

use crate::catalog::{LakeFile, below};
use crate::rollup::manifest::{FileVersion, Manifest, Segment};

/// What a query reads in the place of a table's files.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// The segments that count, as they lie.
    pub(super) segments: Vec<(Segment, ObjectMeta)>,
    /// The files that no segment counts for.
    pub(super) rest: Vec<LakeFile>,
    /// Bytes of the files that segments count for.
    pub(super) covered_bytes: u64,
    pub(super) rest_bytes: u64,
}

impl Coverage {
    /// Rows of the segments.
    pub(super) fn rows(&self) -> u64 {
        self.segments.iter().map(|(segment, _)| segment.rows).sum()
    }
}

/// Finds the segments of `manifest` whose files are all among `files` as they were, each file in one segment. `folder` is
/// the table's, and `lying` are the objects in those of its rollups; `own` is that of the rollup.
pub(super) fn coverage(
    manifest: &Manifest,
    files: &[LakeFile],
    lying: &[ObjectMeta],
    folder: &Path,
    own: &Path,
) -> Coverage {
    let mut left: BTreeMap<FileVersion, &LakeFile> =
        files.iter().map(|file| (FileVersion::of(&file.meta, folder), file)).collect();
    let there: BTreeMap<String, &ObjectMeta> =
        lying.iter().map(|meta| (below(&meta.location, own), meta)).collect();
    let mut found = Coverage::default();
    for segment in &manifest.segments {
        let Some(meta) = there.get(&segment.file).filter(|meta| meta.size == segment.size) else { continue };
        if segment.of.is_empty() || !segment.of.iter().all(|file| left.contains_key(file)) {
            continue;
        }
        for file in &segment.of {
            left.remove(file);
            found.covered_bytes += file.size;
        }
        found.segments.push((segment.clone(), (*meta).clone()));
    }
    found.rest = left.into_values().cloned().collect();
    found.rest_bytes = found.rest.iter().map(|file| file.meta.size).sum();
    found
}
