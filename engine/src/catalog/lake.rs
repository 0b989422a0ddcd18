//! An opened lake: `<root>/<schema>/<table>/` is a table.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;

use crate::catalog::dictionaries::Dictionaries;
use crate::catalog::lake_table::LakeTable;
use crate::catalog::large_folders::LargeFolders;
use crate::catalog::listing::{self, Folder, Listing, Lists};
use crate::catalog::prepared::PreparedTables;
use crate::catalog::shape::{Reading, Shape, Shapes};
use crate::catalog::walks::Walks;
use crate::catalog::{LakeLocation, TableFormat, TableInfo, store};
use crate::error::{EngineError, Result};
use crate::rollup::{Rollup, Rollups};

/// Folders listed at once.
const LISTINGS: usize = 8;

/// An opened lake.
#[derive(Debug)]
pub(crate) struct Lake {
    location: LakeLocation,
    store: Arc<dyn ObjectStore>,
    store_url: ObjectStoreUrl,
    root: Path,
    shapes: Shapes,
    pub(super) dictionaries: Dictionaries,
    rollups: Rollups,
    pub(super) prepared: PreparedTables,
    lists: Lists,
    /// Reads footers and the definitions of rollups; belongs to no session.
    state: SessionState,
    queries: AtomicU64,
}

impl Lake {
    /// Opens the lake at `location`; `state` reads footers and knows the stores.
    pub(crate) async fn open(location: &LakeLocation, state: SessionState) -> Result<Self> {
        let url = location.url();
        let registry = &state.runtime_env().object_store_registry;
        if let Some(store) = store::store_for(location)? {
            registry.register_store(url, store);
        }
        let store = registry.get_store(url)?;
        let root = Path::from_url_path(url.path()).map_err(|error| EngineError::LakeLocation {
            location: location.to_string(),
            reason: error.to_string(),
        })?;
        reach(location, store.as_ref(), &root).await?;
        let store_url = ObjectStoreUrl::parse(&url[..url::Position::BeforePath])?;
        Ok(Self {
            location: location.clone(),
            store,
            store_url,
            root,
            shapes: Shapes::default(),
            dictionaries: Dictionaries::default(),
            rollups: Rollups::default(),
            prepared: PreparedTables::default(),
            lists: match url.scheme() {
                "file" => Lists::Disk(Walks::default()),
                _ => Lists::Objects(LargeFolders::default()),
            },
            state,
            queries: AtomicU64::new(0),
        })
    }

    /// Looks whether the lake is there.
    ///
    /// # Errors
    /// When it is not, or its store does not answer.
    pub(crate) async fn reach(&self) -> Result<()> {
        reach(&self.location, self.store.as_ref(), &self.root).await
    }

