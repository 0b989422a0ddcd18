//! What is known of one query, and when it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use opentelemetry::trace::Status;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

use super::AuditLog;
use super::record::{Event, Record, timestamp};
use crate::error::{EngineError, Result};
use crate::execute::{QueryMetrics, query_span};
use crate::policy::{Memberships, Principal, UNRESTRICTED};

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
    log: Option<Arc<AuditLog>>,
    metrics: QueryMetrics,
    principal: Principal,
    id: Uuid,
    span: Span,
    sql: String,
    began: Instant,
    began_at: DateTime<Utc>,
    /// Number of the record that says that it began.
    query: Option<u64>,
    pub(crate) tables: BTreeSet<String>,
    pub(crate) columns: BTreeMap<String, BTreeSet<String>>,
    /// The values that were bound, as text.
    pub(crate) parameters: Vec<String>,
    /// The version of the policy that permitted or refused it.
    pub(crate) policy: String,
    /// Those by which it did.
    pub(crate) memberships: Memberships,
    pub(crate) rows: u64,
    /// `None` until it runs: a query that is only described leaves no record.
    pub(crate) outcome: Option<Outcome>,
}

impl Audit {
    pub(crate) fn new(
        log: Option<Arc<AuditLog>>,
        metrics: QueryMetrics,
        principal: &Principal,
        sql: &str,
        id: Uuid,
    ) -> Self {
        Self {
            log,
            metrics,
            principal: principal.clone(),
            id,
            span: query_span(id),
            sql: sql.to_owned(),
            began: Instant::now(),
            began_at: Utc::now(),
            query: None,
            tables: BTreeSet::new(),
            columns: BTreeMap::new(),
            parameters: Vec::new(),
            policy: UNRESTRICTED.to_owned(),
            memberships: Memberships::of_token(principal),
            rows: 0,
            outcome: None,
        }
    }

    /// Tells the query from every other.
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// What the lines of the log that the query writes stand in.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Records that the query begins, before it may deliver anything: a query whose end nobody lives to write has
    /// left this.
    ///
    /// # Errors
    /// When that cannot be written: the query must not run then.
    pub(crate) fn start(&mut self) -> Result<()> {
        if let Some(log) = self.log.clone() {
            let written = log.append(|sequence| self.record(Event::Begin, sequence, None, None));
            self.query = Some(written.map_err(|error| unwritten(&error))?);
        }
        self.outcome = Some(Outcome::Cancelled);
        Ok(())
    }

    /// Its record as it would be if it began now, without a place in the chain.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(super) fn begun(&self) -> serde_json::Result<serde_json::Value> {
        let mut record = serde_json::to_value(self.record(Event::Begin, 0, None, None))?;
        record["query"] = self.query.into();
        Ok(record)
    }

    fn record<'a>(
        &'a self,
        event: Event,
        sequence: u64,
        outcome: Option<&'a str>,
        error: Option<&'a str>,
    ) -> Record<'a> {
        let ended = outcome.is_some();
        Record {
            sequence,
            previous: "",
            event,
            query: self.query.unwrap_or(sequence),
            id: self.id.to_string(),
            began_at: timestamp(self.began_at),
            written_at: timestamp(Utc::now()),
            who: &self.principal.name,
            groups: self.memberships.groups.iter().map(String::as_str).collect(),
            roles: self.memberships.roles.iter().map(String::as_str).collect(),
            sql: &self.sql,
            parameters: self.parameters.iter().map(String::as_str).collect(),
            tables: self.tables.iter().map(String::as_str).collect(),
            columns: self.columns_read(),
            policy: &self.policy,
            outcome,
            error,
            rows: ended.then_some(self.rows),
            milliseconds: ended.then(|| self.milliseconds()),
        }
    }

    fn columns_read(&self) -> Vec<String> {
        let columns = self
            .columns
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(move |column| format!("{table}.{column}")));
        columns.collect()
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn write(&self, outcome: &Outcome) {
        let _inside = self.span.enter();
        let (word, error) = match outcome {
            Outcome::Done => ("done", None),
            Outcome::Cancelled => ("cancelled", None),
            Outcome::Refused(reason) => ("refused", Some(reason.as_str())),
            Outcome::Failed(reason) => ("failed", Some(reason.as_str())),
        };
        self.metrics.count(word, self.began.elapsed(), self.rows);
        self.span.set_attribute("tithe.outcome", word);
        self.span.set_attribute("tithe.rows", i64::try_from(self.rows).unwrap_or(i64::MAX));
        if error.is_some() {
            // The reason is on record, for those who may read it.
            self.span.set_status(Status::error(word));
        }
        if let Some(log) = &self.log
            && let Err(failed) = log.append(|sequence| self.record(Event::End, sequence, Some(word), error))
        {
            // Its begin is on record, and no other query starts until records can be written again.
            tracing::error!(target: "tithe::audit", "{}", unwritten(&failed));
        }
        tracing::info!(
            target: "tithe::audit",
            id = %self.id,
            who = self.principal.name,
            groups = joined(&self.memberships.groups),
            roles = joined(&self.memberships.roles),
            sql = self.sql,
            parameters = self.parameters.join(", "),
            tables = joined(&self.tables),
            columns = self.columns_read().join(","),
            policy = self.policy,
            outcome = word,
            error,
            rows = self.rows,
            milliseconds = self.milliseconds(),
        );
    }
}

fn joined(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

fn unwritten(error: &std::io::Error) -> EngineError {
    EngineError::Audit { reason: error.to_string() }
}

impl Drop for Audit {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome.take() {
            self.write(&outcome);
        }
    }
}
