//! `tithe job status`, `list` and `cancel`: what the records of jobs say, and the wish that one stops.

use std::io::Write;

use clap::{Args, ValueEnum};
use indicatif::{HumanBytes, HumanCount};
use tithe_engine::JobStatus;

use super::job::JobArguments;
use crate::failure::{Failure, Result};
use crate::lake::LakeArguments;
use crate::output::{Destination, listing};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// Options of `tithe job status`.
#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    #[command(flatten)]
    job: JobArguments,

    /// How it is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
}

/// Options of `tithe job list`.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// How it is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,

    #[command(flatten)]
    lake: LakeArguments,
}

/// Options of `tithe job cancel`.
#[derive(Debug, Args)]
pub(super) struct CancelArguments {
    #[command(flatten)]
    job: JobArguments,
}

impl StatusArguments {
    pub(super) async fn run(self) -> Result<()> {
        let (_opened, job) = self.job.open().await?;
        let status = job.status().await.map_err(|error| Failure::of_opening(&error))?;
        match self.format {
            Format::Json => print(&json(&status)?),
            Format::Table => print(&told(&status)),
        }
    }
}

impl ListArguments {
    pub(super) async fn run(self) -> Result<()> {
        let opened = self.lake.open().await?;
        if opened.location.is_none() {
            return Err(Failure::usage("there is no lake to look at: name one with --lake"));
        }
        let jobs = opened.session.jobs().await.map_err(|error| Failure::of_opening(&error))?;
        match self.format {
            Format::Json => print(&json(&jobs)?),
            Format::Table => print(&listing(
                ["job", "output", "state", ">done", ">of", ">failed", ">rows", "last recorded"],
                jobs.iter().map(|job| {
                    [
                        job.job.clone(),
                        job.output.clone(),
                        job.state.to_string(),
                        count(job.done),
                        count(job.partitions),
                        count(job.failed.len()),
                        HumanCount(job.rows).to_string(),
                        moment(job.changed),
                    ]
                }),
            )),
        }
    }
}

impl CancelArguments {
    pub(super) async fn run(self) -> Result<()> {
        let (_opened, job) = self.job.open().await?;
        job.cancel().await.map_err(|error| Failure::of_statement(&error))?;
        eprintln!("asked to stop; `tithe job status` tells when it has");
        Ok(())
    }
}

fn told(status: &JobStatus) -> String {
    let mut rows = vec![
        ["job".to_owned(), status.job.clone()],
        ["output".to_owned(), status.output.clone()],
        ["state".to_owned(), status.state.to_string()],
        ["partitions".to_owned(), format!("{} of {}", count(status.done), count(status.partitions))],
        ["rows".to_owned(), HumanCount(status.rows).to_string()],
        ["size".to_owned(), HumanBytes(status.bytes).to_string()],
        ["began".to_owned(), moment(status.began)],
        ["last recorded".to_owned(), moment(status.changed)],
    ];
    let further = [("runner", &status.runner), ("as", &status.principal), ("version", &status.version)];
    for (name, value) in further {
        rows.extend(value.as_ref().map(|value| [name.to_owned(), value.clone()]));
    }
    for (partition, reason) in &status.failed {
        rows.push([format!("failed {partition}"), reason.clone()]);
    }
    listing(["what", "is"], rows)
}

fn count(number: usize) -> String {
    HumanCount(number as u64).to_string()
}

fn moment(at: Option<chrono::DateTime<chrono::Utc>>) -> String {
    at.map_or_else(String::new, |at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Failure::failed(format!("cannot write the records as JSON: {error}")))
}

fn print(text: &str) -> Result<()> {
    let mut destination = Destination::stdout();
    writeln!(destination, "{text}").map_err(|error| destination.io_failure(&error))?;
    destination.commit()
}
