//! The lake's names as a DataFusion catalog: `tithe.<schema>.<table>`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use datafusion::catalog::information_schema::{INFORMATION_SCHEMA, InformationSchemaProvider};
use datafusion::catalog::{
    CatalogProvider, MemorySchemaProvider, SchemaProvider, TableFunction, TableProvider,
};
use datafusion::common::{DataFusionError, TableReference, exec_err};
use datafusion::datasource::TableType;

use crate::audit::{AUDIT_SCHEMA, AuditTable, QUERY_TABLE};
use crate::catalog::information::OneCatalog;
use crate::catalog::{Lake, TableFormat, TableInfo, stored_table};
use crate::error::{EngineError, Result};
use crate::policy::Authority;

/// The schema of tables and views that a session makes.
pub(crate) const OWN_SCHEMA: &str = "public";

/// The lake's schemas, and those that the session makes.
#[derive(Debug, Clone)]
pub(crate) struct LakeCatalog {
    names: Arc<Names>,
    /// Leave out tables that cannot be read instead of failing: for listing columns, where one broken folder
    /// must not hide the others.
    lenient: bool,
}

#[derive(Debug)]
struct Names {
    lake: Option<Arc<Lake>>,
    audit: Option<Arc<AuditTable>>,
    own: RwLock<BTreeMap<String, Arc<MemorySchemaProvider>>>,
    /// The lake's schemas and tables when they were last listed. DataFusion asks for names where it cannot wait.
    listed: RwLock<Arc<BTreeMap<String, Vec<String>>>>,
    /// For `SHOW FUNCTIONS`.
    table_functions: HashMap<String, Arc<TableFunction>>,
    /// Whoever asks, where there is a policy: what they may not see is not there.
    authority: Option<Authority>,
    only: Option<OnlyFiles>,
}

/// Some files of a table, which are all that a session sees of it.
#[derive(Debug, Clone)]
pub(crate) struct OnlyFiles {
    /// `schema.table`.
    pub(crate) table: String,
    /// Below the lake's root.
    pub(crate) files: Arc<BTreeSet<String>>,
}

impl LakeCatalog {
    /// The names of `lake` and `audit`, if there are any; `table_functions` are what `SHOW FUNCTIONS` lists beside the
    /// others. Of a table that `only` names, its files alone are there.
    pub(crate) fn new(
        lake: Option<Arc<Lake>>,
        audit: Option<Arc<AuditTable>>,
        table_functions: HashMap<String, Arc<TableFunction>>,
        authority: Option<Authority>,
        only: Option<OnlyFiles>,
    ) -> Self {
        let own = BTreeMap::from([(OWN_SCHEMA.to_owned(), Arc::new(MemorySchemaProvider::new()))]);
        let names = Names {
            lake,
            audit,
            own: RwLock::new(own),
            listed: RwLock::default(),
            table_functions,
            authority,
            only,
        };
        Self { names: Arc::new(names), lenient: false }
    }

    /// Makes sure that a new schema among those of `references` is known; `all` lists every schema and table anew.
    pub(crate) async fn refresh(&self, references: &[TableReference], all: bool) -> Result<()> {
        let lists_everything =
            all || references.iter().any(|table| table.schema() == Some(INFORMATION_SCHEMA));
        let unknown = || {
            let listed = self.names.listed();
            references
                .iter()
                .filter_map(TableReference::schema)
                .any(|schema| !listed.contains_key(schema) && self.names.own_schema(schema).is_none())
        };
        if !lists_everything && !unknown() {
            return Ok(());
        }
        let mut listed = BTreeMap::new();
        if let Some(lake) = &self.names.lake {
            for schema in lake.schemas().await? {
                let tables = if lists_everything { lake.table_names(&schema).await? } else { Vec::new() };
                listed.insert(schema, tables);
            }
        }
        if self.names.audit.is_some() {
            let tables: &mut Vec<String> = listed.entry(AUDIT_SCHEMA.to_owned()).or_default();
            tables.retain(|table| table != QUERY_TABLE);
            tables.push(QUERY_TABLE.to_owned());
        }
        *self.names.listed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(listed);
        Ok(())
    }

    /// Whether the session made the schema.
    pub(crate) fn has_own_schema(&self, schema: &str) -> bool {
        self.names.own_schema(schema).is_some()
    }

    /// Whether the names are those of the lake as everyone has them: the session has no tables of its own, and sees those of
    /// the lake whole.
    pub(crate) fn is_lake_alone(&self) -> bool {
        self.names.only.is_none() && self.own_tables().is_empty()
    }

    /// The audit, where there is one and the principal may know of it.
    pub(crate) fn audit_table(&self) -> Option<TableInfo> {
        let shown = self.names.audit.is_some() && self.names.shows_table(AUDIT_SCHEMA, QUERY_TABLE);
        shown.then(|| TableInfo {
            schema: AUDIT_SCHEMA.to_owned(),
            table: QUERY_TABLE.to_owned(),
            format: TableFormat::JsonLines,
        })
    }

    /// The tables and views that the session made, sorted.
    pub(crate) fn own_tables(&self) -> Vec<TableInfo> {
        let own = self.names.own.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for (schema, tables) in own.iter() {
            let mut names = tables.table_names();
            names.sort();
            all.extend(names.into_iter().map(|table| TableInfo {
                schema: schema.clone(),
                table,
                format: TableFormat::Temporary,
            }));
        }
        all
    }
}

