//! Which queries run now and ran lately, so that they can be cancelled, asked how far they are, and shown.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tithe_engine::Principal;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::run_state::RunState;

/// Ended runs that are remembered.
const REMEMBERED: usize = 200;

/// By statement and run.
type Runs = BTreeMap<(Uuid, Uuid), Known>;

#[derive(Debug, Default)]
struct All {
    running: Runs,
    /// The latest last.
    ended: VecDeque<Arc<RunState>>,
}

#[derive(Debug)]
struct Known {
    cancel: CancellationToken,
    state: Arc<RunState>,
}

/// The running queries of one server.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    runs: Arc<Mutex<All>>,
    stop: CancellationToken,
}

/// One run of a statement; ends when dropped.
#[derive(Debug)]
pub(crate) struct Run {
    runs: Arc<Mutex<All>>,
    key: (Uuid, Uuid),
    stop: CancellationToken,
    cancel: CancellationToken,
    state: Arc<RunState>,
}

impl Running {
    /// Nothing runs; every run ends when `stop` is cancelled.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { runs: Arc::default(), stop }
    }

    /// Notes that `statement`, whose text is `sql`, starts to run for `principal`.
    pub(crate) fn begin(&self, statement: Uuid, principal: &Principal, sql: &str) -> Run {
        let key = (statement, Uuid::new_v4());
        let cancel = CancellationToken::new();
        let state = Arc::new(RunState::new(key.1, &principal.name, sql));
        let known = Known { cancel: cancel.clone(), state: Arc::clone(&state) };
        lock(&self.runs).running.insert(key, known);
        Run { runs: Arc::clone(&self.runs), key, stop: self.stop.clone(), cancel, state }
    }

    /// Cancels every run of `statement` that belongs to `principal`; false when there is none.
    pub(crate) fn cancel(&self, statement: Uuid, principal: &Principal) -> bool {
        let runs = lock(&self.runs);
        let own: Vec<_> = of(&runs.running, statement, principal).collect();
        for known in &own {
            known.cancel.cancel();
        }
        !own.is_empty()
    }

    /// Cancels one run if it belongs to `principal`; false when it does not, or does not run.
    pub(crate) fn cancel_run(&self, run: Uuid, principal: &Principal) -> bool {
        let runs = lock(&self.runs);
        let own =
            runs.running.values().find(|known| known.state.id() == run && known.state.is_of(&principal.name));
        own.inspect(|known| known.cancel.cancel()).is_some()
    }

    /// How far the run of `statement` is that is farthest, from 0 to below 1; `None` when `principal` has none.
    pub(crate) fn progress(&self, statement: Uuid, principal: &Principal) -> Option<f64> {
        let states: Vec<_> = {
            let runs = lock(&self.runs);
            of(&runs.running, statement, principal).map(|known| Arc::clone(&known.state)).collect()
        };
        states.iter().map(|state| state.progress()).reduce(f64::max)
    }

    /// Those that run, and those that ended lately; the youngest of each first.
    pub(crate) fn all(&self) -> (Vec<Arc<RunState>>, Vec<Arc<RunState>>) {
        let (mut running, ended) = {
            let runs = lock(&self.runs);
            let running: Vec<_> = runs.running.values().map(|known| Arc::clone(&known.state)).collect();
            (running, runs.ended.iter().rev().cloned().collect())
        };
        running.sort_by_key(|state| std::cmp::Reverse((state.began_at(), state.id())));
        (running, ended)
    }
}

fn of<'a>(runs: &'a Runs, statement: Uuid, principal: &'a Principal) -> impl Iterator<Item = &'a Known> + 'a {
    let all = runs.range((statement, Uuid::nil())..=(statement, Uuid::max()));
    all.map(|(_, known)| known).filter(|known| known.state.is_of(&principal.name))
}

