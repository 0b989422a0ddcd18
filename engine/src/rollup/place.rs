//! Where the rollups of a table lie: `<table>/_rollups/<rollup>/`.

use object_store::path::Path;

use crate::catalog::ROLLUPS;
use crate::error::{EngineError, Result};
use crate::rollup::manifest::MANIFEST;
use crate::write::TableFolder;

/// The folder of one rollup.
#[derive(Debug, Clone)]
pub(crate) struct RollupFolder {
    /// `schema.table`.
    pub(super) table: String,
    pub(super) name: String,
    /// The table's folder.
    pub(super) table_folder: Path,
    path: Path,
}

impl RollupFolder {
    /// The folder of the rollup `name` of `schema.table` in the lake at `root`, whether it exists or not.
    ///
    /// # Errors
    /// When a name is none that a folder can have.
    pub(super) fn new(root: &Path, schema: &str, table: &str, name: &str) -> Result<Self> {
        let folder = TableFolder::new(root, schema, table)?;
        // The rules for names of tables are those for names of rollups.
        TableFolder::new(root, schema, name).map_err(|_not_a_name| EngineError::Write {
            table: folder.name(),
            reason: format!(
                "{name:?} names no rollup: take letters, digits, _ and -, and begin with a letter or digit"
            ),
        })?;
        let path = folder.path().clone().join(ROLLUPS).join(name);
        Ok(Self { table: folder.name(), name: name.to_owned(), table_folder: folder.path().clone(), path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn manifest(&self) -> Path {
        self.file(MANIFEST)
    }

    pub(super) fn file(&self, name: &str) -> Path {
        self.path.clone().join(name)
    }
}
