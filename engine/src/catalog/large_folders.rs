//! Folders of an object store that had very many files when they were listed.
//!
//! A store names a thousand objects at a time, and the next thousand only when it is told the last name of these: a hundred
//! thousand files take a hundred answers, one after the other. Of a folder that is known to be large, the folders in it are
//! listed side by side.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, Result};

/// Two answers of a store: below, one more that names the folders would take as long.
const LARGE: usize = 2000;
/// Folders that are listed at once.
const AT_ONCE: usize = 16;
/// Folders that are remembered.
const MOST: usize = 10_000;

/// The large folders of one lake.
#[derive(Debug, Default)]
pub(super) struct LargeFolders(Mutex<BTreeSet<Path>>);

impl LargeFolders {
    pub(super) fn contains(&self, folder: &Path) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(folder)
    }

    /// Notes how many objects `folder` had.
    pub(super) fn note(&self, folder: &Path, objects: usize) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match objects >= LARGE {
            true if known.len() < MOST => {
                known.insert(folder.clone());
            }
            true => {}
            false => {
                known.remove(folder);
            }
        }
    }
}

/// Everything below `folder`, in no order, those in one of its folders beside those in others.
pub(super) fn side_by_side<'a>(
    store: &'a dyn ObjectStore,
    folder: &'a Path,
) -> BoxStream<'a, Result<ObjectMeta>> {
    let all = async move {
        let here = store.list_with_delimiter(Some(folder)).await?;
        let below = here.common_prefixes.into_iter().map(|folder| store.list(Some(&folder)));
        let below = stream::iter(below).flatten_unordered(AT_ONCE);
        Ok::<_, object_store::Error>(stream::iter(here.objects).map(Ok).chain(below))
    };
    stream::once(all).try_flatten().boxed()
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, PutPayload};

    use super::*;

    #[tokio::test]
    async fn the_same_objects_are_found_side_by_side_as_one_after_the_other() {
        let store = InMemory::new();
        for name in ["b.parquet", "k=1/b.parquet", "k=1/l=2/a.parquet", "k=2/a.parquet", "_rollups/x/y.json"]
        {
            store.put(&Path::from(format!("lake/s/t/{name}")), PutPayload::new()).await.unwrap();
            store.put(&Path::from(format!("lake/s/t2/{name}")), PutPayload::new()).await.unwrap();
        }
        let folder = Path::from("lake/s/t");
        let sorted = async |objects: BoxStream<'_, Result<ObjectMeta>>| {
            let mut found: Vec<ObjectMeta> = objects.try_collect().await.unwrap();
            found.sort_by(|a, b| a.location.cmp(&b.location));
            found
        };
        let flat = sorted(store.list(Some(&folder))).await;
        assert_eq!(flat.len(), 5);
        assert_eq!(sorted(side_by_side(&store, &folder)).await, flat);
        let none = Path::from("lake/s/none");
        assert!(sorted(side_by_side(&store, &none)).await.is_empty());
    }

    #[test]
    fn a_folder_is_large_as_long_as_it_has_many_objects() {
        let (known, folder) = (LargeFolders::default(), Path::from("s/t"));
        assert!(!known.contains(&folder));
        known.note(&folder, LARGE);
        assert!(known.contains(&folder) && !known.contains(&Path::from("s")));
        known.note(&folder, LARGE - 1);
        assert!(!known.contains(&folder));
    }
}
