//! What is left to do after files were replaced.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use crate::catalog::Replacement;
use crate::error::{EngineError, Result};
use crate::write::WriteStore;

/// One more than the number of any file or note in the table's folder.
///
/// # Errors
/// When the store cannot be asked.
pub(crate) async fn next_number(store: &WriteStore, folder: &Path) -> Result<u64> {
    let names = store.objects().list_with_delimiter(Some(folder)).await?;
    let numbers = names.objects.iter().filter_map(|meta| number_of(meta.location.filename()?));
    Ok(numbers.max().map_or(0, |highest| highest.saturating_add(1)))
}

/// The number in the name of a file of rows, or of a note.
fn number_of(name: &str) -> Option<u64> {
    let digits = name.rsplit_once('.')?.0.rsplit_once('-')?.1;
    digits.parse().ok()
}

/// Removes the files that notes in force give up, and then those notes.
///
/// # Errors
/// When the store refuses or cannot be reached.
pub(crate) async fn remove_replaced(store: &WriteStore, folder: &Path) -> Result<()> {
    let there: Vec<ObjectMeta> = store.objects().list(Some(folder)).try_collect().await?;
    let mut notes: Vec<&Path> = there
        .iter()
        .map(|meta| &meta.location)
        .filter(|path| path.filename().is_some_and(Replacement::is_note))
        .collect();
    // The files of one note may be given up by a later one: what the earlier gave up has to be gone by then.
    notes.sort();
    let mut replacements = Vec::with_capacity(notes.len());
    for note in notes {
        let Some(replacement) = Replacement::read(store.objects().as_ref(), note).await? else { continue };
        if replacement.holds(there.iter().map(|meta| &meta.location), folder) {
            replacements.push((note, replacement));
        }
    }
    for (note, replacement) in replacements {
        for old in &replacement.instead_of {
            let path = Path::parse(format!("{folder}/{}", old.name))
                .map_err(|error| EngineError::Defect { reason: format!("a note names no file ({error})") })?;
            match store.objects().head(&path).await {
                Ok(meta) if old.is(&meta, folder) => store.remove(&path).await?,
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        store.remove(note).await?;
    }
    Ok(())
}
