//! The only place where a session is built.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::CatalogProvider;
use datafusion::common::{ScalarValue, TableReference};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, Statement as PlanStatement};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use prometheus_client::registry::Registry;
use tithe_udfs::PseudonymKey;

use crate::audit::{Audit, AuditLog, Outcome};
use crate::catalog::{
    CATALOG, Lake, LakeCatalog, LakeLocation, OWN_SCHEMA, OnlyFiles, TableFormat, TableInfo,
};
use crate::cluster::{Cluster, Fingerprint};
use crate::error::{EngineError, Result, did_you_mean};
use crate::execute::{
    Query, QueryMetrics, QueryParts, StatementKind, Work, default_memory_limit, memory_pool, with_scan_limit,
};
use crate::optimize::RepeatedText;
use crate::options::{EngineOptions, QueryLimits, SessionOptions};
use crate::plan;
use crate::policy::{
    Authority, Governance, PolicyStore, Principal, Privilege, PushHarmlessFilters, TithePlanner, apply,
    columns_read,
};
use crate::result_cache::ResultCache;
use crate::settings::Settings;

/// A thousand operators take some 10 MiB in a debug build; pages that are not touched cost nothing.
const DEEP_STACK: usize = 32 << 20;

/// A lake, its stores, its limits: shared by all sessions of a process.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    pub(crate) runtime: Arc<RuntimeEnv>,
    settings: Settings,
    pub(crate) lake: Option<Arc<Lake>>,
    pub(crate) policy: Option<Governance>,
    pseudonym_key: Option<Arc<PseudonymKey>>,
    pub(crate) audit: Option<Arc<AuditLog>>,
    metrics: QueryMetrics,
    results: Option<Arc<ResultCache>>,
    cluster: Option<Arc<Cluster>>,
}

impl Engine {
    /// Opens the lake and prepares the shared runtime.
    ///
    /// # Errors
    /// When the lake does not exist or cannot be reached, a limit is impossible, or the policy is not understood.
    pub async fn open(options: EngineOptions) -> Result<Arc<Self>> {
        if options.target_partitions == Some(0) {
            return Err(EngineError::Configuration {
                origin: "limits.target_partitions".to_owned(),
                reason: "0 partitions cannot run a query, take at least 1".to_owned(),
            });
        }
        let memory = options.memory_limit.unwrap_or_else(default_memory_limit);
        // DataFusion would remember which files a directory holds, and miss those that come later.
        let runtime = RuntimeEnvBuilder::new()
            .with_object_list_cache_limit(0)
            .with_memory_pool(memory_pool(memory))
            .build_arc()?;
        let settings = Settings { skip_bad_lines: options.skip_bad_lines, ..Settings::from_environment()? };
        let lake = match &options.lake {
            Some(location) => {
                let state = state(SessionConfig::new(), &runtime);
                Some(Arc::new(Lake::open(location, state).await?))
            }
            None => None,
        };
        let pseudonym_key = match &options.pseudonym_key_file {
            Some(path) => {
                Some(Arc::new(PseudonymKey::read(path).map_err(|error| EngineError::Configuration {
                    origin: "pseudonym_key_file".to_owned(),
                    reason: error.to_string(),
                })?))
            }
            None => None,
        };
        let policy = match &options.policy {
            Some(path) => {
                let mut functions = state(SessionConfig::new(), &runtime);
                register_functions(&mut functions, pseudonym_key.as_ref())?;
                let store = Arc::new(PolicyStore::open(path)?);
                Some(Governance { store, functions: Arc::new(functions) })
            }
            None => None,
        };
        let audit = options.audit.as_deref().map(AuditLog::open).transpose()?.map(Arc::new);
        let cluster = match &options.cluster {
            Some(cluster) => {
                let own = fingerprint(&runtime, lake.as_deref(), pseudonym_key.as_ref())?;
                Some(Cluster::open(cluster.clone(), own).await?)
            }
            None => None,
        };
        let results = options.result_cache.filter(|bytes| *bytes > 0);
        let results =
            results.map(|bytes| Arc::new(ResultCache::new(bytes, Arc::clone(&runtime.memory_pool))));
        Ok(Arc::new(Self {
            options,
            runtime,
            settings,
            lake,
            policy,
            pseudonym_key,
            audit,
            metrics: QueryMetrics::default(),
            results,
            cluster,
        }))
    }

