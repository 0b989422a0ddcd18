//! Execution in this process.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt, stream};
use tracing::Instrument;
use uuid::Uuid;

use crate::audit::{Audit, LiveQuery, Outcome};
use crate::catalog::Lake;
use crate::change::LakeChange;
use crate::cluster::Cluster;
use crate::error::{EngineError, Result};
use crate::execute::QueryReport;
use crate::execute::attempts::run_on_workers;
use crate::execute::broken_file::name_broken_file;
use crate::execute::distributed::{OnWorkers, Place, bytes_read};
use crate::execute::explain::explain_place;
use crate::execute::limited::Limited;
use crate::execute::read_again::read_again;
use crate::execute::result_stream::ResultStream;
use crate::execute::scanned::Scanned;
use crate::options::QueryLimits;
use crate::policy::{Authority, behind_border, rollups_read, still_permitted};
use crate::result_cache::{Keeper, KnownStatement, Planned, ResultCache, StatementKey, keep, result_key};

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
    /// Errors inside the stream are read with [`EngineError::from`].
    ///
    /// # Errors
    /// When planning to operators or starting them fails, or the change or setting does.
    pub async fn execute(self) -> Result<SendableRecordBatchStream> {
        let span = self.parts.audit.span();
        Box::pin(self.start()).instrument(span).await
    }

    async fn start(self) -> Result<SendableRecordBatchStream> {
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
        let rows = match work {
            Work::Rows(optimized) => {
                let cluster = cluster.filter(|_cluster| kind == StatementKind::Query);
                let on_workers = cluster.map(|cluster| OnWorkers::new(cluster, &state, &plan, audit.id()));
                let results = results.filter(|_results| kind == StatementKind::Query);
                match kept_answer(results.as_ref(), &asked).await {
                    Some(answer) => Ok(delivered(answer)),
                    None => {
                        let policy = audit.policy.clone();
                        let planned = match asked {
                            Asked::First(key) => {
                                Planned::of(&key, &plan, &schema, &audit).map(|planned| (key, planned))
                            }
                            Asked::Once | Asked::Before(_) => None,
                        };
                        let answers = results.map(|cache| Answers { cache, policy, planned });
                        rows(&state, &optimized, &report, lake, on_workers, answers).await
                    }
                }
            }
            Work::Session(context) => match context.execute_logical_plan(plan).await {
                Ok(done) => done.execute_stream().await.map_err(EngineError::from).map(StreamExt::boxed),
                Err(error) => Err(error.into()),
            },
            Work::Change(change, source) => {
                let source = match source {
                    ChangeRows::None => Ok(stream::empty().boxed()),
                    ChangeRows::Plan(optimized) => rows(&state, &optimized, &report, lake, None, None).await,
                    ChangeRows::Stream(rows) => Ok(rows.boxed()),
                };
                source.map(|source| {
                    stream::once(async move { change.make(source).await.map_err(DataFusionError::from) })
                        .boxed()
                })
            }
        };
        match rows {
            Ok(rows) => {
                Ok(Box::pin(ResultStream::new(rows, schema, audit, changes, Limited::new(limits, scanned))))
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

/// The rows of an answer that was kept.
fn delivered(answer: RecordBatch) -> Rows {
    stream::iter((answer.num_rows() > 0).then_some(Ok(answer))).boxed()
}

/// Where answers are kept, and what they depend on besides plan, settings and files.
struct Answers {
    cache: Arc<ResultCache>,
    policy: String,
    /// A statement that is not known yet.
    planned: Option<(StatementKey, Planned)>,
}

type Rows = futures::stream::BoxStream<'static, datafusion::common::Result<RecordBatch>>;

async fn rows(
    state: &SessionState,
    optimized: &LogicalPlan,
    report: &QueryReport,
    lake: Option<Arc<Lake>>,
    on_workers: Option<OnWorkers>,
    answers: Option<Answers>,
) -> Result<Rows> {
    let mut plan = state.query_planner().create_physical_plan(optimized, state).await?;
    let mut keeper = None;
    if let Some(Answers { cache, policy, planned }) = answers
        && let Some(key) = result_key(optimized, &plan, &policy, state)?
    {
        if let Some((statement, planned)) = planned {
            cache.remember(statement, planned, optimized, key.clone())?;
        }
        if let Some(rows) = cache.get(&key) {
            return Ok(delivered(rows));
        }
        keeper = Some(Keeper { cache, key, report: report.clone() });
    }
    let mut planned = None;
    match (&on_workers, optimized) {
        (Some(query), LogicalPlan::Explain(explained)) => {
            plan = explain_place(query, explained, state, plan).await?;
        }
        (Some(query), _) => {
            if let Place::Workers(found) = query.place(&plan).await? {
                if let Some(scanned) = Scanned::of(state) {
                    // The workers read, and nobody counts there.
                    scanned.check_more(bytes_read(&plan).unwrap_or_default())?;
                }
                planned = Some(found);
            }
        }
        (None, _) => {}
    }
    plan = read_again(plan)?;
    report.observe(planned.as_ref().map_or(&plan, |planned| &planned.plan), behind_border(&plan));
    let context = state.task_ctx();
    let stream = match (on_workers, planned) {
        (Some(query), Some(planned)) => run_on_workers(query, *planned, Arc::clone(&plan))?,
        _ => execute_stream(Arc::clone(&plan), Arc::clone(&context))?.boxed(),
    };
    let rows = stream
        .then(move |batch| {
            let (plan, lake, context) = (Arc::clone(&plan), lake.clone(), Arc::clone(&context));
            async move {
                match batch {
                    Ok(batch) => Ok(batch),
                    Err(error) => Err(name_broken_file(error, &plan, lake.as_ref(), &context).await),
                }
            }
        })
        .boxed();
    Ok(match keeper {
        Some(keeper) => keep(rows, keeper),
        None => rows,
    })
}
