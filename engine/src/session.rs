//! One principal's way to ask.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::CatalogProvider;
use datafusion::common::{ScalarValue, TableReference};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, SetVariable, Statement as PlanStatement};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use tracing::{Instrument, trace_span};
use uuid::Uuid;

use crate::audit::{Audit, Outcome};
use crate::catalog::{LakeCatalog, OWN_SCHEMA, OnlyFiles, TableFormat, TableInfo};
use crate::engine::Engine;
use crate::error::{EngineError, Result, did_you_mean};
use crate::execute::{Asked, Query, QueryParts, StatementKind, TRACE_TARGET, Work, with_scan_limit};
use crate::options::{QueryLimits, SessionOptions};
use crate::plan;
use crate::policy::{Authority, Principal, Privilege, apply, columns_read};
use crate::settings::Settings;

/// A thousand operators take some 10 MiB in a debug build; pages that are not touched cost nothing.
const DEEP_STACK: usize = 32 << 20;

/// The setting by which instants become days and hours.
const TIME_ZONE: &str = "datafusion.execution.time_zone";

/// A statement that was planned and permitted.
pub(crate) struct Plan {
    pub(crate) plan: LogicalPlan,
    pub(crate) kind: StatementKind,
    pub(crate) schema: SchemaRef,
    pub(crate) work: Work,
    pub(crate) state: SessionState,
    pub(crate) asked: Asked,
}

/// One principal's way to ask.
#[derive(Clone)]
pub struct Session {
    pub(crate) context: SessionContext,
    pub(crate) catalog: LakeCatalog,
    pub(crate) engine: Arc<Engine>,
    pub(crate) principal: Principal,
    pub(crate) options: SessionOptions,
    /// `None` without a policy.
    pub(crate) authority: Option<Authority>,
    pub(crate) limits: QueryLimits,
    /// That of the queries to come; `None` for one of its own for each.
    pub(crate) query_id: Option<Uuid>,
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

    /// The same session, in whose queries the audit, the log and workers' logs carry `id`.
    #[must_use]
    pub fn with_query_id(self, id: Uuid) -> Self {
        Self { query_id: Some(id), ..self }
    }

    /// Looks up names without a schema in `schema` from now on, as `SET datafusion.catalog.default_schema` does.
    pub fn look_up_in(&self, schema: &str) {
        let state = self.context.state_ref();
        state.write().config_mut().options_mut().catalog.default_schema = schema.to_owned();
    }

    /// Changes a setting as `SET name = value` does, which leaves no record of its own.
    ///
    /// # Errors
    /// When there is no such setting, it does not take the value, or a read-only session may not change it.
    pub async fn set(&self, name: &str, value: &str) -> Result<()> {
        let set = SetVariable { variable: name.to_owned(), value: value.to_owned() };
        let set = LogicalPlan::Statement(PlanStatement::SetVariable(set));
        if self.options.read_only {
            plan::check_read_only(&set)?;
        }
        if name == TIME_ZONE && value.parse::<Tz>().is_err() {
            return Err(EngineError::Configuration {
                origin: format!("setting {TIME_ZONE}"),
                reason: format!(
                    "{value:?} is no time zone: give a name like Asia/Taipei, or an offset like +08:00"
                ),
            });
        }
        self.context.execute_logical_plan(set).await?;
        Ok(())
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
        let span = audit.span();
        // In a box: whoever waits for it, on however small a stack, holds it as part of its own work.
        let planning = Box::pin(self.plan(sql, values, &mut audit));
        let plan = trace_span!(target: TRACE_TARGET, parent: &span, "plan");
        let planned = with_deep_stack(planning).instrument(plan).instrument(span).await;
        self.query_of(sql, planned, audit)
    }

    pub(crate) fn audit(&self, sql: &str) -> Audit {
        let id = self.query_id.unwrap_or_else(Uuid::new_v4);
        let log = self.engine.audit.clone();
        let mut audit = Audit::new(log, self.engine.metrics.clone(), &self.principal, sql, id);
        if let Some(authority) = &self.authority {
            (audit.policy, audit.memberships) = authority.standing();
        }
        audit
    }

    /// What was planned as a query, or the refusal on record.
    pub(crate) fn query_of(&self, sql: &str, planned: Result<Plan>, mut audit: Audit) -> Result<Query> {
        match planned {
            Ok(Plan { plan, kind, schema, work, state, asked }) => Ok(Query::new(QueryParts {
                statement: sql.to_owned(),
                kind,
                plan,
                schema,
                work,
                state,
                lake: self.engine.lake.clone(),
                cluster: self.engine.cluster.clone(),
                results: self.engine.results.clone(),
                asked,
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
        plan::spell_out_types(&mut statement);
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
        let key = self.statement_key(sql, values, audit);
        if let Some(key) = &key
            && let Some(known) = self.known(key, audit).await
        {
            return Ok(known);
        }
        let mut statement = self.begin(sql)?;
        let asked = key.filter(|_key| is_query(&statement)).map_or(Asked::Once, Asked::First);
        if !values.is_empty() {
            plan::check_values(&mut statement, values.len())?;
        }
        let state = self.state();
        let plan = self.bound(statement, values, &state).await?;
        let default_schema = &state.config_options().catalog.default_schema;
        let change = self.lake_change(&plan, default_schema)?;
        let permitted = apply(self.authority.as_ref(), plan, default_schema)?;
        let plan = permitted.noted(audit);
        if let Some((target, source)) = change {
            return self.change(target, source, plan, state, audit).await;
        }
        let kind = plan::kind(&plan);
        if let LogicalPlan::Ddl(_) | LogicalPlan::Statement(_) = plan {
            let work = Work::Session(self.context.clone());
            let schema = Arc::new(Schema::empty());
            return Ok(Plan { plan, kind, schema, work, state, asked: Asked::Once });
        }
        let (schema, optimized) = optimized(&plan, &state)?;
        audit.columns = columns_read(&optimized, default_schema)?;
        Ok(Plan { plan, kind, schema, work: Work::Rows(optimized), state, asked })
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

/// The schema that [`promised_schema`] tells, and the plan as it is run; types are settled once for both.
fn optimized(plan: &LogicalPlan, state: &SessionState) -> Result<(SchemaRef, LogicalPlan)> {
    // An EXPLAIN shows what every step makes of the plan, types included.
    if let LogicalPlan::Explain(_) = plan {
        return Ok((promised_schema(plan, state)?, state.optimize(plan)?));
    }
    let analyzed = analyzed(plan, state)?;
    let schema = match plan {
        LogicalPlan::Analyze(_) => Arc::clone(plan.schema().inner()),
        _ => Arc::clone(analyzed.schema().inner()),
    };
    Ok((schema, state.optimizer().optimize(analyzed, state, |_plan, _rule| {})?))
}

fn analyzed(plan: &LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    Ok(state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_plan, _rule| {})?)
}

/// The schema after types are settled and before optimizing, which may change nullability.
pub(crate) fn promised_schema(plan: &LogicalPlan, state: &SessionState) -> Result<SchemaRef> {
    if let LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) = plan {
        return Ok(Arc::clone(plan.schema().inner()));
    }
    Ok(Arc::clone(analyzed(plan, state)?.schema().inner()))
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

/// Whether `statement` is a query itself, and does not stand for something that the session has prepared.
fn is_query(statement: &Statement) -> bool {
    matches!(statement, Statement::Statement(inner) if matches!(inner.as_ref(), ast::Statement::Query(_)))
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
