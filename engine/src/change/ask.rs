//! A session's ways to write tables of the lake.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::parser::Statement;
use tracing::Instrument;

use super::bound_rows::{MOST_PLANS, bind_rows, union};
use super::commit::{CHANGED, LakeChange};
use super::permission::check_permitted;
use super::statement::{check_schema, lake_change};
use super::{Action, Existing, Target, WriteMode};
use crate::audit::Audit;
use crate::error::{EngineError, Result};
use crate::execute::{Asked, ChangeRows, Query, StatementKind, Work};
use crate::plan;
use crate::policy::{apply, columns_read};
use crate::session::{Plan, Session, promised_schema, with_deep_stack};

type Source = Option<Arc<LogicalPlan>>;

impl Session {
    /// Plans one `INSERT` with every row of `values` for its parameters, the first column for `$1`. All rows are written
    /// at once, or none is.
    ///
    /// # Errors
    /// As [`Session::query_with`]; and when the statement is another.
    pub async fn query_with_rows(&self, sql: &str, values: &RecordBatch) -> Result<Query> {
        let mut audit = self.audit(sql);
        audit.parameters = vec![format!("{} rows of values", values.num_rows())];
        let span = audit.span();
        let planning = Box::pin(self.plan_rows(sql, values, &mut audit));
        let planned = with_deep_stack(planning).instrument(span).await;
        self.query_of(sql, planned, audit)
    }

