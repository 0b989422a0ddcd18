use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::GenerateError;

/// Where unfinished work lies; table discovery skips names that start with a dot.
const FOLDER: &str = ".incomplete-gen";
const LOCK: &str = ".incomplete-gen.lock";
const SUMMARY: &str = "_lake.json";

/// Schema and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TableName {
    pub(crate) schema: &'static str,
    pub(crate) table: &'static str,
}

impl TableName {
    pub(crate) const fn new(schema: &'static str, table: &'static str) -> Self {
        Self { schema, table }
    }

    fn below(self, root: &Path) -> PathBuf {
        root.join(self.schema).join(self.table)
    }
}

/// Tables being written beside the lake; nothing shows in the lake before [`Staging::publish`].
pub(crate) struct Staging {
    out: PathBuf,
    folder: PathBuf,
    tables: Vec<TableName>,
    publishing: bool,
    _lock: File,
}

impl Drop for Staging {
    /// Work that failed is thrown away at once, so that it does not fill the disk. While tables are being moved, the
    /// folder holds the replaced ones and stays.
    fn drop(&mut self) {
        if !self.publishing {
            let _ = fs::remove_dir_all(&self.folder);
            let _ = fs::remove_file(self.out.join(LOCK));
        }
    }
}

impl Staging {
    /// Checks that `tables` may be written and makes room for them; what a killed run left is removed.
    pub(crate) fn begin(out: &Path, tables: &[TableName], overwrite: bool) -> Result<Self, GenerateError> {
        if !overwrite {
            for table in tables {
                let path = table.below(out);
                if path.exists() {
                    return Err(GenerateError::TableExists {
                        schema: table.schema.to_owned(),
                        table: table.table.to_owned(),
                        path,
                    });
                }
            }
        }
        fs::create_dir_all(out).map_err(GenerateError::io("create directory", out))?;
        let lock_path = out.join(LOCK);
        let lock = File::create(&lock_path).map_err(GenerateError::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(GenerateError::Busy { out: out.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(GenerateError::io("lock", &lock_path)(source)),
        }
        let folder = out.join(FOLDER);
        remove(&folder)?;
        let staging =
            Self { out: out.to_owned(), folder, tables: tables.to_vec(), publishing: false, _lock: lock };
        for table in tables {
            let path = staging.path(*table);
            fs::create_dir_all(&path).map_err(GenerateError::io("create directory", &path))?;
        }
        Ok(staging)
    }

    /// The directory that a table's files are written to.
    pub(crate) fn path(&self, table: TableName) -> PathBuf {
        table.below(&self.folder)
    }

    /// A directory below a table's, made when missing.
    pub(crate) fn partition(&self, table: TableName, name: &str) -> Result<PathBuf, GenerateError> {
        let path = self.path(table).join(name);
        fs::create_dir_all(&path).map_err(GenerateError::io("create directory", &path))?;
        Ok(path)
    }

    /// Number and total size of a table's files.
    pub(crate) fn measure(&self, table: TableName) -> Result<(u64, u64), GenerateError> {
        fn walk(path: &Path, sum: &mut (u64, u64)) -> std::io::Result<()> {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let data = entry.metadata()?;
                if data.is_dir() {
                    walk(&entry.path(), sum)?;
                } else {
                    *sum = (sum.0 + 1, sum.1 + data.len());
                }
            }
            Ok(())
        }
        let path = self.path(table);
        let mut sum = (0, 0);
        walk(&path, &mut sum).map_err(GenerateError::io("read", &path))?;
        Ok(sum)
    }

    /// Moves every table into the lake, each in one step, the summary last.
    pub(crate) fn publish(mut self, summary: Option<&str>) -> Result<(), GenerateError> {
        self.publishing = true;
        let replaced = self.folder.join(".replaced");
        fs::create_dir_all(&replaced).map_err(GenerateError::io("create directory", &replaced))?;
        if summary.is_some() {
            move_away(&self.out.join(SUMMARY), &replaced.join(SUMMARY))?;
        }
        for table in &self.tables {
            let target = table.below(&self.out);
            for parent in [target.parent(), table.below(&replaced).parent()].into_iter().flatten() {
                fs::create_dir_all(parent).map_err(GenerateError::io("create directory", parent))?;
            }
            move_away(&target, &table.below(&replaced))?;
            fs::rename(self.path(*table), &target).map_err(GenerateError::io("move into place", &target))?;
        }
        if let Some(summary) = summary {
            let draft = self.folder.join(SUMMARY);
            fs::write(&draft, summary).map_err(GenerateError::io("write", &draft))?;
            let target = self.out.join(SUMMARY);
            fs::rename(&draft, &target).map_err(GenerateError::io("move into place", &target))?;
        }
        remove(&self.folder)?;
        let lock_path = self.out.join(LOCK);
        fs::remove_file(&lock_path).map_err(GenerateError::io("remove", &lock_path))
    }
}

fn remove(folder: &Path) -> Result<(), GenerateError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(GenerateError::io("remove", folder))?;
    }
    Ok(())
}

fn move_away(from: &Path, to: &Path) -> Result<(), GenerateError> {
    if from.exists() {
        fs::rename(from, to).map_err(GenerateError::io("move", from))?;
    }
    Ok(())
}
