//! Execution in this process.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::audit::{Audit, LiveQuery, Outcome};
use crate::catalog::Lake;
use crate::change::LakeChange;
use crate::cluster::Cluster;
use crate::error::Result;
use crate::execute::QueryReport;
use crate::execute::distributed::OnWorkers;
use crate::execute::limited::Limited;
use crate::execute::prepared::{Answers, ChangeStart, PreparedQuery, Start, planned_rows};
use crate::execute::scanned::Scanned;
use crate::options::QueryLimits;
use crate::policy::{Authority, rollups_read, still_permitted};
use crate::result_cache::{KnownStatement, Planned, ResultCache, StatementKey};

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// Returns rows and changes nothing.
    Query,
    /// Changes the catalog or a table, or writes files.
    Change,
    /// Session settings.
    Setting,
}

/// What is run.
pub(crate) enum Work {
    /// An optimized plan.
    Rows(LogicalPlan),
    /// A change of the session itself: names or settings.
    Session(SessionContext),
    /// A change of a table of the lake.
    Change(Box<LakeChange>, ChangeRows),
}

/// The rows that a change writes.
pub(crate) enum ChangeRows {
    /// It writes none.
    None,
    /// Those of an optimized plan.
    Plan(Box<LogicalPlan>),
    /// Those that come from elsewhere.
    Stream(SendableRecordBatchStream),
}

/// Whether a statement was asked before.
#[derive(Debug)]
pub(crate) enum Asked {
    /// It is not remembered.
    Once,
    /// It was not, but may be asked again.
    First(StatementKey),
    /// It was, and its plan is the one that was made then.
    Before(Arc<KnownStatement>),
}

/// What a query is made of.
pub(crate) struct QueryParts {
    pub(crate) statement: String,
    pub(crate) kind: StatementKind,
    /// As permitted, before it was optimized.
    pub(crate) plan: LogicalPlan,
    pub(crate) schema: SchemaRef,
    pub(crate) work: Work,
    pub(crate) state: SessionState,
    pub(crate) lake: Option<Arc<Lake>>,
    pub(crate) cluster: Option<Arc<Cluster>>,
    pub(crate) results: Option<Arc<ResultCache>>,
    /// By what the statement may be remembered, or what is known of it.
    pub(crate) asked: Asked,
    /// Whoever asks, where there is a policy.
    pub(crate) authority: Option<Authority>,
    pub(crate) audit: Audit,
    pub(crate) limits: QueryLimits,
}

/// A planned and permitted statement, not yet run.
pub struct Query {
    parts: QueryParts,
    report: QueryReport,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query")
            .field("statement", &self.parts.statement)
            .field("kind", &self.parts.kind)
            .field("schema", &self.parts.schema)
            .finish_non_exhaustive()
    }
}

impl Query {
    pub(crate) fn new(parts: QueryParts) -> Self {
        Self { parts, report: QueryReport::default() }
    }