    /// Prepares to write `rows` to a table of the lake. Nothing of them is seen before the last has come; the query
    /// returns how many were written, as `count`.
    ///
    /// # Errors
    /// When the session only reads, there is no lake, or the policy does not permit it.
    pub async fn write_rows(
        &self,
        schema: &str,
        table: &str,
        mode: WriteMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Query> {
        let target =
            Target { schema: schema.to_owned(), table: table.to_owned(), action: Action::Write(mode) };
        let statement = format!("INGEST INTO {}", target.name());
        let mut audit = self.audit(&statement);
        let span = audit.span();
        let planned = self.plan_ingest(target, rows, &mut audit).instrument(span).await;
        self.query_of(&statement, planned, audit)
    }

    /// The change that `plan` makes in the lake, and the plan of its rows, if it is one and the session may make it.
    ///
    /// # Errors
    /// When the session may not change what the plan changes, or nobody may.
    pub(crate) fn lake_change(
        &self,
        plan: &LogicalPlan,
        default_schema: &str,
    ) -> Result<Option<(Target, Source)>> {
        let only_lake = self.options.read_only;
        if only_lake && !self.options.writes_lake {
            plan::check_read_only(plan)?;
        }
        let change = match &self.engine.lake {
            Some(_) => {
                lake_change(plan, default_schema, |schema| !only_lake && self.catalog.has_own_schema(schema))?
            }
            None => None,
        };
        if only_lake && change.is_none() {
            plan::check_read_only(plan)?;
        }
        Ok(change)
    }

    /// The change as work to be done, once it is permitted.
    ///
    /// # Errors
    /// When the principal may not make it, or its rows cannot be planned.
    pub(crate) async fn change(
        &self,
        target: Target,
        source: Source,
        plan: LogicalPlan,
        state: SessionState,
        audit: &mut Audit,
    ) -> Result<Plan> {
        self.permit(&target, audit).await?;
        let (rows, schema) = match source {
            None => (ChangeRows::None, Arc::new(Schema::empty())),
            Some(source) => {
                let mut schema = promised_schema(&source, &state)?;
                // Columns that are written down have the nullability that is; those of a query take NULL.
                if !matches!(source.as_ref(), LogicalPlan::EmptyRelation(_)) {
                    schema = nullable(&schema);
                }
                let optimized = state.optimize(&source)?;
                audit.columns = columns_read(&optimized, &state.config_options().catalog.default_schema)?;
                (ChangeRows::Plan(Box::new(optimized)), schema)
            }
        };
        let work = self.work(target, rows, schema)?;
        Ok(planned_change(plan, work, state))
    }

    async fn permit(&self, target: &Target, audit: &mut Audit) -> Result<()> {
        audit.tables.insert(target.name());
        match (&self.authority, &self.engine.lake) {
            (Some(authority), Some(lake)) => check_permitted(authority, target, lake).await,
            _ => Ok(()),
        }
    }

    fn work(&self, target: Target, rows: ChangeRows, schema: SchemaRef) -> Result<Work> {
        let Some(lake) = &self.engine.lake else {
            return Err(EngineError::NotAllowed {
                what: format!("changing {}", target.name()),
                reason: "no lake is open; name one with --lake".to_owned(),
            });
        };
        let pool = Arc::clone(&self.engine.runtime.memory_pool);
        let change = LakeChange { target, lake: Arc::clone(lake), pool, schema };
        Ok(Work::Change(Box::new(change), rows))
    }

    async fn plan_ingest(
        &self,
        target: Target,
        rows: SendableRecordBatchStream,
        audit: &mut Audit,
    ) -> Result<Plan> {
        if self.options.read_only && !self.options.writes_lake {
            return Err(EngineError::ReadOnly { what: format!("loading rows into {}", target.name()) });
        }
        check_schema(&target)?;
        self.permit(&target, audit).await?;
        let schema = rows.schema();
        let work = self.work(target, ChangeRows::Stream(rows), schema)?;
        let plan = LogicalPlanBuilder::empty(false).build()?;
        let state = self.context.state();
        Ok(planned_change(plan, work, state))
    }

    async fn plan_rows(&self, sql: &str, values: &RecordBatch, audit: &mut Audit) -> Result<Plan> {
        let mut statement = self.begin(sql)?;
        plan::check_values(&mut statement, values.num_columns())?;
        let state = self.state();
        let default_schema = state.config_options().catalog.default_schema.clone();
        let types: Vec<DataType> =
            values.schema_ref().fields().iter().map(|field| field.data_type().clone()).collect();
        let plan = match self.bound(statement.clone(), &[], &state).await {
            Ok(plan) => plan,
            Err(EngineError::OpenParameters { .. }) => {
                self.bound(plan::with_types(statement.clone(), &types), &[], &state).await?
            }
            Err(error) => return Err(error),
        };
        let change = self.lake_change(&plan, &default_schema)?;
        let permitted = apply(self.authority.as_ref(), plan, &default_schema)?;
        let plan = permitted.noted(audit);
        let Some((target, Some(source))) = change.filter(|(target, _)| target.appends()) else {
            return Err(EngineError::NotAllowed {
                what: "a statement with several rows of values".to_owned(),
                reason: "only INSERT INTO a table of the lake takes them; bind one row at a time".to_owned(),
            });
        };
        let source = match bind_rows(&source, values)? {
            Some(source) => source,
            None => self.each_row(&statement, values, &state).await?,
        };
        self.change(target, Some(Arc::new(source)), plan, state, audit).await
    }

    /// The rows of an `INSERT` that is planned for each row of `values`.
    async fn each_row(
        &self,
        statement: &Statement,
        values: &RecordBatch,
        state: &SessionState,
    ) -> Result<LogicalPlan> {
        if values.num_rows() > MOST_PLANS {
            return Err(EngineError::NotAllowed {
                what: format!("INSERT … SELECT with {} rows of values", values.num_rows()),
                reason: format!("it takes at most {MOST_PLANS}; load the values into a table and join it"),
            });
        }
        let default_schema = &state.config_options().catalog.default_schema;
        let mut plans = Vec::with_capacity(values.num_rows());
        for row in 0..values.num_rows() {
            let row = values
                .columns()
                .iter()
                .map(|column| ScalarValue::try_from_array(column, row))
                .collect::<Result<Vec<_>, _>>()?;
            let plan = self.bound(statement.clone(), &row, state).await?;
            let change = self.lake_change(&plan, default_schema)?;
            apply(self.authority.as_ref(), plan, default_schema)?;
            if let Some((_, Some(source))) = change {
                plans.push(Arc::unwrap_or_clone(source));
            }
        }
        union(plans)?.ok_or_else(|| EngineError::Defect { reason: "an INSERT without rows".to_owned() })
    }
}

impl Target {
    fn appends(&self) -> bool {
        matches!(self.action, Action::Write(WriteMode { existing: Existing::Append, .. }))
    }
}

fn nullable(schema: &Schema) -> SchemaRef {
    let fields: Vec<_> =
        schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    Arc::new(Schema::new(fields))
}

fn planned_change(plan: LogicalPlan, work: Work, state: SessionState) -> Plan {
    let (kind, schema) = (StatementKind::Change, Arc::clone(&CHANGED));
    Plan { plan, kind, schema, work, state, asked: Asked::Once }
}