    /// Where the tables are.
    #[must_use]
    pub fn lake(&self) -> Option<&LakeLocation> {
        self.lake.as_deref().map(Lake::location)
    }

    /// Adds what the queries of all sessions have done so far to `registry`: counts, durations, rows and memory, and
    /// never who or what.
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.metrics.register(registry, &self.runtime.memory_pool);
        if let Some(cluster) = &self.cluster {
            cluster.register_metrics(registry);
        }
        if let Some(results) = &self.results {
            results.register_metrics(registry);
        }
    }

    /// The workers that may be used now; none without a cluster.
    #[must_use]
    pub fn workers(&self) -> Vec<String> {
        let members = self.cluster.as_ref().map(|cluster| cluster.members()).unwrap_or_default();
        members.into_iter().map(|member| member.shown).collect()
    }

    /// Why workers are not used, one sentence each.
    #[must_use]
    pub fn worker_problems(&self) -> Vec<String> {
        self.cluster.as_ref().map(|cluster| cluster.problems()).unwrap_or_default()
    }

    pub(crate) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.runtime
    }

    /// Gives a worker's session the functions of this one's.
    ///
    /// # Errors
    /// When one is refused.
    pub(crate) fn register_functions(&self, state: &mut SessionState) -> Result<()> {
        // Nobody asks a worker by name: the masks of a plan that was permitted may need the key.
        register_functions(state, self.pseudonym_key.as_ref())
    }

    /// What a node must have in common with this one to give the same answers.
    ///
    /// # Errors
    /// When a function cannot be registered.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        fingerprint(&self.runtime, self.lake.as_deref(), self.pseudonym_key.as_ref())
    }

    /// What queries and writers may hold together.
    pub(crate) fn memory_pool(&self) -> &Arc<dyn MemoryPool> {
        &self.runtime.memory_pool
    }

    /// Asks the lake for a sign of life.
    ///
    /// # Errors
    /// When it is gone, or its store does not answer.
    pub async fn reach(&self) -> Result<()> {
        match &self.lake {
            Some(lake) => lake.reach().await,
            None => Ok(()),
        }
    }

    /// A session of one principal: own temporary tables and settings, shared lake and limits.
    ///
    /// # Errors
    /// When a function or the catalog cannot be registered.
    pub fn session(self: &Arc<Self>, principal: Principal) -> Result<Session> {
        self.session_with(principal, SessionOptions::default())
    }

    /// A session of one principal that may do what `options` say.
    ///
    /// # Errors
    /// When a function or the catalog cannot be registered.
    pub fn session_with(self: &Arc<Self>, principal: Principal, options: SessionOptions) -> Result<Session> {
        self.build(principal, options, None)
    }

    fn build(
        self: &Arc<Self>,
        principal: Principal,
        options: SessionOptions,
        only: Option<OnlyFiles>,
    ) -> Result<Session> {
        // The catalog has its own information schema, in which one broken table does not hide the others.
        let mut config = SessionConfig::new()
            .with_default_catalog_and_schema(CATALOG, OWN_SCHEMA)
            .with_information_schema(false)
            .with_create_default_catalog_and_schema(true)
            .with_option_extension(self.settings.clone());
        // DataFusion 55.2 loses the table's name of a struct's field that is part of a join key (apache/datafusion#22895
        // and its kin), and the query fails; no reader of ours decodes less for knowing the field.
        config.options_mut().optimizer.enable_leaf_expression_pushdown = false;
        if let Some(partitions) = self.options.target_partitions {
            config = config.with_target_partitions(partitions);
        }
        let mut state = state(config, &self.runtime);
        // Who may see pseudonyms must not make them: trying every identifier would tell which is whose.
        let key = self.pseudonym_key.as_ref().filter(|_| self.policy.is_none());
        register_functions(&mut state, key)?;
        let authority = self.policy.as_ref().map(|governance| {
            let Governance { store, functions } = governance.clone();
            Authority::new(store, principal.clone(), functions)
        });
        // What changes something reaches past the tables: files, names that others use. Tables have privileges.
        let options = SessionOptions {
            read_only: options.read_only || authority.is_some(),
            writes_lake: options.writes_lake || (authority.is_some() && !options.read_only),
        };
        // Without a policy nobody is known to be an auditor, but for whoever sits at this machine.
        let audit = self.audit_table().filter(|_| authority.is_some() || principal == Principal::local());
        let catalog = LakeCatalog::new(
            self.lake.clone(),
            audit,
            state.table_functions().clone(),
            authority.clone(),
            only,
        );
        let context = SessionContext::new_with_state(state);
        // Of the sort keys `k, step` over the rows that UNNEST makes of the groups of `k`, this rule drops `step`: to
        // DataFusion `k` still tells everything else.
        context.remove_optimizer_rule("eliminate_duplicated_expr");
        context.register_catalog(CATALOG, Arc::new(catalog.clone()));
        let limits = self.options.limits_of(&principal.name);
        Ok(Session { context, catalog, engine: Arc::clone(self), principal, options, authority, limits })
    }
}

