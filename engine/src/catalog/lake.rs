//! The lake as a DataFusion catalog: `<root>/<schema>/<table>/` is a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionContext;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::catalog::{LakeLocation, TableFormat, TableInfo, parquet};
use crate::error::{EngineError, Result};

/// An opened lake.
#[derive(Debug)]
pub(crate) struct Lake {
    location: LakeLocation,
    store: Arc<dyn ObjectStore>,
    root: Path,
}

impl Lake {
    pub(crate) async fn open(location: &LakeLocation, runtime: &RuntimeEnv) -> Result<Self> {
        let url = location.url();
        let missing = || EngineError::LakeNotFound { location: location.to_string() };
        if let Ok(path) = url.to_file_path()
            && !path.is_dir()
        {
            return Err(missing());
        }
        let store = runtime.object_store_registry.get_store(url)?;
        let root = Path::from_url_path(url.path()).map_err(|_error| missing())?;
        Ok(Self { location: location.clone(), store, root })
    }

    async fn folders(&self, under: &Path) -> Result<Vec<String>> {
        let listing = self
            .store
            .list_with_delimiter(Some(under))
            .await
            .map_err(|error| DataFusionError::ObjectStore(Box::new(error)))?;
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

    pub(crate) async fn tables(&self) -> Result<Vec<TableInfo>> {
        let mut all = Vec::new();
        for schema in self.folders(&self.root).await? {
            for table in self.folders(&self.root.clone().join(schema.as_str())).await? {
                all.push(TableInfo { schema: schema.clone(), table, format: TableFormat::Parquet });
            }
        }
        Ok(all)
    }
}

/// The lake's schemas, and `public` for what a session makes.
#[derive(Debug)]
pub(crate) struct LakeCatalog {
    schemas: BTreeMap<String, Arc<dyn SchemaProvider>>,
}

impl LakeCatalog {
    pub(crate) fn new(lake: Arc<Lake>, context: &SessionContext) -> Result<Self> {
        let mut schemas: BTreeMap<String, Arc<dyn SchemaProvider>> = BTreeMap::new();
        schemas.insert("public".to_owned(), Arc::new(MemorySchemaProvider::new()));
        let listed = futures::executor::block_on(lake.folders(&lake.root))?;
        for name in listed {
            let tables = futures::executor::block_on(lake.folders(&lake.root.clone().join(name.as_str())))?;
            schemas.insert(
                name.clone(),
                Arc::new(LakeSchema { lake: Arc::clone(&lake), name, tables, context: context.clone() }),
            );
        }
        Ok(Self { schemas })
    }
}

impl CatalogProvider for LakeCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.schemas.keys().cloned().collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.schemas.get(name).map(Arc::clone)
    }
}

struct LakeSchema {
    lake: Arc<Lake>,
    name: String,
    tables: Vec<String>,
    context: SessionContext,
}

impl std::fmt::Debug for LakeSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LakeSchema").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for LakeSchema {
    fn table_names(&self) -> Vec<String> {
        self.tables.clone()
    }

    async fn table(&self, name: &str) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        if !self.table_exist(name) {
            return Ok(None);
        }
        let root = format!("{}{}/{name}/", self.lake.location.url(), self.name);
        Ok(Some(parquet::provider(&self.context.state(), &root).await?))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.iter().any(|table| table == name)
    }
}
