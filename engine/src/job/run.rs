//! Runs a job until its partitions are there, or goes on where a run before was stopped.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use tokio::sync::watch;

use crate::catalog::Lake;
use crate::error::{EngineError, ErrorKind, Result};
use crate::job::commit::is_stored;
use crate::job::definition::JobDefinition;
use crate::job::inputs::{changes, inputs};
use crate::job::lease::is_held;
use crate::job::log::JobLog;
use crate::job::manifest;
use crate::job::one_partition::{Ended, OnePartition};
use crate::job::output::{Output, RECORDS};
use crate::job::plan::{Planned, differences, plan};
use crate::job::record::{Event, Outcome, Plan};
use crate::job::recorder::{Recorder, Stop, busy, take};
use crate::job::state::State;
use crate::job::value::Partition;
use crate::layout;
use crate::session::Session;
use crate::write::{TableFolder, WriteStore};

/// Announced files that are looked at at once.
const LOOKS: usize = 16;

/// A job of a lake, as one principal runs it.
#[derive(Debug, Clone)]
pub struct Job {
    pub(crate) session: Session,
    pub(crate) lake: Arc<Lake>,
    pub(crate) definition: JobDefinition,
    pub(crate) folder: TableFolder,
    pub(crate) log: JobLog,
}

/// Is told how a run goes.
pub trait JobProgress: Send + Sync {
    /// The run begins: so many partitions in all, and those that are there already.
    fn begins(&self, partitions: usize, there: usize);
    /// Another partition is there.
    fn done(&self, partition: &str, rows: u64);
    /// An attempt failed; `again` says whether there will be another.
    fn failed(&self, partition: &str, reason: &str, again: bool);
}

/// A partition that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFailure {
    /// As `column=value`.
    pub partition: String,
    /// Why, and what to do.
    pub reason: String,
    /// What a caller does about it.
    pub kind: ErrorKind,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobReport {
    /// How.
    pub outcome: Outcome,
    /// Partitions of the job.
    pub partitions: usize,
    /// Those that were there before.
    pub before: usize,
    /// Those that this run wrote.
    pub written: usize,
    /// Rows that this run wrote.
    pub rows: u64,
    /// Those that were given up.
    pub failures: Vec<JobFailure>,
    /// Who asked the run to stop, or what changed while it ran: a sentence.
    pub note: Option<String>,
}

impl Job {
    /// The job that `definition` describes, as the principal of `session` runs it.
    ///
    /// # Errors
    /// When there is no lake, the output's name is no table's, or the policy does not let the principal write it.
    pub fn new(session: Session, definition: JobDefinition) -> Result<Self> {
        let refuse = |reason: &str| EngineError::job(&definition.name, ErrorKind::Usage, reason);
        let Some(lake) = session.engine().lake.clone() else {
            return Err(refuse("there is no lake to run it on: name one with --lake"));
        };
        let folder = TableFolder::new(lake.root(), &definition.schema, &definition.table)?;
        session.check_may_insert(&definition.schema, &definition.table)?;
        let records = folder.path().clone().join(RECORDS).join(definition.name.as_str());
        let log = JobLog::new(WriteStore::of(&lake), records, &definition.name);
        Ok(Self { session, lake, definition, folder, log })
    }

