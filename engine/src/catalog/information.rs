//! What `information_schema` and `SHOW TABLES` walk over.

use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, CatalogProviderList};

use crate::catalog::LakeCatalog;

/// The name of the one catalog.
pub(crate) const CATALOG: &str = "tithe";

/// A list of one catalog.
#[derive(Debug)]
pub(super) struct OneCatalog {
    catalog: Arc<LakeCatalog>,
}

impl OneCatalog {
    pub(super) fn new(catalog: LakeCatalog) -> Self {
        Self { catalog: Arc::new(catalog) }
    }
}

impl CatalogProviderList for OneCatalog {
    fn register_catalog(
        &self,
        _name: String,
        _catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == CATALOG).then(|| Arc::clone(&self.catalog) as Arc<dyn CatalogProvider>)
    }
}