fn register_functions(state: &mut SessionState, key: Option<&Arc<PseudonymKey>>) -> Result<()> {
    tithe_udfs::register_all(state)?;
    if let Some(key) = key {
        tithe_udfs::register_pseudonym(state, Arc::clone(key))?;
    }
    Ok(())
}

fn state(config: SessionConfig, runtime: &Arc<RuntimeEnv>) -> SessionState {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where sessions are built")]
    let builder = SessionStateBuilder::new();
    builder
        .with_config(config)
        .with_runtime_env(Arc::clone(runtime))
        .with_default_features()
        .with_query_planner(Arc::new(TithePlanner))
        .with_optimizer_rule(Arc::new(PushHarmlessFilters))
        .with_physical_optimizer_rule(Arc::new(RepeatedText))
        .build()
}

fn fingerprint(
    runtime: &Arc<RuntimeEnv>,
    lake: Option<&Lake>,
    key: Option<&Arc<PseudonymKey>>,
) -> Result<Fingerprint> {
    let mut functions = state(SessionConfig::new(), runtime);
    register_functions(&mut functions, key)?;
    let lake = lake.map(|lake| lake.location().url().to_string());
    Ok(Fingerprint::of(&functions, lake, key.map(|key| key.id())))
}

/// A statement that was planned and permitted.
pub(crate) struct Plan {
    pub(crate) plan: LogicalPlan,
    pub(crate) kind: StatementKind,
    pub(crate) schema: SchemaRef,
    pub(crate) work: Work,
    pub(crate) state: SessionState,
}

/// One principal's way to ask.
#[derive(Clone)]
pub struct Session {
    pub(crate) context: SessionContext,
    pub(crate) catalog: LakeCatalog,
    pub(crate) engine: Arc<Engine>,
    principal: Principal,
    pub(crate) options: SessionOptions,
    /// `None` without a policy.
    pub(crate) authority: Option<Authority>,
    limits: QueryLimits,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("principal", &self.principal)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Who asks.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The engine whose lake and limits this session shares.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// What the session may do.
    #[must_use]
    pub fn options(&self) -> SessionOptions {
        self.options
    }

    /// A session of the same principal in which the lake's table `schema.table` has these of its files alone, named
    /// below the lake's root.
    ///
    /// # Errors
    /// When a function or the catalog cannot be registered.
    pub(crate) fn narrowed(&self, table: &str, files: &[String]) -> Result<Self> {
        let files = files.iter().cloned().collect();
        let only = OnlyFiles { table: table.to_owned(), files: Arc::new(files) };
        self.engine.build(self.principal.clone(), self.options, Some(only))
    }