    /// Runs what is left of the job. `restart` does all of it anew, each partition replaced in one step.
    ///
    /// When `interrupted` turns true, partitions under way are given up, those being committed are completed, and the
    /// job can be run again at once.
    ///
    /// # Errors
    /// When the job cannot begin: its query cannot be planned, it was begun with another definition or input, its
    /// output is in the way, or another process runs it. What happens to its partitions is in the report.
    pub async fn run(
        &self,
        restart: bool,
        interrupted: watch::Receiver<bool>,
        progress: Arc<dyn JobProgress>,
    ) -> Result<JobReport> {
        let state = self.log.read().await?;
        if is_held(&self.log, &state).await? {
            // Said before anything is asked of the lake.
            return Err(busy(&self.definition.name, &state));
        }
        let Planned { plan, schema, partition_columns } =
            plan(&self.session, &self.lake, &self.definition).await?;
        let output = Output::look(&self.lake, self.folder.clone(), &self.definition).await?;
        output.check(&self.lake, &schema, &partition_columns).await?;
        let begun = state.plan.is_some();
        if let Some(before) = state.plan.as_ref().filter(|_| !restart) {
            let differences = differences(before, &plan);
            if !differences.is_empty() {
                return Err(self.error(
                    ErrorKind::Usage,
                    format!(
                        "{} since it was begun: run it with --restart to do all of it anew, or put back what has changed",
                        differences.join(", ")
                    ),
                ));
            }
        }
        let finished = state.lease.as_ref().is_some_and(|lease| lease.outcome == Some(Outcome::Done));
        if begun && !restart && finished && self.missing(&state, &output)?.is_empty() {
            let partitions = plan.partitions.len();
            progress.begins(partitions, partitions);
            return Ok(JobReport {
                outcome: Outcome::Done,
                partitions,
                before: partitions,
                written: 0,
                rows: 0,
                failures: Vec::new(),
                note: None,
            });
        }
        let own = self.own(&state)?;
        for partition in &plan.partitions {
            output.place(partition, &own)?;
        }
        let taken = take(self.log.clone(), state, self.definition.lease, &self.definition.name).await?;
        let layout = layout::log(WriteStore::of(&self.lake), self.folder.path(), &self.folder.name());
        if layout::is_held(&layout).await? {
            return Err(self.error(
                ErrorKind::Limit,
                format!("`tithe optimize` lays out its output {}: wait until it is done", self.folder.name()),
            ));
        }
        // Another run may have come between.
        let again =
            restart || taken.state.plan.as_ref().is_none_or(|before| !differences(before, &plan).is_empty());
        let (recorder, writer) = Recorder::start(taken, &self.definition.name);
        let run =
            Run { job: self.clone(), recorder, schema, progress, output: Arc::new(output), interrupted };
        let result = run.begin(plan, again).await;
        drop(run);
        let taken = writer.await.map_err(|error| EngineError::Defect { reason: error.to_string() })?;
        let report = result?;
        manifest::write(&self.log, &taken.state).await?;
        Ok(report)
    }

    pub(crate) fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> EngineError {
        EngineError::job(&self.definition.name, kind, reason)
    }

    /// The paths of all files that the job's records tell of.
    fn own(&self, state: &State) -> Result<BTreeSet<Path>> {
        let done = state.done.values().map(|done| &done.file);
        let files = done.chain(state.intents.values()).chain(state.former.values());
        files.map(|file| self.lake.at(&file.path)).collect()
    }

    /// The partitions that are not recorded, or whose file is gone, with their places in the plan.
    fn missing(&self, state: &State, output: &Output) -> Result<Vec<(usize, Partition)>> {
        let mut missing = Vec::new();
        for (place, partition) in state.plan.iter().flat_map(|plan| plan.partitions.iter()).enumerate() {
            let there = match state.done.get(partition) {
                Some(done) => output.size(&self.lake.at(&done.file.path)?) == Some(done.file.size),
                None => false,
            };
            if !there {
                missing.push((place, partition.clone()));
            }
        }
        Ok(missing)
    }
}

/// A run that holds the lease.
struct Run {
    job: Job,
    recorder: Recorder,
    schema: SchemaRef,
    progress: Arc<dyn JobProgress>,
    output: Arc<Output>,
    interrupted: watch::Receiver<bool>,
}

