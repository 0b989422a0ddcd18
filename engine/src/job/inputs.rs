//! What a job reads, and whether it has changed.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Lake;
use crate::error::Result;
use crate::job::record::InputFile;

/// The files of `tables` now. What is no table of the lake, as the audit, is left out.
///
/// # Errors
/// When the lake cannot be listed.
pub(crate) async fn inputs(
    lake: &Lake,
    tables: &BTreeSet<String>,
) -> Result<BTreeMap<String, Vec<InputFile>>> {
    let mut found = BTreeMap::new();
    for table in tables {
        let Some((schema, name)) = table.split_once('.') else { continue };
        let Some(listing) = lake.listing(schema, name).await? else { continue };
        let files = listing.files.iter().map(|file| InputFile {
            path: lake.below_root(&file.meta.location),
            size: file.meta.size,
            modified: file.meta.last_modified,
            e_tag: file.meta.e_tag.clone(),
        });
        found.insert(table.clone(), files.collect());
    }
    Ok(found)
}

/// What differs between the files then and now, a phrase for each table; nothing when they are the same.
pub(crate) fn changes(
    then: &BTreeMap<String, Vec<InputFile>>,
    now: &BTreeMap<String, Vec<InputFile>>,
) -> Vec<String> {
    let tables: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let none = Vec::new();
    let mut phrases = Vec::new();
    for table in tables {
        let before = by_path(then.get(table).unwrap_or(&none));
        let after = by_path(now.get(table).unwrap_or(&none));
        let added = after.keys().filter(|path| !before.contains_key(*path)).count();
        let removed = before.keys().filter(|path| !after.contains_key(*path)).count();
        let changed =
            after.iter().filter(|(path, file)| before.get(*path).is_some_and(|old| old != *file)).count();
        if added + removed + changed > 0 {
            phrases.push(format!(
                "the files of {table} have changed ({added} added, {removed} removed, {changed} rewritten)"
            ));
        }
    }
    phrases
}

fn by_path(files: &[InputFile]) -> BTreeMap<&str, &InputFile> {
    files.iter().map(|file| (file.path.as_str(), file)).collect()
}
