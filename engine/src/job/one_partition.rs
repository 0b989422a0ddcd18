//! One partition of a run: attempts, and the commit of the one that succeeds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use object_store::path::Path;

use crate::error::{EngineError, ErrorKind, Result};
use crate::job::commit::{Commit, commit};
use crate::job::compute;
use crate::job::output::Output;
use crate::job::record::{Event, Plan};
use crate::job::recorder::Recorder;
use crate::job::run::{Job, JobFailure, JobProgress};
use crate::job::value::Partition;
use crate::write::ParquetObject;

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// One partition's end.
pub(crate) enum Ended {
    Written(u64),
    Stopped,
    Failed(JobFailure),
}

/// What it takes to do one partition.
pub(crate) struct OnePartition {
    pub(crate) job: Job,
    pub(crate) recorder: Recorder,
    pub(crate) schema: SchemaRef,
    pub(crate) progress: Arc<dyn JobProgress>,
    pub(crate) output: Arc<Output>,
    pub(crate) own: Arc<BTreeSet<Path>>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) place: usize,
    pub(crate) partition: Partition,
}

impl OnePartition {
    /// Tries it until it is there, has failed as often as the job allows, or the run stops.
    pub(crate) async fn run(self) -> Ended {
        let mut stopping = self.recorder.stopping();
        let name = self.partition.to_string();
        let mut wait = self.job.definition.backoff;
        let mut attempt = 1;
        let began = Instant::now();
        loop {
            let tried = tokio::select! {
                biased;
                _stop = stopping.wait_for(Option::is_some) => return Ended::Stopped,
                tried = self.attempt() => tried,
            };
            // From here to the end of the commit nothing is given up.
            let committed = match tried {
                Ok(object) => {
                    let rows = object.rows;
                    self.commit(object, began.elapsed(), attempt).await.map(|()| rows)
                }
                Err(error) => Err(error),
            };
            let error = match committed {
                Ok(rows) => {
                    self.progress.done(&name, rows);
                    return Ended::Written(rows);
                }
                Err(error) => error,
            };
            if stopping.borrow().is_some() {
                return Ended::Stopped;
            }
            let again = attempt < self.job.definition.attempts && may_pass(error.kind());
            self.progress.failed(&name, &error.to_string(), again);
            if !again {
                return self.give_up(attempt, &error).await;
            }
            tokio::select! {
                _stop = stopping.wait_for(Option::is_some) => return Ended::Stopped,
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(LONGEST_WAIT);
            attempt += 1;
        }
    }

    async fn attempt(&self) -> Result<ParquetObject> {
        let session = &self.job.session;
        let work = async {
            let rows = compute::rows(session, &self.plan, self.place, &self.partition, &self.schema).await?;
            compute::file(session, rows).await
        };
        match self.job.definition.time {
            None => work.await,
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(done) => done,
                Err(_elapsed) => Err(self.job.error(
                    ErrorKind::Limit,
                    format!(
                        "an attempt took longer than limits.time, {}: raise it, or cut smaller partitions",
                        humantime::format_duration(limit)
                    ),
                )),
            },
        }
    }

    async fn commit(&self, object: ParquetObject, took: Duration, attempts: u32) -> Result<()> {
        let (path, replaces) = self.output.place(&self.partition, &self.own)?;
        let put = Commit {
            job: &self.job.definition.name,
            partition: &self.partition,
            path: &path,
            replaces,
            name: self.job.lake.below_root(&path),
            object,
        };
        commit(&self.job.log, &self.recorder, put).await?;
        let partition = self.partition.clone();
        self.recorder.write(Event::Done { partition, seconds: took.as_secs_f64(), attempts }).await
    }

    async fn give_up(&self, attempts: u32, error: &EngineError) -> Ended {
        let failure = JobFailure {
            partition: self.partition.to_string(),
            reason: error.to_string(),
            kind: error.kind(),
        };
        let event =
            Event::Failed { partition: self.partition.clone(), attempts, reason: failure.reason.clone() };
        match self.recorder.write(event).await {
            Ok(()) => Ended::Failed(failure),
            Err(_lost) => Ended::Stopped,
        }
    }
}

/// Whether another attempt may end otherwise: what is wrongly asked or not allowed stays so.
fn may_pass(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Connection | ErrorKind::Limit | ErrorKind::Execution)
}
