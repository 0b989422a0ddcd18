//! How far one run of a statement is, and how it ended.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tithe_engine::{LiveQuery, Query, QueryReport};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::status;

/// Below the end, which only the last row is.
const ALMOST: f64 = 0.99;
/// Of a plan that is kept when its query has ended.
const LONGEST_PLAN: usize = 64 << 10;

/// One run of a statement, as long as somebody may ask for it.
#[derive(Debug)]
pub(crate) struct RunState {
    id: Uuid,
    owner: String,
    began: Instant,
    began_at: SystemTime,
    /// Whether it has got its place among the running queries.
    admitted: AtomicBool,
    rows: AtomicU64,
    /// What was told last: a share never goes back.
    told: Mutex<f64>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    query: LiveQuery,
    /// Whether the engine has said what it is about.
    planned: bool,
    report: Option<QueryReport>,
    end: Option<End>,
}

#[derive(Debug, Clone)]
struct End {
    outcome: &'static str,
    error: Option<String>,
    took: Duration,
    operators: Option<Result<String, String>>,
}

impl RunState {
    pub(crate) fn new(id: Uuid, owner: &str, statement: &str) -> Self {
        let began_at = SystemTime::now();
        let mut query = LiveQuery::default();
        query.set("who", owner);
        query.set("sql", statement);
        query.set("began_at", humantime::format_rfc3339_micros(began_at).to_string());
        Self {
            id,
            owner: owner.to_owned(),
            began: Instant::now(),
            began_at,
            admitted: AtomicBool::new(false),
            rows: AtomicU64::new(0),
            told: Mutex::default(),
            known: Mutex::new(Known { query, planned: false, report: None, end: None }),
        }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    pub(crate) fn is_of(&self, owner: &str) -> bool {
        self.owner == owner
    }

    pub(crate) fn began_at(&self) -> SystemTime {
        self.began_at
    }

    /// Says that it waits no longer.
    pub(crate) fn admit(&self) {
        self.admitted.store(true, Ordering::Release);
    }

    /// Takes up the query that is about to run.
    pub(crate) fn follow(&self, query: &Query) {
        let (live, report) = (query.live(), query.report());
        let mut known = self.lock();
        known.query = live;
        known.report = Some(report);
        known.planned = true;
    }

    /// `status` with the id of the query that runs, where one does.
    pub(crate) fn name(&self, status: Status) -> Status {
        let id = Uuid::parse_str(self.lock().query.text("id"));
        match id {
            Ok(id) => status::of_query(status, id),
            Err(_none) => status,
        }
    }

    /// Counts rows that were sent.
    pub(crate) fn deliver(&self, rows: usize) {
        self.rows.fetch_add(u64::try_from(rows).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Says how it ended; the first word counts. What is kept of its plan is text.
    pub(crate) fn end(&self, outcome: Result<(), &Status>) {
        let mut known = self.lock();
        if known.end.is_some() {
            return;
        }
        let (outcome, error) = match outcome {
            Ok(()) => ("done", None),
            Err(status) if status.code() == Code::Cancelled => ("cancelled", None),
            Err(status) => ("failed", Some(status.message().to_owned())),
        };
        let report = known.report.take();
        let operators = report.and_then(|report| operators(&report));
        known.end = Some(End { outcome, error, took: self.began.elapsed(), operators });
    }

    /// From 0 to below 1, and never less than before.
    pub(crate) fn progress(&self) -> f64 {
        let report = self.lock().report.clone();
        let now = report.as_ref().and_then(QueryReport::progress).unwrap_or(0.0).min(ALMOST);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = told.max(now);
        *told
    }

    /// What is known of it in the columns of `audit.query`; `outcome` may be `waiting` and `running` as well.
    pub(crate) fn query(&self) -> LiveQuery {
        let known = self.lock();
        let mut query = known.query.clone();
        let (outcome, error, took) = match &known.end {
            Some(end) => (end.outcome, end.error.clone(), end.took),
            None if self.admitted.load(Ordering::Acquire) => ("running", None, self.began.elapsed()),
            None => ("waiting", None, self.began.elapsed()),
        };
        query.set("outcome", outcome);
        query.set("error", error);
        query.set("rows", self.rows.load(Ordering::Relaxed));
        query.set("milliseconds", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        query
    }

    /// Whether the engine has said which tables it reads: before, no rule can tell who may know of it.
    pub(crate) fn is_planned(&self) -> bool {
        self.lock().planned
    }

    /// Its operators with what they have done, or why they are not shown to its owner; `None` while it has none.
    pub(crate) fn operators(&self) -> Option<Result<String, String>> {
        let (report, end) = {
            let known = self.lock();
            (known.report.clone(), known.end.clone())
        };
        match end {
            Some(end) => end.operators,
            None => report.and_then(|report| operators(&report)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn operators(report: &QueryReport) -> Option<Result<String, String>> {
    Some(match report.operators()? {
        Ok(mut plan) => {
            if let Some(end) = (0..=LONGEST_PLAN).rev().find(|end| plan.is_char_boundary(*end))
                && end < plan.len()
            {
                plan.truncate(end);
                plan.push('…');
            }
            Ok(plan)
        }
        Err(error) => Err(error.to_string()),
    })
}
