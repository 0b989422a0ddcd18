//! Which queries run now, so that they can be cancelled and asked how far they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tithe_engine::{Principal, QueryReport};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

type Runs = BTreeMap<(Uuid, Uuid), Known>;

#[derive(Debug)]
struct Known {
    owner: String,
    cancel: CancellationToken,
    progress: Progress,
}

/// How far one run is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    report: Arc<OnceLock<QueryReport>>,
    /// What was told last: a share never goes back.
    told: Arc<Mutex<f64>>,
}

/// Below the end, which only the last row is.
const ALMOST: f64 = 0.99;

impl Progress {
    /// Takes the report of the query that now runs.
    pub(crate) fn follow(&self, report: QueryReport) {
        self.report.get_or_init(|| report);
    }

    /// From 0 to below 1, and never less than before.
    fn tell(&self) -> f64 {
        let now = self.report.get().and_then(QueryReport::progress).unwrap_or(0.0).min(ALMOST);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = told.max(now);
        *told
    }
}

/// The running queries of one server.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    runs: Arc<Mutex<Runs>>,
    stop: CancellationToken,
}

/// One run of a statement; ends when dropped.
#[derive(Debug)]
pub(crate) struct Run {
    runs: Arc<Mutex<Runs>>,
    key: (Uuid, Uuid),
    stop: CancellationToken,
    cancel: CancellationToken,
    progress: Progress,
}

impl Running {
    /// Nothing runs; every run ends when `stop` is cancelled.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { runs: Arc::default(), stop }
    }

    /// Notes that `statement` starts to run for `principal`.
    pub(crate) fn begin(&self, statement: Uuid, principal: &Principal) -> Run {
        let key = (statement, Uuid::new_v4());
        let cancel = CancellationToken::new();
        let progress = Progress::default();
        let known =
            Known { owner: principal.name.clone(), cancel: cancel.clone(), progress: progress.clone() };
        lock(&self.runs).insert(key, known);
        Run { runs: Arc::clone(&self.runs), key, stop: self.stop.clone(), cancel, progress }
    }

    /// Cancels every run of `statement` that belongs to `principal`; false when there is none.
    pub(crate) fn cancel(&self, statement: Uuid, principal: &Principal) -> bool {
        let runs = lock(&self.runs);
        let own: Vec<_> = of(&runs, statement, principal).collect();
        for known in &own {
            known.cancel.cancel();
        }
        !own.is_empty()
    }

    /// How far the run of `statement` is that is farthest, from 0 to below 1; `None` when `principal` has none.
    pub(crate) fn progress(&self, statement: Uuid, principal: &Principal) -> Option<f64> {
        let runs = lock(&self.runs);
        of(&runs, statement, principal).map(|known| known.progress.tell()).reduce(f64::max)
    }
}

fn of<'a>(runs: &'a Runs, statement: Uuid, principal: &'a Principal) -> impl Iterator<Item = &'a Known> + 'a {
    let all = runs.range((statement, Uuid::nil())..=(statement, Uuid::max()));
    all.map(|(_, known)| known).filter(|known| known.owner == principal.name)
}

impl Run {
    /// Where it tells how far it is.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Waits until the run has to end: because its owner cancelled it, or the server stops.
    pub(crate) async fn interrupted(&self) -> Status {
        tokio::select! {
            () = self.cancel.cancelled() => Status::cancelled("the query was cancelled"),
            () = self.stop.cancelled() => {
                Status::unavailable("the server is stopping and ended the query: run it again later")
            }
        }
    }

    /// Does `work` unless the run has to end before.
    pub(crate) async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        tokio::select! {
            biased;
            interruption = self.interrupted() => Err(interruption),
            done = work => done,
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        lock(&self.runs).remove(&self.key);
    }
}

fn lock(runs: &Mutex<Runs>) -> std::sync::MutexGuard<'_, Runs> {
    runs.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn only_the_owner_cancels_and_only_what_runs() {
        let running = Running::new(CancellationToken::new());
        let (statement, owner) = (Uuid::new_v4(), Principal::local());
        let run = running.begin(statement, &owner);
        assert!(!running.cancel(statement, &Principal::from("other")));
        assert!(!running.cancel(Uuid::new_v4(), &owner));
        assert!(running.cancel(statement, &owner));
        assert_eq!(run.interrupted().await.code(), Code::Cancelled);
        assert_eq!(running.progress(statement, &owner), Some(0.0));
        assert_eq!(running.progress(statement, &Principal::from("other")), None);
        drop(run);
        assert!(!running.cancel(statement, &owner));
        assert_eq!(running.progress(statement, &owner), None);
    }
}
