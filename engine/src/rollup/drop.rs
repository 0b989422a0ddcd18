//! A session's way to drop a rollup.

use object_store::ObjectStoreExt;

use crate::error::{EngineError, Result};
use crate::session::Session;
use crate::write::WriteStore;

impl Session {
    /// Drops the rollup `name` of `schema.table`. Queries that are answered from it at this moment fail, and are asked again.
    ///
    /// # Errors
    /// When there is none, the principal may not write or does not see the whole table, or the store refuses.
    pub async fn drop_rollup(&self, schema: &str, table: &str, name: &str) -> Result<()> {
        let target = self.target(schema, table, name).await?;
        let store = WriteStore::of(target.lake);
        match store.objects().head(&target.folder.manifest()).await {
            Ok(_) => {}
            Err(object_store::Error::NotFound { .. }) => {
                return Err(self.no_such_rollup(schema, table, name).await);
            }
            Err(error) => return Err(EngineError::from(error)),
        }
        // Without it the rest answers nothing.
        store.remove(&target.folder.manifest()).await?;
        store.remove_below(target.folder.path()).await
    }
}