    /// Checks that the principal may write files of a table.
    ///
    /// # Errors
    /// When the policy does not grant it.
    pub(crate) fn check_may_insert(&self, schema: &str, table: &str) -> Result<()> {
        match &self.authority {
            Some(authority) if !authority.grants(schema, table, Privilege::Insert) => {
                Err(EngineError::NotAllowed {
                    what: format!("writing {schema}.{table}"),
                    reason: format!(
                        "the policy does not grant INSERT on it to {}; ask who keeps the policy",
                        self.principal.name
                    ),
                })
            }
            _ => Ok(()),
        }
    }

    /// Splits a script into its statements as they are written, without the semicolons between them.
    ///
    /// # Errors
    /// When the text is not SQL; the position is in the message.
    pub fn split(&self, script: &str) -> Result<Vec<String>> {
        plan::split(script)
    }

    /// Plans one statement and passes it through the policy. Nothing runs yet: changes and settings happen when
    /// the query is executed, once.
    ///
    /// # Errors
    /// When the text is not one statement, names unknown things, or is not allowed.
    pub async fn query(&self, sql: &str) -> Result<Query> {
        self.query_with(sql, &[]).await
    }

    /// Plans one statement like [`Session::query`], with `values` as typed literals in place of its parameters: `?` in
    /// the order of the text, or `$1`, `$2`, …. Without values, the parameters stay in the plan.
    ///
    /// # Errors
    /// As [`Session::query`]; and when a parameter has no value, or one of a type that does not fit its place.
    pub async fn query_with(&self, sql: &str, values: &[ScalarValue]) -> Result<Query> {
        let mut audit = self.audit(sql);
        audit.parameters = values.iter().map(ToString::to_string).collect();
        let planned = with_deep_stack(self.plan(sql, values, &mut audit)).await;
        self.query_of(sql, planned, audit)
    }

    pub(crate) fn audit(&self, sql: &str) -> Audit {
        Audit::new(self.engine.audit.clone(), self.engine.metrics.clone(), &self.principal, sql)
    }

    /// What was planned as a query, or the refusal on record.
    pub(crate) fn query_of(&self, sql: &str, planned: Result<Plan>, mut audit: Audit) -> Result<Query> {
        match planned {
            Ok(Plan { plan, kind, schema, work, state }) => Ok(Query::new(QueryParts {
                statement: sql.to_owned(),
                kind,
                plan,
                schema,
                work,
                state,
                lake: self.engine.lake.clone(),
                cluster: self.engine.cluster.clone(),
                results: self.engine.results.clone(),
                authority: self.authority.clone(),
                audit,
                limits: self.limits,
            })),
            // A statement that still waits for its values is not refused.
            Err(error @ EngineError::OpenParameters { .. }) => Err(error),
            Err(error) => {
                audit.outcome = Some(Outcome::Refused(error.to_string()));
                Err(error)
            }
        }
    }

    /// The one statement of `sql`, with its parameters numbered and its calls completed; marks that a query begins.
    pub(crate) fn begin(&self, sql: &str) -> Result<Statement> {
        let mut statement = plan::parse_one(sql)?;
        if sql.contains('?') {
            // After the text itself, whose places a syntax error names.
            statement = plan::parse_one(&plan::number_parameters(sql))?;
        }
        plan::check_with_names(&statement)?;
        tithe_udfs::complete_calls(&mut statement);
        if let Some(lake) = &self.engine.lake {
            lake.begin_query();
        }
        Ok(statement)
    }

    /// What one statement is planned and run in.
    pub(crate) fn state(&self) -> SessionState {
        with_scan_limit(self.context.state(), &self.limits)
    }