impl Run {
    async fn begin(&self, plan: Plan, again: bool) -> Result<JobReport> {
        let file = format!("{}.parquet", self.job.definition.name);
        self.job.log.store().remove_unfinished(self.job.folder.path(), &file).await?;
        if again {
            self.recorder.write(Event::Plan(Box::new(plan.clone()))).await?;
        }
        // Read anew: what is recorded is what counts.
        let state = self.job.log.read().await?;
        let plan = Arc::new(state.plan.clone().unwrap_or(plan));
        self.adopt(&state).await?;
        let state = self.job.log.read().await?;
        let own = Arc::new(self.job.own(&state)?);
        let missing = self.job.missing(&state, &self.now().await?)?;
        let partitions = plan.partitions.len();
        let before = partitions - missing.len();
        self.progress.begins(partitions, before);
        let stopping = self.recorder.stopping();
        let interrupt = self.watch_interrupt();
        let mut ended = futures::stream::iter(missing)
            .map(|(place, partition)| {
                let one = OnePartition {
                    job: self.job.clone(),
                    recorder: self.recorder.clone(),
                    schema: Arc::clone(&self.schema),
                    progress: Arc::clone(&self.progress),
                    output: Arc::clone(&self.output),
                    own: Arc::clone(&own),
                    plan: Arc::clone(&plan),
                    place,
                    partition,
                };
                SpawnedTask::spawn(one.run())
            })
            .buffer_unordered(self.job.definition.concurrency);
        let mut report = JobReport {
            outcome: Outcome::Done,
            partitions,
            before,
            written: 0,
            rows: 0,
            failures: Vec::new(),
            note: None,
        };
        while let Some(joined) = ended.next().await {
            match joined.map_err(|error| EngineError::Defect { reason: error.to_string() })? {
                Ended::Written(rows) => {
                    report.written += 1;
                    report.rows += rows;
                }
                Ended::Stopped => {}
                Ended::Failed(failure) => report.failures.push(failure),
            }
        }
        drop(interrupt);
        report.failures.sort_by(|a, b| a.partition.cmp(&b.partition));
        let stop = stopping.borrow().clone();
        self.end(&plan, &mut report, stop).await?;
        Ok(report)
    }

    /// The output as it lies there now.
    async fn now(&self) -> Result<Output> {
        Output::look(&self.job.lake, self.job.folder.clone(), &self.job.definition).await
    }

    /// Notes as done what a run before put and could not note any more.
    async fn adopt(&self, state: &State) -> Result<()> {
        let announced = state.intents.iter().map(|(partition, file)| {
            async move {
                let path = self.job.lake.at(&file.path)?;
                if is_stored(self.job.log.store(), &path, file.size, &file.sha256).await? {
                    let done = Event::Done { partition: partition.clone(), seconds: 0.0, attempts: 1 };
                    self.recorder.write(done).await?;
                }
                Ok::<(), EngineError>(())
            }
            .boxed()
        });
        let announced: Vec<_> = announced.collect();
        let mut looks = futures::stream::iter(announced).buffer_unordered(LOOKS);
        while let Some(looked) = looks.next().await {
            looked?;
        }
        Ok(())
    }

    fn watch_interrupt(&self) -> SpawnedTask<()> {
        let (mut interrupted, recorder) = (self.interrupted.clone(), self.recorder.clone());
        SpawnedTask::spawn(async move {
            if interrupted.wait_for(|now| *now).await.is_ok() {
                recorder.stop(Stop::Interrupted);
            }
        })
    }

    /// Says in the log how the run ended, after what is left over from plans before is gone.
    async fn end(&self, plan: &Plan, report: &mut JobReport, stop: Option<Stop>) -> Result<()> {
        if let Some(stop) = stop {
            report.outcome = stop.outcome();
            match stop {
                Stop::Lost(reason) => return Err(self.job.error(ErrorKind::Execution, reason)),
                Stop::Cancelled(by) => report.note = Some(format!("{by} asked it to stop")),
                Stop::Interrupted => {}
            }
        } else if report.failures.is_empty() {
            self.remove_left_over().await?;
            let tables: BTreeSet<String> = plan.inputs.keys().cloned().collect();
            let changed = changes(&plan.inputs, &inputs(&self.job.lake, &tables).await?);
            if !changed.is_empty() {
                report.outcome = Outcome::Failed;
                report.note = Some(format!(
                    "{} while it ran, so partitions may be of different input: run it with --restart",
                    changed.join(", ")
                ));
            }
        } else {
            report.outcome = Outcome::Failed;
        }
        self.recorder.write(Event::End { outcome: report.outcome }).await
    }

    async fn remove_left_over(&self) -> Result<()> {
        let state = self.job.log.read().await?;
        let kept: BTreeSet<&str> = state.done.values().map(|done| done.file.path.as_str()).collect();
        for file in state.former.values().filter(|file| !kept.contains(file.path.as_str())) {
            self.recorder.confirm().await?;
            self.job.log.store().remove(&self.job.lake.at(&file.path)?).await?;
        }
        Ok(())
    }
}
