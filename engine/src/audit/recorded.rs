//! What was asked of a table, from an audit directory that another process may write to.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::directory::{files, lines};
use crate::error::{EngineError, Result};

#[derive(Deserialize)]
struct Asked {
    event: String,
    sql: String,
    tables: Vec<String>,
}

/// The statements in `directory` that name `table`, and how often each was run; refused ones are none of them.
///
/// # Errors
/// When the directory cannot be read, or is none of an audit.
pub(crate) fn recorded_statements(directory: &Path, table: &str) -> Result<BTreeMap<String, u64>> {
    let refuse = |reason: String| EngineError::Configuration {
        origin: format!("the audit directory {}", directory.display()),
        reason,
    };
    let found = files(directory).map_err(|error| refuse(error.to_string()))?;
    if found.is_empty() {
        return Err(refuse("it holds no records: name the directory that --audit wrote to".to_owned()));
    }
    let mut statements = BTreeMap::new();
    for path in found {
        let read = lines(&path, |line, _ended| {
            // Half a record at the end is one that is being written.
            if let Ok(asked) = serde_json::from_slice::<Asked>(line)
                && asked.event == "begin"
                && asked.tables.iter().any(|named| named == table)
            {
                *statements.entry(asked.sql).or_insert(0) += 1;
            }
            Ok(())
        });
        read.map_err(|error| refuse(format!("{}: {error}", path.display())))?;
    }
    Ok(statements)
}
