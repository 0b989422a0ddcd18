//! Which queries run now, so that they can be cancelled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tithe_engine::Principal;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

type Runs = BTreeMap<(Uuid, Uuid), (String, CancellationToken)>;

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
        lock(&self.runs).insert(key, (principal.name.clone(), cancel.clone()));
        Run { runs: Arc::clone(&self.runs), key, stop: self.stop.clone(), cancel }
    }

    /// Cancels every run of `statement` that belongs to `principal`; false when there is none.
    pub(crate) fn cancel(&self, statement: Uuid, principal: &Principal) -> bool {
        let runs = lock(&self.runs);
        let own: Vec<_> = runs
            .range((statement, Uuid::nil())..=(statement, Uuid::max()))
            .filter(|(_, (name, _))| *name == principal.name)
            .collect();
        for (_, (_, cancel)) in &own {
            cancel.cancel();
        }
        !own.is_empty()
    }
}

impl Run {
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
        drop(run);
        assert!(!running.cancel(statement, &owner));
    }
}
