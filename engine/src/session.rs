//! The only place where a session is built.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::DFParserBuilder;

use crate::catalog::{Lake, LakeCatalog, LakeLocation, TableInfo};
use crate::error::{EngineError, Result};
use crate::execute::Query;
use crate::policy::Principal;

/// How an engine is set up. `Default` is an engine without a lake and with DataFusion's own limits.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Where the tables are; none for functions and literals alone.
    pub lake: Option<LakeLocation>,
    /// Bytes that queries may hold before they spill.
    pub memory_limit: Option<usize>,
    /// Partitions a query is cut into; the number of cores by default.
    pub target_partitions: Option<usize>,
    /// Leave out lines of JSON that do not parse, and count them, instead of failing.
    pub skip_bad_lines: bool,
}

/// A lake, its stores, its limits: shared by all sessions of a process.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    runtime: Arc<RuntimeEnv>,
    lake: Option<Arc<Lake>>,
}

impl Engine {
    /// Opens the lake and prepares the shared runtime.
    ///
    /// # Errors
    /// When the lake does not exist or cannot be reached, or a limit is impossible.
    pub async fn open(options: EngineOptions) -> Result<Arc<Self>> {
        let mut builder = RuntimeEnvBuilder::new().with_object_list_cache_limit(0);
        if let Some(bytes) = options.memory_limit {
            builder = builder.with_memory_limit(bytes, 1.0);
        }
        let runtime = builder.build_arc()?;
        let lake = match &options.lake {
            Some(location) => Some(Arc::new(Lake::open(location, &runtime).await?)),
            None => None,
        };
        Ok(Arc::new(Self { options, runtime, lake }))
    }

    /// A session of one principal: own temporary tables and settings, shared lake and limits.
    ///
    /// # Errors
    /// When a function or the catalog cannot be registered.
    pub fn session(self: &Arc<Self>, principal: Principal) -> Result<Session> {
        let mut config = SessionConfig::new()
            .with_default_catalog_and_schema("tithe", "public")
            .with_information_schema(true)
            .with_create_default_catalog_and_schema(true);
        if let Some(partitions) = self.options.target_partitions {
            config = config.with_target_partitions(partitions);
        }
        #[expect(clippy::disallowed_methods, reason = "this is the one place where sessions are built")]
        let mut state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(Arc::clone(&self.runtime))
            .with_default_features()
            .build();
        tithe_udfs::register_all(&mut state)?;
        let context = SessionContext::new_with_state(state);
        if let Some(lake) = &self.lake {
            context.register_catalog("tithe", Arc::new(LakeCatalog::new(Arc::clone(lake), &context)?));
        }
        Ok(Session { context, engine: Arc::clone(self), principal })
    }
}

/// One principal's way to ask.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    engine: Arc<Engine>,
    principal: Principal,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("principal", &self.principal).finish_non_exhaustive()
    }
}

impl Session {
    /// Who asks.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Splits a script into its statements, as the SQL parser sees them.
    ///
    /// # Errors
    /// When the text is not SQL; the position is in the message.
    pub fn split(&self, script: &str) -> Result<Vec<String>> {
        let statements = DFParserBuilder::new(script).build()?.parse_statements()?;
        Ok(statements.iter().map(ToString::to_string).collect())
    }

    /// Plans one statement and passes it through the policy. Nothing runs yet.
    ///
    /// # Errors
    /// When the text is not one statement, names unknown things, or is not allowed.
    pub async fn query(&self, sql: &str) -> Result<Query> {
        let found = DFParserBuilder::new(sql).build()?.parse_statements()?.len();
        if found != 1 {
            return Err(EngineError::StatementCount { found });
        }
        let plan = self.context.state().create_logical_plan(sql).await?;
        Ok(Query::new(self.context.execute_logical_plan(plan).await?))
    }

    /// Every table of the lake and every temporary one, sorted by schema and name.
    ///
    /// # Errors
    /// When the lake cannot be listed.
    pub async fn tables(&self) -> Result<Vec<TableInfo>> {
        match &self.engine.lake {
            Some(lake) => lake.tables().await,
            None => Ok(Vec::new()),
        }
    }

    /// The columns of one table.
    ///
    /// # Errors
    /// When there is no such table, or it cannot be read.
    pub async fn table_schema(&self, schema: &str, table: &str) -> Result<SchemaRef> {
        let provider = self
            .context
            .table_provider(datafusion::common::TableReference::partial(schema.to_owned(), table.to_owned()))
            .await?;
        Ok(provider.schema())
    }
}