    async fn plan(&self, sql: &str, values: &[ScalarValue], audit: &mut Audit) -> Result<Plan> {
        let mut statement = self.begin(sql)?;
        if !values.is_empty() {
            plan::check_values(&mut statement, values.len())?;
        }
        let state = self.state();
        let plan = self.bound(statement, values, &state).await?;
        let default_schema = &state.config_options().catalog.default_schema;
        let change = self.lake_change(&plan, default_schema)?;
        let permitted = apply(self.authority.as_ref(), plan, default_schema)?;
        audit.tables = permitted.tables;
        audit.policy = permitted.version;
        let plan = permitted.plan;
        if let Some((target, source)) = change {
            return self.change(target, source, plan, state, audit).await;
        }
        let kind = plan::kind(&plan);
        if let LogicalPlan::Ddl(_) | LogicalPlan::Statement(_) = plan {
            let work = Work::Session(self.context.clone());
            return Ok(Plan { plan, kind, schema: Arc::new(Schema::empty()), work, state });
        }
        let schema = promised_schema(&plan, &state)?;
        let optimized = state.optimize(&plan)?;
        audit.columns = columns_read(&optimized, default_schema)?;
        Ok(Plan { plan, kind, schema, work: Work::Rows(optimized), state })
    }

    /// The plan of `statement` with `values` bound. Parameters whose type it does not tell take that of their value, or
    /// any that fits where there are no values.
    pub(crate) async fn bound(
        &self,
        mut statement: Statement,
        values: &[ScalarValue],
        state: &SessionState,
    ) -> Result<LogicalPlan> {
        let count = plan::parameter_count(&mut statement).unwrap_or_default();
        if count == 0 {
            return self.bound_as(statement, values, state).await;
        }
        let as_it_is = self.bound_and_typed(statement.clone(), values, state).await;
        let Err(EngineError::DataFusion(_)) = as_it_is else { return as_it_is };
        if !values.is_empty() {
            let types: Vec<DataType> = values.iter().map(ScalarValue::data_type).collect();
            return self.bound_as(plan::with_types(statement, &types), values, state).await;
        }
        for guess in plan::GUESSES {
            let guessed = plan::with_types(statement.clone(), &vec![guess; count]);
            if let Ok(plan) = self.bound_and_typed(guessed, values, state).await {
                return Ok(plan);
            }
        }
        Err(EngineError::OpenParameters { count })
    }

    async fn bound_as(
        &self,
        statement: Statement,
        values: &[ScalarValue],
        state: &SessionState,
    ) -> Result<LogicalPlan> {
        let plan = self.to_plan(statement, state).await?;
        plan::bind(self.prepared(plan).await?, values)
    }

    /// As [`Session::bound_as`]; also finds what only fails when types are settled.
    async fn bound_and_typed(
        &self,
        statement: Statement,
        values: &[ScalarValue],
        state: &SessionState,
    ) -> Result<LogicalPlan> {
        let plan = self.bound_as(statement, values, state).await?;
        promised_schema(&plan, state)?;
        Ok(plan)
    }

    async fn to_plan(&self, statement: Statement, state: &SessionState) -> Result<LogicalPlan> {
        let mut references = state.resolve_table_references(&statement)?;
        let default_schema = state.config_options().catalog.default_schema.as_str();
        if default_schema != OWN_SCHEMA {
            references = references.into_iter().map(|table| in_schema(table, default_schema)).collect();
        }
        self.catalog.refresh(&references, changes_schemas(&statement)).await?;
        match state.statement_to_plan(statement.clone()).await {
            Ok(plan) => {
                plan::check_plan(&plan, self.limits.plan_depth.unwrap_or(QueryLimits::PLAN_DEPTH))?;
                Ok(plan)
            }
            Err(error) => {
                let tables = self.names().await.unwrap_or_default();
                Err(plan::explain(error, &statement, &references, &tables, state))
            }
        }
    }

    /// `EXECUTE` stands for the plan that was prepared, which passes the policy like any other.
    async fn prepared(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        match plan {
            LogicalPlan::Statement(PlanStatement::Execute(_)) => {
                let frame = self.context.execute_logical_plan(plan).await?;
                Ok(frame.into_unoptimized_plan())
            }
            plan => Ok(plan),
        }
    }