    /// The schema of every batch that [`Query::execute`] yields, including nullability and metadata.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.parts.schema)
    }

    /// What the statement does.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        self.parts.kind
    }

    /// The statement as it was given.
    #[must_use]
    pub fn statement(&self) -> &str {
        &self.parts.statement
    }

    /// What the audit, the log and workers' logs call it.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.parts.audit.id()
    }

    /// What `audit.query` says of it before it runs.
    #[must_use]
    pub fn live(&self) -> LiveQuery {
        LiveQuery::of(&self.parts.audit)
    }

    /// The tables that the statement names, as `schema.table`.
    pub(crate) fn tables(&self) -> &BTreeSet<String> {
        &self.parts.audit.tables
    }

    /// The rollups that it is answered from, as `schema.table/rollup`.
    ///
    /// # Errors
    /// When the plan cannot be walked.
    pub fn rollups(&self) -> Result<BTreeSet<String>> {
        self.optimized().map_or_else(|| Ok(BTreeSet::new()), rollups_read)
    }

    /// The logical plan, as the policy permits it and before it is optimized.
    #[must_use]
    pub fn logical_plan(&self) -> &LogicalPlan {
        &self.parts.plan
    }

    /// The optimized plan, of a statement that is one of rows.
    pub(crate) fn optimized(&self) -> Option<&LogicalPlan> {
        match &self.parts.work {
            Work::Rows(plan) => Some(plan),
            Work::Session(_) | Work::Change(..) => None,
        }
    }

    /// Lists the tables' files again when the statement runs: for a plan that has waited.
    pub fn look_again(&self) {
        if let Some(lake) = &self.parts.lake {
            lake.begin_query();
        }
    }

    /// What will have been left out of the answer when the last row has come.
    #[must_use]
    pub fn report(&self) -> QueryReport {
        self.report.clone()
    }

    /// Runs the statement, once; rows arrive as they are made. Dropping the stream stops the work.
    ///
    /// Errors inside the stream are read with [`EngineError::from`](crate::EngineError::from).
    ///
    /// # Errors
    /// When planning to operators or starting them fails, or the change or setting does.
    pub async fn execute(self) -> Result<SendableRecordBatchStream> {
        self.prepare().await?.execute().await
    }

    /// Plans the statement to operators, so that one can tell where to run it. From here on it is on record.
    ///
    /// # Errors
    /// When it is not permitted any more, or planning to operators fails.
    pub async fn prepare(self) -> Result<PreparedQuery> {
        let span = self.parts.audit.span();
        Box::pin(self.plan()).instrument(span).await
    }

    async fn plan(self) -> Result<PreparedQuery> {
        let Self { parts, report } = self;
        let QueryParts {
            plan,
            kind,
            schema,
            work,
            state,
            lake,
            cluster,
            results,
            asked,
            authority,
            mut audit,
            limits,
            ..
        } = parts;
        if let Err(error) = still_permitted(authority.as_ref(), &audit.policy) {
            audit.outcome = Some(Outcome::Refused(error.to_string()));
            return Err(error);
        }
        audit.start()?;
        let changes = matches!(work, Work::Change(..));
        let scanned = Scanned::of(&state);
        let start = match work {
            Work::Rows(optimized) => {
                let cluster = cluster.filter(|_cluster| kind == StatementKind::Query);
                let on_workers = cluster.map(|cluster| OnWorkers::new(cluster, &state, &plan, audit.id()));
                let results = results.filter(|_results| kind == StatementKind::Query);
                match kept_answer(results.as_ref(), &asked).await {
                    Some(answer) => Ok(Start::Kept(answer)),
                    None => {
                        let policy = audit.policy.clone();
                        let planned = match asked {
                            Asked::First(key) => {
                                Planned::of(&key, &plan, &schema, &audit).map(|planned| (key, planned))
                            }
                            Asked::Once | Asked::Before(_) => None,
                        };
                        let answers = results.map(|cache| Answers { cache, policy, planned });
                        planned_rows(&state, &optimized, &report, lake, on_workers, answers).await
                    }
                }
            }
            Work::Session(context) => Ok(Start::Session(context, plan)),
            Work::Change(change, source) => {
                let source = match source {
                    ChangeRows::None => Ok(ChangeStart::None),
                    ChangeRows::Plan(optimized) => {
                        planned_rows(&state, &optimized, &report, lake, None, None)
                            .await
                            .map(|rows| ChangeStart::Plan(Box::new(rows)))
                    }
                    ChangeRows::Stream(rows) => Ok(ChangeStart::Stream(rows)),
                };
                source.map(|source| Start::Change(change, source))
            }
        };
        match start {
            Ok(start) => {
                let limited = Limited::new(limits, scanned);
                Ok(PreparedQuery { start, schema, audit, changes, limited })
            }
            Err(error) => {
                audit.outcome = Some(Outcome::Failed(error.to_string()));
                Err(error)
            }
        }
    }

    /// Runs the statement and gathers all rows in memory.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn collect(self) -> Result<Vec<RecordBatch>> {
        Ok(self.execute().await?.try_collect().await?)
    }
}

/// The answer of a statement that was asked before, if it is kept and no file has changed. One whose files cannot be listed is
/// run, and fails there.
async fn kept_answer(results: Option<&Arc<ResultCache>>, asked: &Asked) -> Option<RecordBatch> {
    let (Some(cache), Asked::Before(known)) = (results, asked) else { return None };
    match known.still_holds().await {
        Ok(true) => cache.answer_of(known),
        _ => None,
    }
}
