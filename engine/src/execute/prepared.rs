//! A statement that is planned to operators and not yet run.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::{StreamExt, stream};
use tracing::Instrument;

use crate::audit::{Audit, Outcome};
use crate::catalog::Lake;
use crate::change::LakeChange;
use crate::error::Result;
use crate::execute::QueryReport;
use crate::execute::attempts::run_on_workers;
use crate::execute::broken_file::name_broken_file;
use crate::execute::distributed::{OnWorkers, Place, Planned as PlannedForWorkers, bytes_read};
use crate::execute::explain::explain_place;
use crate::execute::limited::Limited;
use crate::execute::read_again::read_again;
use crate::execute::result_stream::ResultStream;
use crate::execute::scanned::Scanned;
use crate::execute::small::is_small;
use crate::policy::behind_border;
use crate::result_cache::{Keeper, Planned, ResultCache, StatementKey, keep, result_key};

/// The rows of an answer that was kept.
fn delivered(answer: RecordBatch) -> Rows {
    stream::iter((answer.num_rows() > 0).then_some(Ok(answer))).boxed()
}

/// Where answers are kept, and what they depend on besides plan, settings and files.
pub(super) struct Answers {
    pub(super) cache: Arc<ResultCache>,
    pub(super) policy: String,
    /// A statement that is not known yet.
    pub(super) planned: Option<(StatementKey, Planned)>,
}

type Rows = futures::stream::BoxStream<'static, datafusion::common::Result<RecordBatch>>;

/// A permitted statement that is planned to operators, and on record as one that runs.
pub struct PreparedQuery {
    pub(super) start: Start,
    pub(super) schema: SchemaRef,
    pub(super) audit: Audit,
    pub(super) changes: bool,
    pub(super) limited: Limited,
}

impl std::fmt::Debug for PreparedQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreparedQuery").field("id", &self.audit.id()).finish_non_exhaustive()
    }
}

impl PreparedQuery {
    /// Whether the statement returns rows and takes hundredths of a second at most: its answer is kept, or it reads a few
    /// small files in this process and makes nothing large of them.
    #[must_use]
    pub fn is_small(&self) -> bool {
        match &self.start {
            Start::Kept(_) => true,
            Start::Rows(rows) => rows.small,
            Start::Session(..) | Start::Change(..) => false,
        }
    }

    /// Runs the statement, once, by the threads of whoever calls this, as
    /// [`Query::execute`](crate::Query::execute) does.
    ///
    /// # Errors
    /// When starting it fails, or the change or setting does.
    pub async fn execute(self) -> Result<SendableRecordBatchStream> {
        let span = self.audit.span();
        Box::pin(self.run()).instrument(span).await
    }

    async fn run(self) -> Result<SendableRecordBatchStream> {
        let Self { start, schema, mut audit, changes, limited } = self;
        match start.rows().await {
            Ok(rows) => Ok(Box::pin(ResultStream::new(rows, schema, audit, changes, limited))),
            Err(error) => {
                audit.outcome = Some(Outcome::Failed(error.to_string()));
                Err(error)
            }
        }
    }
}

/// What is left to be done.
pub(super) enum Start {
    /// An answer that was kept.
    Kept(RecordBatch),
    Rows(Box<PlannedRows>),
    Session(SessionContext, LogicalPlan),
    Change(Box<LakeChange>, ChangeStart),
}

/// The rows that a change writes.
pub(super) enum ChangeStart {
    None,
    Plan(Box<Start>),
    Stream(SendableRecordBatchStream),
}

impl Start {
    async fn rows(self) -> Result<Rows> {
        match self {
            Self::Kept(answer) => Ok(delivered(answer)),
            Self::Rows(rows) => rows.start(),
            Self::Session(context, plan) => {
                let done = context.execute_logical_plan(plan).await?;
                Ok(done.execute_stream().await?.boxed())
            }
            Self::Change(change, source) => {
                let source = match source {
                    ChangeStart::None => stream::empty().boxed(),
                    ChangeStart::Plan(start) => Box::pin(start.rows()).await?,
                    ChangeStart::Stream(rows) => rows.boxed(),
                };
                let made = async move { change.make(source).await.map_err(DataFusionError::from) };
                Ok(stream::once(made).boxed())
            }
        }
    }
}

/// Operators, and where they run.
pub(super) struct PlannedRows {
    plan: Arc<dyn ExecutionPlan>,
    small: bool,
    on_workers: Option<(OnWorkers, PlannedForWorkers)>,
    lake: Option<Arc<Lake>>,
    context: Arc<TaskContext>,
    keeper: Option<Keeper>,
}

/// The operators of `optimized`, or the answer that is kept for them.
///
/// # Errors
/// When they cannot be planned, here or for workers, or read too much.
pub(super) async fn planned_rows(
    state: &SessionState,
    optimized: &LogicalPlan,
    report: &QueryReport,
    lake: Option<Arc<Lake>>,
    on_workers: Option<OnWorkers>,
    answers: Option<Answers>,
) -> Result<Start> {
    let mut plan = state.query_planner().create_physical_plan(optimized, state).await?;
    let mut keeper = None;
    if let Some(Answers { cache, policy, planned }) = answers
        && let Some(key) = result_key(optimized, &plan, &policy, state)?
    {
        if let Some((statement, planned)) = planned {
            cache.remember(statement, planned, optimized, key.clone())?;
        }
        if let Some(answer) = cache.get(&key) {
            return Ok(Start::Kept(answer));
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
                planned = Some(*found);
            }
        }
        (None, _) => {}
    }
    plan = read_again(plan)?;
    report.observe(planned.as_ref().map_or(&plan, |planned| &planned.plan), behind_border(&plan));
    let small = planned.is_none() && is_small(optimized, &plan);
    let on_workers = on_workers.zip(planned);
    Ok(Start::Rows(Box::new(PlannedRows {
        plan,
        small,
        on_workers,
        lake,
        context: state.task_ctx(),
        keeper,
    })))
}

impl PlannedRows {
    fn start(self) -> Result<Rows> {
        let Self { plan, on_workers, lake, context, keeper, .. } = self;
        let stream = match on_workers {
            Some((query, planned)) => run_on_workers(query, planned, Arc::clone(&plan))?,
            None => execute_stream(Arc::clone(&plan), Arc::clone(&context))?.boxed(),
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
}
