//! `tithe job`: batch jobs that go on where they were stopped.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tithe_engine::{Job, JobDefinition, JobParameter, JobQuery};
use tokio::runtime::Runtime;

use super::{job_run, job_status, job_verify};
use crate::failure::{Failure, Result};
use crate::lake::{LakeArguments, Opened};

pub(super) const EXAMPLES: &str = "\
Examples:
  tithe job run docs/jobs/forecast.toml --lake lake      begin it, or go on where it was stopped
  tithe job run docs/jobs/forecast.toml --restart        all of it anew, partition by partition
  tithe job status docs/jobs/forecast.toml --lake lake
  tithe job list --lake lake --format json               every job whose output is in the lake
  tithe job cancel docs/jobs/forecast.toml --lake lake   from another terminal or machine
  tithe job verify docs/jobs/forecast.toml --sample 5    run five partitions again and compare

Exit codes: 0 done, 1 partitions failed, 2 the job's file or the output is not as it should be, 3 no connection,
4 not allowed, 5 a limit, or another process runs the job, 130 interrupted or cancelled. How a job is written:
docs/jobs.md.";

/// Options of `tithe job`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run a job, or go on where it was stopped
    #[command(after_help = EXAMPLES)]
    Run(job_run::Arguments),
    /// Say where a job stands
    Status(job_status::StatusArguments),
    /// List the jobs whose output is in the lake
    List(job_status::ListArguments),
    /// Ask the process that runs a job to stop
    Cancel(job_status::CancelArguments),
    /// Run partitions again and compare them with what is stored
    Verify(job_verify::Arguments),
}

impl Arguments {
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        match self.action {
            Action::Run(arguments) => runtime.block_on(arguments.run()),
            Action::Status(arguments) => runtime.block_on(arguments.run()),
            Action::List(arguments) => runtime.block_on(arguments.run()),
            Action::Cancel(arguments) => runtime.block_on(arguments.run()),
            Action::Verify(arguments) => runtime.block_on(arguments.run()),
        }
    }
}

/// Which job, and in which lake.
#[derive(Debug, Args)]
pub(super) struct JobArguments {
    /// The job's file
    #[arg(value_name = "JOB.TOML")]
    file: PathBuf,

    #[command(flatten)]
    lake: LakeArguments,
}

impl JobArguments {
    /// What the job is called where its file is not read: by the file.
    pub(super) fn name(&self) -> String {
        self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The job in its lake; what its file says of memory goes after the command line and before `tithe.toml`.
    pub(super) async fn open(&self) -> Result<(Opened, Job)> {
        let definition = definition(&self.file)?;
        let opened = self.lake.open_within(definition.memory).await?;
        if opened.engine.has_policy() && self.lake.as_user.is_none() {
            return Err(Failure::usage(
                "under a policy a job runs as somebody: say --as USER, who needs INSERT on the output",
            ));
        }
        let job =
            Job::new(opened.session.clone(), definition).map_err(|error| Failure::of_opening(&error))?;
        Ok((opened, job))
    }
}

fn definition(path: &Path) -> Result<JobDefinition> {
    let mut definition = JobDefinition::load(path).map_err(|error| Failure::of_opening(&error))?;
    if let JobQuery::Library(name) = &definition.query {
        let refuse = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", path.display()));
        let query = tithe_queries::find(name).map_err(|error| refuse(&error))?;
        let given =
            definition.parameters.iter().map(|(name, value)| (name.clone(), value.text.clone())).collect();
        let literals = query.literals(&given).map_err(|error| refuse(&error))?;
        definition.parameters = literals
            .into_iter()
            .map(|(name, literal)| {
                let default = query.parameters.iter().find(|known| known.name == name);
                let default = default.and_then(|known| known.default.clone());
                let text = given.get(&name).cloned().or(default).unwrap_or_default();
                (name, JobParameter { text, literal })
            })
            .collect();
        definition.query = JobQuery::Sql(query.sql.clone());
    }
    Ok(definition)
}
