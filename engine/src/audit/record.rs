//! What one line of the audit says.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

/// A query begins or ends. A query that was refused has an end alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Event {
    Begin,
    End,
}

/// One line. Its place in the chain is written by the log.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    /// Counts the records of the directory from 1.
    pub(super) sequence: u64,
    /// Digest of the line before.
    pub(super) previous: &'a str,
    pub(super) event: Event,
    /// The sequence of the query's first record.
    pub(super) query: u64,
    /// What the log and the errors of the query carry.
    pub(super) id: String,
    pub(super) began_at: String,
    pub(super) written_at: String,
    pub(super) who: &'a str,
    pub(super) groups: Vec<&'a str>,
    pub(super) roles: Vec<&'a str>,
    pub(super) sql: &'a str,
    pub(super) parameters: Vec<&'a str>,
    pub(super) tables: Vec<&'a str>,
    pub(super) columns: Vec<String>,
    pub(super) policy: &'a str,
    /// None at the begin, as are the two below.
    pub(super) outcome: Option<&'a str>,
    pub(super) error: Option<&'a str>,
    pub(super) rows: Option<u64>,
    pub(super) milliseconds: Option<u64>,
}

/// A time as records write it: UTC, microseconds.
pub(super) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
