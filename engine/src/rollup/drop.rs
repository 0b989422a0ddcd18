//! A session's way to drop a rollup.

use crate::error::Result;
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
        // Without it the rest answers nothing.
        store.remove(&target.manifest(&store).await?.location).await?;
        store.remove_below(target.folder.path()).await
    }
}