impl Run {
    /// Where it tells how far it is.
    pub(crate) fn state(&self) -> Arc<RunState> {
        Arc::clone(&self.state)
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

    /// Does `work` unless the run has to end before; an error is its end.
    pub(crate) async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let done = tokio::select! {
            biased;
            interruption = self.interrupted() => Err(interruption),
            done = work => done,
        };
        done.inspect_err(|status| self.state.end(Err(status)))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Unless something else has been said: whoever reads went away.
        self.state.end(Err(&Status::cancelled("the client went away")));
        let mut runs = lock(&self.runs);
        let forgotten = match runs.ended.len() >= REMEMBERED {
            true => runs.ended.pop_front(),
            false => None,
        };
        runs.ended.push_back(Arc::clone(&self.state));
        let ended = runs.running.remove(&self.key);
        drop(runs);
        drop((forgotten, ended));
    }
}

fn lock(runs: &Mutex<All>) -> std::sync::MutexGuard<'_, All> {
    runs.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn only_the_owner_cancels_and_only_what_runs() {
        let running = Running::new(CancellationToken::new());
        let (statement, owner, other) = (Uuid::new_v4(), Principal::local(), Principal::from("other"));
        let run = running.begin(statement, &owner, "SELECT 1");
        assert!(!running.cancel(statement, &other));
        assert!(!running.cancel(Uuid::new_v4(), &owner));
        assert!(!running.cancel_run(run.state().id(), &other));
        assert!(!running.cancel_run(statement, &owner));
        assert!(running.cancel(statement, &owner));
        assert_eq!(run.interrupted().await.code(), Code::Cancelled);
        assert_eq!(running.progress(statement, &owner), Some(0.0));
        assert_eq!(running.progress(statement, &other), None);
        let twin = running.begin(statement, &owner, "SELECT 1");
        assert!(running.cancel_run(twin.state().id(), &owner));
        assert_eq!(twin.interrupted().await.code(), Code::Cancelled);
        let ended = run.state().id();
        drop((run, twin));
        assert!(!running.cancel(statement, &owner));
        assert!(!running.cancel_run(ended, &owner));
        assert_eq!(running.progress(statement, &owner), None);
    }

    #[tokio::test]
    async fn what_ended_is_remembered_for_a_while_with_its_end() {
        let running = Running::new(CancellationToken::new());
        let owner = Principal::from("王小明");
        let outcome = |state: &RunState| state.query().text("outcome").to_owned();
        let waits = running.begin(Uuid::new_v4(), &owner, "SELECT '臺北'");
        assert_eq!(outcome(&waits.state()), "waiting");
        waits.state().admit();
        assert_eq!(outcome(&waits.state()), "running");
        waits.state().deliver(7);
        let failed: Result<(), Status> =
            waits.unless_interrupted(async { Err(Status::internal("no")) }).await;
        assert!(failed.is_err());
        drop(waits);
        let done = running.begin(Uuid::new_v4(), &owner, "SELECT 2");
        done.state().end(Ok(()));
        drop(done);
        drop(running.begin(Uuid::new_v4(), &owner, "SELECT 3"));
        let (runs, ended) = running.all();
        assert!(runs.is_empty());
        let ended: Vec<_> = ended.iter().map(|state| state.query()).collect();
        let told: Vec<_> = ended.iter().map(|query| (query.text("sql"), query.text("outcome"))).collect();
        assert_eq!(told, [("SELECT 3", "cancelled"), ("SELECT 2", "done"), ("SELECT '臺北'", "failed")]);
        assert_eq!(ended[2].text("error"), "no");
        assert_eq!(ended[2].get("rows"), Some(&7.into()));
        for _ in 0..2 * REMEMBERED {
            drop(running.begin(Uuid::new_v4(), &owner, "SELECT 4"));
        }
        assert_eq!(running.all().1.len(), REMEMBERED);
        assert!(running.all().1.iter().all(|state| state.query().text("sql") == "SELECT 4"));
    }
}
