//! Batch jobs that survive being killed: a query over partitions, each written to a table whole or not at all.
//!
//! A job's records lie beside its output, in `<table>/_jobs/<job>/`: a log of numbered entries, of which each is made
//! once, says who runs the job, what it is to do, and which partitions are there. Who holds the lease is the last
//! entry that took it; a runner that lost it finds that entry in the place of its own next one. A partition is one
//! file. It is announced in the log, put in one step, and then noted as done.

mod commit;
mod compute;
mod definition;
mod duration;
mod inputs;
mod lease;
mod lock;
mod log;
mod manifest;
mod one_partition;
mod output;
mod partitions;
mod plan;
mod record;
mod recorder;
mod run;
mod state;
mod status;
mod value;
mod verify;

pub(crate) use lease::is_held;
pub(crate) use lock::CommitLock;
pub(crate) use log::JobLog;
pub(crate) use output::RECORDS;
pub(crate) use record::{Event, Outcome as JobOutcome, Runner};
pub(crate) use recorder::{Recorder, Taken, take};
pub(crate) use state::Lease;

pub use definition::{JobDefinition, JobParameter, JobQuery, OutputMode, PartitionRule};
pub use record::Outcome;
pub use run::{Job, JobFailure, JobProgress, JobReport};
pub use status::{JobState, JobStatus};
pub use verify::{Difference, JobVerified};
