//! The rollups of a lake, as they lie.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use datafusion::execution::SessionState;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::catalog::{LakeFile, ROLLUPS, below};
use crate::error::Result;
use crate::rollup::definition::Definition;
use crate::rollup::manifest::{MANIFEST, Manifest};
use crate::rollup::segments::{Coverage, coverage};
use crate::write::WriteStore;

/// One rollup of a table.
#[derive(Debug)]
pub(crate) struct Rollup {
    pub(super) name: String,
    /// The folder of its table.
    table_folder: Path,
    folder: Path,
    pub(super) manifest: Manifest,
    pub(super) definition: Definition,
}

impl Rollup {
    /// Which of its segments count for `files`; `lying` is what lies in the folders of the table's rollups.
    pub(super) fn coverage(&self, files: &[LakeFile], lying: &[ObjectMeta]) -> Coverage {
        coverage(&self.manifest, files, lying, &self.table_folder, &self.folder)
    }
}

/// What was read of rollups, kept for as long as it is the same.
#[derive(Debug, Default)]
pub(crate) struct Rollups {
    known: Mutex<BTreeMap<Path, Known>>,
}

/// A rollup, and what it was read from; `None` for one that cannot be used.
#[derive(Debug, Clone)]
struct Known {
    meta: ObjectMeta,
    columns: SchemaRef,
    rollup: Option<Arc<Rollup>>,
}

impl Rollups {
    /// The rollups of the table in `folder` with these `columns`, by their names. One that cannot be read, or does not
    /// fit the table any more, answers no queries; whoever refreshes it is told why.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn of(
        &self,
        lying: &[ObjectMeta],
        folder: &Path,
        columns: &SchemaRef,
        store: &Arc<dyn ObjectStore>,
        state: &SessionState,
    ) -> Result<Vec<Arc<Rollup>>> {
        let mut found = Vec::new();
        for meta in lying {
            let Some(name) = name_of(&meta.location, folder) else { continue };
            let known =
                self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&meta.location).cloned();
            if let Some(known) = known
                && known.meta == *meta
                && known.columns == *columns
            {
                found.extend(known.rollup);
                continue;
            }
            let rollup = match read(meta, &name, folder, columns, store, state).await {
                Ok(rollup) => Some(Arc::new(rollup)),
                Err(error) => {
                    tracing::warn!(rollup = %meta.location, %error, "a rollup answers no queries");
                    None
                }
            };
            let entry = Known { meta: meta.clone(), columns: Arc::clone(columns), rollup: rollup.clone() };
            self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(meta.location.clone(), entry);
            found.extend(rollup);
        }
        Ok(found)
    }
}

/// The name of the rollup whose manifest lies at `path`.
pub(super) fn name_of(path: &Path, folder: &Path) -> Option<String> {
    let below = below(path, folder);
    let parts: Vec<&str> = below.split('/').collect();
    match parts.as_slice() {
        [ROLLUPS, name, MANIFEST] => Some((*name).to_owned()),
        _ => None,
    }
}

/// Reads one rollup.
///
/// # Errors
/// When it cannot be read, or does not fit the columns.
pub(super) async fn read(
    meta: &ObjectMeta,
    name: &str,
    table_folder: &Path,
    columns: &SchemaRef,
    store: &Arc<dyn ObjectStore>,
    state: &SessionState,
) -> Result<Rollup> {
    let bytes = store.get(&meta.location).await?.bytes().await?;
    let manifest = Manifest::parse(&bytes, &meta.location, table_folder)?;
    let definition = Definition::parse(&manifest.keys, &manifest.measures, columns, state)?;
    Ok(Rollup {
        name: name.to_owned(),
        table_folder: table_folder.clone(),
        folder: table_folder.clone().join(ROLLUPS).join(name),
        manifest,
        definition,
    })
}

/// Removes all rollups of the table in `folder`, with the table.
///
/// # Errors
/// When the store cannot be changed.
pub(crate) async fn remove_rollups(store: &WriteStore, folder: &Path) -> Result<()> {
    store.remove_below(&folder.clone().join(ROLLUPS)).await
}
