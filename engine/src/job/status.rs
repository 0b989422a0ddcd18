//! Where jobs stand, and the wish that one stops.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::error::{ErrorKind, Result};
use crate::job::lease::is_held;
use crate::job::log::{Appended, JobLog};
use crate::job::output::RECORDS;
use crate::job::record::{Entry, Event, FailedRecord, Outcome};
use crate::job::run::Job;
use crate::job::state::State;
use crate::session::Session;
use crate::write::{TableFolder, WriteStore};

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobStatus {
    /// Its name.
    pub job: String,
    /// `schema.table`.
    pub output: String,
    /// What goes on.
    pub state: JobState,
    /// Partitions in all.
    pub partitions: usize,
    /// Those that are there.
    pub done: usize,
    /// Rows of those.
    pub rows: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Partitions that were given up, as `column=value`, and why.
    pub failed: Vec<(String, String)>,
    /// Host and process of the last runner.
    pub runner: Option<String>,
    /// As whom it runs.
    pub principal: Option<String>,
    /// The version of Tithe that began it.
    pub version: Option<String>,
    /// When it was first begun.
    pub began: Option<DateTime<Utc>>,
    /// When something was last recorded.
    pub changed: Option<DateTime<Utc>>,
}

/// What goes on with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// No run has begun it.
    New,
    /// A process runs it.
    Running,
    /// The process that ran it is gone without a word.
    Killed,
    /// Every partition is there.
    Done,
    /// Partitions are missing, or the input changed while it ran.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// The process was interrupted.
    Interrupted,
}

impl std::fmt::Display for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Running => "running",
            Self::Killed => "killed",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        })
    }
}

impl Job {
    /// Where the job stands.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub async fn status(&self) -> Result<JobStatus> {
        let state = self.log.read().await?;
        status(&self.log, &state, &self.definition.name, &self.folder.name()).await
    }

    /// Asks the process that runs the job to stop. It does within seconds: a partition that is being committed is
    /// completed, others under way are given up.
    ///
    /// # Errors
    /// When nobody runs it, or its records cannot be written.
    pub async fn cancel(&self) -> Result<()> {
        let mut state = self.log.read().await?;
        loop {
            if !is_held(&self.log, &state).await? {
                return Err(self.error(ErrorKind::NotFound, "nobody runs it, so there is nothing to cancel"));
            }
            let entry = Entry {
                id: uuid::Uuid::new_v4().to_string(),
                at: Utc::now(),
                token: 0,
                events: vec![Event::Cancel { by: self.session.principal().name.clone() }],
            };
            match self.log.append(state.last, &entry).await? {
                Appended::Done => return Ok(()),
                Appended::Forestalled(other) => {
                    state.apply(state.last + 1, *other);
                    self.log.catch_up(&mut state).await?;
                }
            }
        }
    }
}

impl Session {
    /// Where every job of the lake stands whose output the principal may know of, by output and name.
    ///
    /// # Errors
    /// When the lake cannot be listed, or a job's records cannot be read.
    pub async fn jobs(&self) -> Result<Vec<JobStatus>> {
        let Some(lake) = self.engine().lake.clone() else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for (schema, table) in lake.names().await? {
            if !self.shows(&schema, &table) {
                continue;
            }
            let Ok(folder) = TableFolder::new(lake.root(), &schema, &table) else { continue };
            let records = folder.path().clone().join(RECORDS);
            let listing = lake.store().list_with_delimiter(Some(&records)).await?;
            for path in listing.common_prefixes {
                let Some(name) = path.filename() else { continue };
                let log = JobLog::new(WriteStore::of(&lake), path.clone(), name);
                let state = log.read().await?;
                if state.last > 0 {
                    all.push(status(&log, &state, name, &folder.name()).await?);
                }
            }
        }
        Ok(all)
    }
}

async fn status(log: &JobLog, state: &State, job: &str, output: &str) -> Result<JobStatus> {
    let now = match state.lease.as_ref().map(|lease| lease.outcome) {
        None => JobState::New,
        Some(Some(Outcome::Done)) => JobState::Done,
        Some(Some(Outcome::Failed)) => JobState::Failed,
        Some(Some(Outcome::Cancelled)) => JobState::Cancelled,
        Some(Some(Outcome::Interrupted)) => JobState::Interrupted,
        Some(None) if is_held(log, state).await? => JobState::Running,
        Some(None) => JobState::Killed,
    };
    let failed = |record: &FailedRecord| (record.partition.to_string(), record.reason.clone());
    Ok(JobStatus {
        job: job.to_owned(),
        output: output.to_owned(),
        state: now,
        partitions: state.plan.as_ref().map_or(0, |plan| plan.partitions.len()),
        done: state.done.len(),
        rows: state.done.values().map(|done| done.file.rows).sum(),
        bytes: state.done.values().map(|done| done.file.size).sum(),
        failed: state.failed.values().map(failed).collect(),
        runner: state
            .lease
            .as_ref()
            .map(|lease| format!("process {} on {}", lease.runner.process, lease.runner.host)),
        principal: state.plan.as_ref().map(|plan| plan.principal.clone()),
        version: state.plan.as_ref().map(|plan| plan.version.clone()),
        began: state.began,
        changed: state.changed,
    })
}
