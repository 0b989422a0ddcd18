//! What a job's log says.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::job::definition::OutputMode;
use crate::job::value::Partition;

/// One object of the log: what happened since the one before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Tells an entry that was written twice, by a retry of the network, from somebody else's.
    pub(crate) id: String,
    pub(crate) at: DateTime<Utc>,
    /// The lease under which it was written: the number of the entry that took it. 0 where none is needed.
    pub(crate) token: u64,
    pub(crate) events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A runner took the job over; this entry's number is its token.
    Lease { runner: Runner, milliseconds: u64 },
    /// What is to be done; takes the place of any plan before.
    Plan(Box<Plan>),
    /// A partition's file is about to be put.
    Intent { partition: Partition, file: FileRecord },
    /// It was.
    Done { partition: Partition, seconds: f64, attempts: u32 },
    /// A partition was given up in this run.
    Failed { partition: Partition, attempts: u32, reason: String },
    /// Somebody wants the runner to stop.
    Cancel { by: String },
    /// The runner gave the lease back.
    End { outcome: Outcome },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every partition is there.
    Done,
    /// Partitions are missing, or the input changed meanwhile.
    Failed,
    /// Somebody asked for it by `tithe job cancel`.
    Cancelled,
    /// The process was interrupted.
    Interrupted,
}

/// A process that runs a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Runner {
    pub(crate) host: String,
    pub(crate) process: u32,
    /// Names this process on its machine for good: the boot, the namespace of its number, and when it began. `None`
    /// where the system does not tell.
    pub(crate) identity: Option<String>,
    pub(crate) version: String,
}

/// What a job is to do, and from what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) job: String,
    pub(crate) version: String,
    pub(crate) principal: String,
    /// With the parameters in it and `$1`, `$2`, … for the values of a partition.
    pub(crate) sql: String,
    /// SHA-256 of `sql`.
    pub(crate) query_sha256: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// How the work is cut, as the definition says it.
    pub(crate) cut: serde_json::Value,
    pub(crate) output: String,
    pub(crate) mode: OutputMode,
    /// The files of every table that is read.
    pub(crate) inputs: BTreeMap<String, Vec<InputFile>>,
    pub(crate) partitions: Vec<Partition>,
    /// For each partition of a job over groups of files, the files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<Vec<String>>,
}

/// A file that is read, as the store described it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct InputFile {
    /// Below the lake's root.
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) e_tag: Option<String>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// Below the lake's root.
    pub(crate) path: String,
    pub(crate) rows: u64,
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// A partition that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DoneRecord {
    pub(crate) partition: Partition,
    pub(crate) file: FileRecord,
    pub(crate) seconds: f64,
    pub(crate) attempts: u32,
    pub(crate) at: DateTime<Utc>,
}

/// A partition that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailedRecord {
    pub(crate) partition: Partition,
    pub(crate) attempts: u32,
    pub(crate) reason: String,
}
