//! One record for every query, on the tracing target `tithe::audit`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::policy::{Principal, UNRESTRICTED};

/// How a query ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All rows were delivered.
    Done,
    /// The reader went away before the last row.
    Cancelled,
    /// Not understood or not allowed, and never run.
    Refused(String),
    /// It stopped with an error.
    Failed(String),
}

/// What is known of a query; written when it is dropped.
#[derive(Debug)]
pub(crate) struct Audit {
    principal: Principal,
    sql: String,
    began: Instant,
    pub(crate) tables: BTreeSet<String>,
    pub(crate) columns: BTreeMap<String, BTreeSet<String>>,
    /// The version of the policy that permitted or refused it.
    pub(crate) policy: String,
    pub(crate) rows: u64,
    /// `None` until it runs: a query that is only described leaves no record.
    pub(crate) outcome: Option<Outcome>,
}

impl Audit {
    pub(crate) fn begin(principal: &Principal, sql: &str) -> Self {
        Self {
            principal: principal.clone(),
            sql: sql.to_owned(),
            began: Instant::now(),
            tables: BTreeSet::new(),
            columns: BTreeMap::new(),
            policy: UNRESTRICTED.to_owned(),
            rows: 0,
            outcome: None,
        }
    }

    fn write(&self, outcome: &Outcome) {
        let (word, error) = match outcome {
            Outcome::Done => ("done", None),
            Outcome::Cancelled => ("cancelled", None),
            Outcome::Refused(reason) => ("refused", Some(reason.as_str())),
            Outcome::Failed(reason) => ("failed", Some(reason.as_str())),
        };
        let tables = self.tables.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let columns = self
            .columns
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(move |column| format!("{table}.{column}")))
            .collect::<Vec<_>>()
            .join(",");
        tracing::info!(
            target: "tithe::audit",
            who = self.principal.name,
            sql = self.sql,
            tables,
            columns,
            policy = self.policy,
            outcome = word,
            error,
            rows = self.rows,
            milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        );
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome.take() {
            self.write(&outcome);
        }
    }
}