impl Names {
    fn own_schema(&self, name: &str) -> Option<Arc<MemorySchemaProvider>> {
        self.own.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    fn shows_schema(&self, schema: &str) -> bool {
        self.authority.as_ref().is_none_or(|authority| authority.shows_schema(schema))
    }

    fn shows_table(&self, schema: &str, table: &str) -> bool {
        self.authority.as_ref().is_none_or(|authority| authority.shows_table(schema, table))
    }

    fn listed(&self) -> Arc<BTreeMap<String, Vec<String>>> {
        Arc::clone(&self.listed.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CatalogProvider for LakeCatalog {
    fn schema_names(&self) -> Vec<String> {
        let own = self.names.own.read().unwrap_or_else(PoisonError::into_inner);
        let listed = self.names.listed();
        let shown = listed.keys().filter(|schema| self.names.shows_schema(schema));
        let mut names: Vec<String> = own.keys().chain(shown).cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if name == INFORMATION_SCHEMA {
            let catalog = Self { names: Arc::clone(&self.names), lenient: true };
            let provider = InformationSchemaProvider::new(Arc::new(OneCatalog::new(catalog)));
            return Some(Arc::new(provider.with_table_functions(self.names.table_functions.clone())));
        }
        let is_listed = || self.names.listed().contains_key(name) && self.names.shows_schema(name);
        if self.names.own_schema(name).is_none() && !is_listed() {
            return None;
        }
        let (names, lenient) = (Arc::clone(&self.names), self.lenient);
        Some(Arc::new(LakeSchema { names, name: name.to_owned(), lenient }))
    }

    fn register_schema(
        &self,
        name: &str,
        _schema: Arc<dyn SchemaProvider>,
    ) -> datafusion::common::Result<Option<Arc<dyn SchemaProvider>>> {
        let mut own = self.names.own.write().unwrap_or_else(PoisonError::into_inner);
        own.entry(name.to_owned()).or_insert_with(|| Arc::new(MemorySchemaProvider::new()));
        Ok(None)
    }

    fn deregister_schema(
        &self,
        name: &str,
        cascade: bool,
    ) -> datafusion::common::Result<Option<Arc<dyn SchemaProvider>>> {
        let mut own = self.names.own.write().unwrap_or_else(PoisonError::into_inner);
        let Some(schema) = own.get(name) else {
            return match self.names.listed().contains_key(name) {
                true => Err(read_only(name).into()),
                false => Ok(None),
            };
        };
        if name == OWN_SCHEMA {
            return exec_err!("the schema {OWN_SCHEMA} always exists and cannot be dropped");
        }
        if !schema.table_names().is_empty() && !cascade {
            return exec_err!("the schema {name} still holds tables; add CASCADE to drop them as well");
        }
        Ok(own.remove(name).map(|schema| schema as Arc<dyn SchemaProvider>))
    }
}

fn read_only(what: &str) -> EngineError {
    EngineError::NotAllowed {
        what: format!("changing {what}"),
        reason: format!(
            "statements make tables in the lake, and nothing else; use a name in the schema {OWN_SCHEMA}"
        ),
    }
}

/// One schema: the session's own tables first, then the lake's.
#[derive(Debug)]
struct LakeSchema {
    names: Arc<Names>,
    name: String,
    lenient: bool,
}

impl LakeSchema {
    async fn permitted(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let names = &self.names;
        let whole = format!("{}.{name}", self.name);
        let stored = match (names.only.as_ref().filter(|only| only.table == whole), &names.lake) {
            (Some(only), Some(lake)) => lake.narrowed(&self.name, name, &only.files).await?,
            _ => stored_table(names.audit.as_ref(), names.lake.as_ref(), &self.name, name).await?,
        };
        match (stored, &names.authority) {
            (Some(stored), Some(authority)) => authority.permit(&self.name, name, stored),
            (stored, _) => Ok(stored),
        }
    }
}

#[async_trait]
impl SchemaProvider for LakeSchema {
    fn table_names(&self) -> Vec<String> {
        let mut all = self.names.own_schema(&self.name).map_or_else(Vec::new, |own| own.table_names());
        let listed = self.names.listed().get(&self.name).cloned().unwrap_or_default();
        all.extend(listed.into_iter().filter(|table| self.names.shows_table(&self.name, table)));
        all.sort();
        all.dedup();
        all
    }

    async fn table(&self, name: &str) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        if let Some(own) = self.names.own_schema(&self.name)
            && let Some(table) = own.table(name).await?
        {
            return Ok(Some(table));
        }
        // Before the lake is asked: how long the answer takes tells nothing either.
        if !self.names.shows_table(&self.name, name) {
            return Ok(None);
        }
        match self.permitted(name).await {
            Ok(table) => Ok(table),
            Err(error) if self.lenient => {
                tracing::warn!(schema = self.name, table = name, %error, "left out of the listing");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn table_type(&self, name: &str) -> datafusion::common::Result<Option<TableType>> {
        if let Some(own) = self.names.own_schema(&self.name)
            && let Some(table) = own.table(name).await?
        {
            return Ok(Some(table.table_type()));
        }
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        match self.names.own_schema(&self.name) {
            Some(own) => own.register_table(name, table),
            None => Err(DataFusionError::from(read_only(&format!("{}.{name}", self.name)))),
        }
    }

    fn deregister_table(&self, name: &str) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        match self.names.own_schema(&self.name) {
            Some(own) => own.deregister_table(name),
            None => Err(DataFusionError::from(read_only(&format!("{}.{name}", self.name)))),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        let own = self.names.own_schema(&self.name).is_some_and(|own| own.table_exist(name));
        let is_listed =
            || self.names.listed().get(&self.name).is_some_and(|tables| tables.iter().any(|t| t == name));
        own || (self.names.shows_table(&self.name, name) && is_listed())
    }
}