    pub(crate) fn shows(&self, schema: &str, table: &str) -> bool {
        self.authority.as_ref().is_none_or(|authority| authority.shows_table(schema, table))
    }

    async fn names(&self) -> Result<Vec<(String, String)>> {
        let mut names = match &self.engine.lake {
            Some(lake) => lake.names().await?,
            None => Vec::new(),
        };
        names.retain(|(schema, table)| self.shows(schema, table));
        let further = self.catalog.own_tables().into_iter().chain(self.catalog.audit_table());
        names.extend(further.map(|table| (table.schema, table.table)));
        names.sort();
        Ok(names)
    }

    /// Every table of the lake and every temporary one, sorted by schema and name.
    ///
    /// # Errors
    /// When the lake cannot be listed.
    pub async fn tables(&self) -> Result<Vec<TableInfo>> {
        let mut tables = self.catalog.own_tables();
        if let Some(lake) = &self.engine.lake {
            tables.extend(lake.tables().await?);
        }
        let audit = self.catalog.audit_table();
        tables.retain(|info| {
            audit.as_ref().is_none_or(|audit| (&info.schema, &info.table) != (&audit.schema, &audit.table))
        });
        tables.extend(audit);
        tables.retain(|info| info.format == TableFormat::Temporary || self.shows(&info.schema, &info.table));
        tables.sort_by(|a, b| (&a.schema, &a.table).cmp(&(&b.schema, &b.table)));
        Ok(tables)
    }

    /// The columns of one table.
    ///
    /// # Errors
    /// When there is no such table, or it cannot be read.
    pub async fn table_schema(&self, schema: &str, table: &str) -> Result<SchemaRef> {
        let reference = TableReference::partial(schema.to_owned(), table.to_owned());
        self.catalog.refresh(&[reference], false).await?;
        if let Some(tables) = self.catalog.schema(schema)
            && let Some(provider) = tables.table(table).await?
        {
            return Ok(provider.schema());
        }
        let name = format!("{schema}.{table}");
        let known: Vec<String> =
            self.names().await?.into_iter().map(|(schema, table)| format!("{schema}.{table}")).collect();
        let hint = did_you_mean(&name, known.iter().map(String::as_str), "");
        Err(EngineError::Unknown { what: "table", name, hint })
    }

    /// The names of one table's columns, in order.
    ///
    /// # Errors
    /// When there is no such table, or it cannot be read.
    pub async fn columns(&self, schema: &str, table: &str) -> Result<Vec<String>> {
        let schema = self.table_schema(schema, table).await?;
        Ok(schema.fields().iter().map(|field| field.name().clone()).collect())
    }

    /// The names of all functions, sorted.
    #[must_use]
    pub fn functions(&self) -> Vec<String> {
        plan::function_names(&self.context.state()).into_iter().collect()
    }

    /// The session's settings under `tithe.`.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::of(self.context.state().config_options())
    }
}

/// The schema after types are settled and before optimizing, which may change nullability.
pub(crate) fn promised_schema(plan: &LogicalPlan, state: &SessionState) -> Result<SchemaRef> {
    if let LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) = plan {
        return Ok(Arc::clone(plan.schema().inner()));
    }
    let analyzed =
        state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_plan, _rule| {})?;
    Ok(Arc::clone(analyzed.schema().inner()))
}

/// Polls `work` on a stack that holds the deepest expression that is parsed.
pub(crate) async fn with_deep_stack<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| stacker::maybe_grow(DEEP_STACK / 2, DEEP_STACK, || work.as_mut().poll(context))).await
}

/// A bare name as what it stands for in a session that looks up names in `schema`.
fn in_schema(table: TableReference, schema: &str) -> TableReference {
    match table {
        TableReference::Bare { table } => TableReference::Partial { schema: schema.into(), table },
        table => table,
    }
}

/// Whether `statement` needs to know every schema there is, not those that it names alone.
fn changes_schemas(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(inner) => {
            matches!(inner.as_ref(), ast::Statement::CreateSchema { .. } | ast::Statement::Drop { .. })
        }
        _ => false,
    }
}
