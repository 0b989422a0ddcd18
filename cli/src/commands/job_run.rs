//! `tithe job run`: begins a job, or goes on where it was stopped.

use std::sync::Arc;

use clap::Args;
use indicatif::HumanCount;
use tithe_engine::{ErrorKind, JobOutcome, JobReport};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::job::JobArguments;
use super::job_progress::Progress;
use crate::failure::{Failure, Result};

/// Failures that are told one by one.
const TOLD: usize = 10;

/// Options of `tithe job run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    job: JobArguments,

    /// Do all of it anew, though it was begun or done: each partition is replaced in one step
    #[arg(long)]
    restart: bool,
}

impl Arguments {
    pub(super) async fn run(self) -> Result<()> {
        let (_opened, job) = self.job.open().await?;
        let progress = Arc::new(Progress::start(self.job.name()));
        let result = job.run(self.restart, interrupts()?, Arc::clone(&progress) as _).await;
        progress.finish();
        let report = result.map_err(|error| Failure::of_opening(&error))?;
        eprintln!("{}", summary(&report));
        ended(&report)
    }
}

/// Turns true at Ctrl-C or a scheduler's SIGTERM; at the second one the process ends where it stands.
fn interrupts() -> Result<watch::Receiver<bool>> {
    let failed = |error: std::io::Error| Failure::failed(format!("cannot watch for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        for times in 0.. {
            tokio::select! {
                _signal = terminate.recv() => {}
                _signal = interrupt.recv() => {}
            }
            if times > 0 {
                std::process::exit(i32::from(Failure::Interrupted.exit_code()));
            }
            sender.send_replace(true);
            eprintln!("stopping: partitions that are being committed are completed");
        }
    });
    Ok(receiver)
}

fn summary(report: &JobReport) -> String {
    let there = report.before + report.written;
    let of = report.partitions;
    match (report.written, report.before) {
        (0, before) if before == of => format!("nothing to do: all {} partitions are there", count(of)),
        (written, before) => format!(
            "{} of {} partitions are there: {} written now with {} rows, {} before",
            count(there),
            count(of),
            count(written),
            HumanCount(report.rows),
            count(before)
        ),
    }
}

fn count(number: usize) -> HumanCount {
    HumanCount(u64::try_from(number).unwrap_or(u64::MAX))
}

fn ended(report: &JobReport) -> Result<()> {
    match report.outcome {
        JobOutcome::Done => Ok(()),
        JobOutcome::Cancelled | JobOutcome::Interrupted => {
            if let Some(note) = &report.note {
                eprintln!("{note}");
            }
            Err(Failure::Interrupted)
        }
        JobOutcome::Failed if report.failures.is_empty() => {
            Err(Failure::failed(report.note.clone().unwrap_or_else(|| "the job failed".to_owned())))
        }
        JobOutcome::Failed => {
            let mut text = format!(
                "{} of {} partitions failed; run the job again to try them alone",
                count(report.failures.len()),
                count(report.partitions)
            );
            for failure in report.failures.iter().take(TOLD) {
                text.push_str(&format!("\n{}: {}", failure.partition, failure.reason));
            }
            if report.failures.len() > TOLD {
                text.push_str(&format!(
                    "\nand {} more: `tithe job status` tells them",
                    count(report.failures.len() - TOLD)
                ));
            }
            let all = |kind: ErrorKind| report.failures.iter().all(|failure| failure.kind == kind);
            Err(match () {
                () if all(ErrorKind::Limit) => Failure::Limit(text),
                () if all(ErrorKind::Connection) => Failure::Connection(text),
                () if all(ErrorKind::NotAllowed) => Failure::NotAllowed(text),
                () => Failure::Failed(text),
            })
        }
    }
}
