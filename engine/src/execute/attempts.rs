//! A query on workers, run again when one is lost before its first row.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::cluster::Member;
use crate::error::EngineError;
use crate::execute::distributed::{OnWorkers, Place, Planned};
use crate::execute::lost_connection::{connection_reason, is_lost_connection};

type Rows = BoxStream<'static, datafusion::common::Result<RecordBatch>>;

/// Runs `planned`; `embedded` is the same query in this process, for when no worker is left.
pub(super) fn run_on_workers(
    query: OnWorkers,
    planned: Planned,
    embedded: Arc<dyn ExecutionPlan>,
) -> datafusion::common::Result<Rows> {
    let left = query.cluster.options().retries;
    query.cluster.metrics.distributed.inc();
    let rows = execute_stream(planned.plan, planned.state.task_ctx())?.boxed();
    let run = Run { query, embedded, members: planned.members, rows: Some(rows), delivered: false, left };
    Ok(futures::stream::unfold(run, |mut run| async move {
        let next = run.next().await?;
        Some((next, run))
    })
    .boxed())
}

struct Run {
    query: OnWorkers,
    embedded: Arc<dyn ExecutionPlan>,
    /// Whom the running attempt uses; nobody when it runs in this process.
    members: Vec<Member>,
    rows: Option<Rows>,
    delivered: bool,
    /// How often the query may be run again.
    left: u32,
}

impl Run {
    async fn next(&mut self) -> Option<datafusion::common::Result<RecordBatch>> {
        loop {
            match self.rows.as_mut()?.next().await {
                // Not a row: the query can still be run again.
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => {
                    self.delivered = true;
                    return Some(Ok(batch));
                }
                None if self.delivered => return None,
                None => {
                    // An answer without rows has columns all the same.
                    self.rows = None;
                    self.delivered = true;
                    return Some(Ok(RecordBatch::new_empty(self.embedded.schema())));
                }
                Some(Err(error)) => {
                    self.rows = None;
                    if let Err(error) = self.again(error).await {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    /// Runs the query again if `error` comes from a lost worker and nothing has been delivered.
    async fn again(&mut self, error: DataFusionError) -> datafusion::common::Result<()> {
        if self.members.is_empty() {
            return Err(error);
        }
        let cluster = Arc::clone(&self.query.cluster);
        let lost = cluster.lost(&self.members).await;
        if lost.is_empty() && !is_lost_connection(&error) {
            return Err(error);
        }
        let workers = match lost.as_slice() {
            [] => "a worker was lost".to_owned(),
            [one] => format!("the worker {one} was lost"),
            several => format!("the workers {} were lost", several.join(", ")),
        };
        let reason = connection_reason(&error);
        if self.delivered || self.left == 0 {
            cluster.metrics.lost.inc();
            let when = match self.delivered {
                true => "after the first rows had been delivered",
                false => "and so were others, each time the query was run again",
            };
            return Err(EngineError::WorkerLost { workers, when, reason }.into());
        }
        self.left -= 1;
        cluster.metrics.run_again.inc();
        tracing::warn!(target: "tithe::audit", workers, reason, left = self.left, "the query is run again");
        let rows = match self.query.place(&self.embedded).await? {
            Place::Workers(planned) => {
                self.members = planned.members;
                execute_stream(planned.plan, planned.state.task_ctx())?
            }
            Place::Here(_reason) => {
                self.members.clear();
                execute_stream(Arc::clone(&self.embedded), self.query.state.task_ctx())?
            }
        };
        self.rows = Some(rows.boxed());
        Ok(())
    }
}
