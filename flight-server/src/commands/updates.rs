//! Updates that clients announce as queries: each runs once, however often its rows are fetched.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tonic::Status;
use uuid::Uuid;

const MOST: usize = 10_000;
/// How long an announced update may wait for its client, and its count for a client that asks again.
const LIFE: Duration = Duration::from_mins(10);

/// The updates that were announced of late.
#[derive(Debug, Clone, Default)]
pub(crate) struct Updates(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    states: HashMap<Uuid, State>,
    order: VecDeque<(Instant, Uuid)>,
}

#[derive(Debug, Clone)]
enum State {
    Announced,
    Running,
    Ended(Result<u64, Status>),
}

/// What a client gets that fetches.
#[derive(Debug)]
pub(super) enum Turn {
    /// The update is to be run now.
    Run(Running),
    /// It has run and changed so many rows.
    Ended(u64),
}

/// An update that runs; without [`Running::end`], it was cut off.
#[derive(Debug)]
pub(super) struct Running {
    updates: Updates,
    id: Uuid,
}

impl Updates {
    /// Notes that the update may be run once.
    pub(super) fn announce(&self, id: Uuid) -> Result<(), Status> {
        let now = Instant::now();
        let mut known = self.lock();
        while let Some((since, oldest)) = known.order.front().copied()
            && now.duration_since(since) >= LIFE
        {
            known.order.pop_front();
            known.states.remove(&oldest);
        }
        if known.order.len() >= MOST {
            return Err(Status::resource_exhausted(format!(
                "more than {MOST} updates were announced within {} minutes: try again later",
                LIFE.as_secs() / 60
            )));
        }
        known.order.push_back((now, id));
        known.states.insert(id, State::Announced);
        Ok(())
    }

    /// Begins the update, or tells how it ended.
    pub(super) fn begin(&self, id: Uuid) -> Result<Turn, Status> {
        let mut known = self.lock();
        match known.states.get(&id).cloned() {
            Some(State::Announced) => {
                known.states.insert(id, State::Running);
                Ok(Turn::Run(Running { updates: self.clone(), id }))
            }
            Some(State::Running) => {
                Err(Status::aborted("the update runs already, and runs once: wait for its first answer"))
            }
            Some(State::Ended(outcome)) => outcome.map(Turn::Ended),
            None => Err(Status::failed_precondition(
                "the update was announced too long ago, or by another server: run it again",
            )),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, id: Uuid, outcome: Result<u64, Status>) {
        let mut known = self.lock();
        if let Some(state @ State::Running) = known.states.get_mut(&id) {
            *state = State::Ended(outcome);
        }
    }
}

impl Running {
    /// Keeps how it ended for clients that ask again.
    pub(super) fn end(self, outcome: &Result<u64, Status>) {
        self.updates.end(self.id, outcome.clone());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let cut_off = "the update was cut off: look whether the table has changed before you run it again";
        self.updates.end(self.id, Err(Status::aborted(cut_off)));
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn an_update_runs_once() {
        let updates = Updates::default();
        let id = Uuid::new_v4();
        assert_eq!(updates.begin(id).unwrap_err().code(), Code::FailedPrecondition);
        updates.announce(id).unwrap();
        let Turn::Run(running) = updates.begin(id).unwrap() else { panic!("it has not run") };
        assert_eq!(updates.begin(id).unwrap_err().code(), Code::Aborted);
        running.end(&Ok(7));
        for _ in 0..2 {
            assert!(matches!(updates.begin(id).unwrap(), Turn::Ended(7)));
        }
    }

    #[test]
    fn an_update_that_was_cut_off_does_not_run_again() {
        let updates = Updates::default();
        let id = Uuid::new_v4();
        updates.announce(id).unwrap();
        drop(updates.begin(id).unwrap());
        let status = updates.begin(id).unwrap_err();
        assert_eq!(status.code(), Code::Aborted, "{status}");
        assert!(status.message().contains("was cut off"), "{status}");
    }
}
