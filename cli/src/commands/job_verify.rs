//! `tithe job verify`: runs partitions again and compares them with what is stored.

use clap::Args;
use indicatif::HumanCount;

use super::job::JobArguments;
use super::job_progress::Progress;
use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;

/// Options of `tithe job verify`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    job: JobArguments,

    /// Partitions to run again [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    sample: Option<u32>,

    /// Which sample: the same number takes the same partitions
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

impl Arguments {
    pub(super) async fn run(self) -> Result<()> {
        let (_opened, job) = self.job.open().await?;
        let progress = Progress::start(self.job.name());
        let sample = self.sample.and_then(|count| usize::try_from(count).ok());
        let verified = or_interrupt(async {
            job.verify(sample, self.seed, &progress).await.map_err(|error| Failure::of_opening(&error))
        })
        .await;
        progress.finish();
        let verified = verified?;
        let partitions = HumanCount(verified.partitions as u64);
        if verified.differences.is_empty() {
            eprintln!(
                "{partitions} partitions with {} rows come out as they are stored, bit for bit",
                HumanCount(verified.rows)
            );
            return Ok(());
        }
        let why = match verified.reasons.as_slice() {
            [] => "its input and version are the same, so the files were changed, or the query answers otherwise \
                   each time it is asked"
                .to_owned(),
            reasons => reasons.join(", "),
        };
        let mut text = format!("{} of {partitions} partitions differ: {why}", verified.differences.len());
        for difference in &verified.differences {
            text.push_str(&format!("\n{}: {}", difference.partition, difference.what));
        }
        Err(Failure::failed(text))
    }
}
