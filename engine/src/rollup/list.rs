//! A session's way to see the rollups of a table.

use crate::change::check_may_lay_out;
use crate::error::{EngineError, Result, did_you_mean};
use crate::rollup::store::{name_of, read};
use crate::session::Session;
use crate::write::TableFolder;

/// A rollup of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollupInfo {
    /// The schema of its table.
    pub schema: String,
    /// Its table.
    pub table: String,
    /// What it is called.
    pub name: String,
    /// How it stands; or why it answers no queries.
    pub state: Result<RollupState, String>,
}

/// How a rollup stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollupState {
    /// What rows are grouped by.
    pub keys: Vec<String>,
    /// What is computed of each group.
    pub measures: Vec<String>,
    /// Rows that are read for the files it counts for.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files of the table that it counts for.
    pub files: usize,
    /// Files of the table that are read themselves, until it is refreshed.
    pub files_left: usize,
}

impl Session {
    /// The rollups of `schema.table`, by their names.
    ///
    /// # Errors
    /// When there is no such table, the principal may not write it or does not see all of it, or the store cannot be read.
    pub async fn rollups(&self, schema: &str, table: &str) -> Result<Vec<RollupInfo>> {
        let columns = self.table_schema(schema, table).await?;
        // How many groups there are tells of rows.
        check_may_lay_out(self.authority.as_ref(), schema, table, &columns, "listing rollups of")?;
        let Some(lake) = &self.engine.lake else { return Ok(Vec::new()) };
        let Some(listing) = lake.listing(schema, table).await? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let folder = TableFolder::new(lake.root(), schema, table)?;
        for meta in &listing.rollups {
            let Some(name) = name_of(&meta.location, folder.path()) else { continue };
            let read = read(meta, &name, folder.path(), &columns, lake.store(), lake.state()).await;
            let state = read.map_err(|error| error.to_string()).map(|rollup| {
                let now = rollup.coverage(&listing.files, &listing.rollups);
                RollupState {
                    rows: now.rows(),
                    bytes: now.segments.iter().map(|(segment, _)| segment.size).sum(),
                    files: listing.files.len() - now.rest.len(),
                    files_left: now.rest.len(),
                    keys: rollup.manifest.keys,
                    measures: rollup.manifest.measures,
                }
            });
            found.push(RollupInfo { schema: schema.to_owned(), table: table.to_owned(), name, state });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// That there is no rollup `name`, with the nearest names.
    pub(super) async fn no_such_rollup(&self, schema: &str, table: &str, name: &str) -> EngineError {
        let known = match self.rollups(schema, table).await {
            Ok(known) => known,
            Err(error) => return error,
        };
        let names = known.iter().map(|rollup| rollup.name.as_str());
        let hint = did_you_mean(name, names, &format!("; see `tithe rollup list {schema}.{table}`"));
        EngineError::Unknown { what: "rollup", name: name.to_owned(), hint }
    }
}