    pub(crate) fn location(&self) -> &LakeLocation {
        &self.location
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `path` without the root, as the store spells it.
    pub(crate) fn below_root(&self, path: &Path) -> String {
        match path.prefix_match(&self.root) {
            Some(below) => below.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"),
            None => path.to_string(),
        }
    }

    /// The path that [`Lake::below_root`] gave `text` for.
    pub(crate) fn at(&self, text: &str) -> Result<Path> {
        Path::parse(format!("{}/{text}", self.root))
            .map_err(|error| EngineError::File { path: text.to_owned(), reason: error.to_string() })
    }

    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Reads footers and the definitions of rollups; belongs to no session.
    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    pub(crate) fn store_url(&self) -> &ObjectStoreUrl {
        &self.store_url
    }

    /// Marks that another query begins; files listed for an earlier one are listed again.
    pub(crate) fn begin_query(&self) {
        self.queries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn query_number(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// The schemas there are now, sorted.
    pub(crate) async fn schemas(&self) -> Result<Vec<String>> {
        self.folders(&self.root).await
    }

    /// The tables of `schema` there are now, sorted, readable or not.
    pub(crate) async fn table_names(&self, schema: &str) -> Result<Vec<String>> {
        match self.below(&[schema]) {
            Some(folder) => self.folders(&folder).await,
            None => Ok(Vec::new()),
        }
    }

    async fn folders(&self, under: &Path) -> Result<Vec<String>> {
        let listing = self.store.list_with_delimiter(Some(under)).await?;
        let mut names: Vec<String> = listing
            .common_prefixes
            .iter()
            .filter_map(|prefix| prefix.filename())
            .filter(|name| !name.starts_with('.') && !name.starts_with('_'))
            .map(ToOwned::to_owned)
            .collect();
        names.sort();
        Ok(names)
    }

    /// What the folder of a table holds now.
    pub(crate) async fn folder(&self, schema: &str, table: &str) -> Result<Folder> {
        match self.below(&[schema, table]) {
            Some(folder) => listing::list_with(&self.lists, self.store.as_ref(), &folder).await,
            None => Ok(Folder::Nothing),
        }
    }

    /// The folder with these names below the root; `None` for names that no folder can have.
    fn below(&self, names: &[&str]) -> Option<Path> {
        if names.iter().any(|name| name.contains('/')) {
            return None;
        }
        Path::parse(format!("{}/{}", self.root, names.join("/"))).ok()
    }

    /// The files of one table now; `None` when there is no such folder.
    pub(crate) async fn listing(&self, schema: &str, table: &str) -> Result<Option<Arc<Listing>>> {
        let name = format!("{schema}.{table}");
        if let Some(listing) = self.folder(schema, table).await?.into_listing(&name)? {
            return Ok(Some(listing));
        }
        if self.table_names(schema).await?.iter().any(|known| known == table) {
            return Err(EngineError::Table {
                table: name,
                reason:
                    "its folder has no data files: put *.parquet, *.jsonl, *.ndjson, *.html or *.txt there"
                        .to_owned(),
            });
        }
        Ok(None)
    }

    /// The columns of the table with these files.
    pub(crate) async fn shape(
        &self,
        schema: &str,
        table: &str,
        listing: &Arc<Listing>,
    ) -> Result<Arc<Shape>> {
        let reading = Reading {
            state: &self.state,
            store: &self.store,
            root: &self.root,
            table: &format!("{schema}.{table}"),
        };
        self.shapes.of(listing, &reading).await
    }

    /// A provider over one table; `None` when there is no such folder.
    pub(crate) async fn table(
        self: &Arc<Self>,
        schema: &str,
        table: &str,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let number = self.query_number();
        let Some(listing) = self.listing(schema, table).await? else { return Ok(None) };
        let shape = self.shape(schema, table, &listing).await?;
        let whole = LakeTable::new(Arc::clone(self), schema, table, &shape, number);
        let rollups = self.rollups_of(&whole).await?;
        Ok(Some(Arc::new(whole.with_rollups(rollups))))
    }

    async fn rollups_of(&self, table: &LakeTable) -> Result<Vec<Arc<Rollup>>> {
        let (schema, name) = table.name();
        let Some(folder) = self.below(&[schema, name]) else { return Ok(Vec::new()) };
        let (columns, files) = (table.schema(), table.rollup_files());
        self.rollups.of(files, &folder, &columns, &self.store, &self.state).await
    }

    /// As [`Lake::table`], with the `files` of it alone that are named below the root.
    pub(crate) async fn narrowed(
        self: &Arc<Self>,
        schema: &str,
        table: &str,
        files: &Arc<BTreeSet<String>>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let number = self.query_number();
        let Some(listing) = self.listing(schema, table).await? else { return Ok(None) };
        let shape = self.shape(schema, table, &listing).await?;
        let whole = LakeTable::new(Arc::clone(self), schema, table, &shape, number);
        Ok(Some(Arc::new(whole.with_only(Arc::clone(files)))))
    }

    /// Schema and name of every table, sorted, readable or not.
    pub(crate) async fn names(&self) -> Result<Vec<(String, String)>> {
        let mut names = Vec::new();
        for schema in self.schemas().await? {
            for table in self.table_names(&schema).await? {
                names.push((schema.clone(), table));
            }
        }
        Ok(names)
    }

    /// Every table, sorted by schema and name.
    pub(crate) async fn tables(&self) -> Result<Vec<TableInfo>> {
        let mut infos = Vec::new();
        for (schema, table) in self.names().await? {
            infos.push(self.info(schema, table).boxed());
        }
        futures::stream::iter(infos).buffered(LISTINGS).try_collect().await
    }

    async fn info(&self, schema: String, table: String) -> Result<TableInfo> {
        let format = match self.folder(&schema, &table).await? {
            Folder::Table(listing) => listing.format,
            Folder::Nothing | Folder::Refused(_) => TableFormat::Unreadable,
        };
        Ok(TableInfo { schema, table, format })
    }
}

async fn reach(location: &LakeLocation, store: &dyn ObjectStore, root: &Path) -> Result<()> {
    match location.url().to_file_path() {
        Ok(path) if path.is_dir() => Ok(()),
        Ok(_missing) => Err(EngineError::LakeNotFound { location: location.to_string() }),
        Err(()) => store::probe(location, store, root).await,
    }
}
