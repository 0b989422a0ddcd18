//! The one task of a run that writes its log, renews its lease, and looks whether somebody wants it to stop.

use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{EngineError, ErrorKind, Result};
use crate::job::lease::{is_held, renew};
use crate::job::lock::CommitLock;
use crate::job::log::{Appended, JobLog};
use crate::job::record::{Entry, Event, Outcome, Runner};
use crate::job::state::State;

/// Events that wait while an entry is being written.
const WAITING: usize = 1024;
/// How often the log is looked at for a wish to cancel.
const LOOK: Duration = Duration::from_secs(1);

/// Why a run stops before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Asked for by this user.
    Cancelled(String),
    Interrupted,
    /// Nothing more can be recorded: the reason, and whether another runner is why.
    Lost(String),
}

struct Message {
    /// `None` asks only whether the lease still holds.
    event: Option<Event>,
    written: oneshot::Sender<bool>,
}

/// The way of a run's tasks to the log.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    events: mpsc::Sender<Message>,
    stop: watch::Sender<Option<Stop>>,
    job: String,
}

/// A lease that was taken, with what the log said then.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) log: JobLog,
    pub(crate) state: State,
    pub(crate) lease: Duration,
}

/// Takes the lease of the job whose log said `state`.
///
/// # Errors
/// When another runner has it, or the store cannot be used.
pub(crate) async fn take(log: JobLog, mut state: State, lease: Duration, job: &str) -> Result<Taken> {
    let runner = Runner::this();
    loop {
        if is_held(&log, &state).await? {
            return Err(busy(job, &state));
        }
        // Nobody is between his intent and his file while this is held.
        let Some(lock) = CommitLock::exclusive(&log).await? else { return Err(busy(job, &state)) };
        let milliseconds = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let event = Event::Lease { runner: runner.clone(), milliseconds };
        let entry = entry(state.last + 1, vec![event]);
        let appended = log.append(state.last, &entry).await?;
        drop(lock);
        match appended {
            Appended::Done => {
                state.apply(state.last + 1, entry);
                return Ok(Taken { log, state, lease });
            }
            Appended::Forestalled(other) => {
                state.apply(state.last + 1, *other);
                log.catch_up(&mut state).await?;
            }
        }
    }
}

fn entry(token: u64, events: Vec<Event>) -> Entry {
    Entry { id: uuid::Uuid::new_v4().to_string(), at: Utc::now(), token, events }
}

/// What is said to whom the lease is refused.
pub(crate) fn busy(job: &str, state: &State) -> EngineError {
    let holder = state.lease.as_ref().map_or_else(String::new, |lease| {
        format!(" by process {} on {}", lease.runner.process, lease.runner.host)
    });
    EngineError::job(
        job,
        ErrorKind::Limit,
        format!("it is being run{holder}: wait for it, or stop it with `tithe job cancel`"),
    )
}

impl Recorder {
    /// Starts to record. The task ends when the last copy of the recorder is gone, and gives what the log says then.
    pub(crate) fn start(taken: Taken, job: &str) -> (Self, tokio::task::JoinHandle<Taken>) {
        let (events, waiting) = mpsc::channel(WAITING);
        let (stop, _) = watch::channel(None);
        let recorder = Self { events, stop: stop.clone(), job: job.to_owned() };
        (recorder, tokio::spawn(Task { taken, stop, renewed: Instant::now() }.run(waiting)))
    }

    /// Writes an event, and waits until it is in the log.
    ///
    /// # Errors
    /// When the lease is lost: nothing that follows from the event may be done then.
    pub(crate) async fn write(&self, event: Event) -> Result<()> {
        self.send(Some(event)).await
    }

    /// Looks at the log, and gives an error unless the lease still holds.
    ///
    /// # Errors
    /// When it is lost.
    pub(crate) async fn confirm(&self) -> Result<()> {
        self.send(None).await
    }

    async fn send(&self, event: Option<Event>) -> Result<()> {
        let (written, answer) = oneshot::channel();
        if self.events.send(Message { event, written }).await.is_ok() && answer.await == Ok(true) {
            return Ok(());
        }
        let reason = match self.stop.borrow().clone() {
            Some(Stop::Lost(reason)) => reason,
            _ => "its log is closed".to_owned(),
        };
        Err(EngineError::job(&self.job, ErrorKind::Execution, reason))
    }

    /// What tells a task that it should stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<Option<Stop>> {
        self.stop.subscribe()
    }

    /// Makes the run stop, unless it does already.
    pub(crate) fn stop(&self, why: Stop) {
        stop(&self.stop, why);
    }
}

fn stop(sender: &watch::Sender<Option<Stop>>, why: Stop) {
    sender.send_if_modified(|now| match (&now, &why) {
        (None, _) | (Some(Stop::Cancelled(_) | Stop::Interrupted), Stop::Lost(_)) => {
            *now = Some(why.clone());
            true
        }
        _ => false,
    });
}

struct Task {
    taken: Taken,
    stop: watch::Sender<Option<Stop>>,
    renewed: Instant,
}

impl Task {
    async fn run(mut self, mut waiting: mpsc::Receiver<Message>) -> Taken {
        let mut looks = tokio::time::interval(LOOK.min(self.taken.lease / 3));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                received = waiting.recv_many(&mut batch, WAITING) => {
                    if received == 0 {
                        return self.taken;
                    }
                    self.write(std::mem::take(&mut batch)).await;
                }
                _tick = looks.tick() => self.look().await,
            }
        }
    }

    fn is_lost(&self) -> bool {
        matches!(*self.stop.borrow(), Some(Stop::Lost(_)))
    }

    async fn write(&mut self, batch: Vec<Message>) {
        let (events, answers): (Vec<Option<Event>>, Vec<oneshot::Sender<bool>>) =
            batch.into_iter().map(|message| (message.event, message.written)).unzip();
        let events: Vec<Event> = events.into_iter().flatten().collect();
        let done = match events.is_empty() {
            true => self.see().await,
            false => self.append(events).await,
        };
        if let Err(error) = done {
            stop(&self.stop, Stop::Lost(format!("its log cannot be written ({error})")));
        }
        let written = !self.is_lost();
        for answer in answers {
            // Who does not wait any more has been stopped.
            let _gone = answer.send(written);
        }
    }

    async fn append(&mut self, events: Vec<Event>) -> Result<()> {
        let token = self.taken.state.token();
        let entry = entry(token, events);
        while !self.is_lost() {
            match self.taken.log.append(self.taken.state.last, &entry).await? {
                Appended::Done => {
                    self.taken.state.apply(self.taken.state.last + 1, entry);
                    return Ok(());
                }
                Appended::Forestalled(other) => {
                    self.taken.state.apply(self.taken.state.last + 1, *other);
                    self.notice(token);
                }
            }
        }
        Ok(())
    }

    async fn see(&mut self) -> Result<()> {
        let token = self.taken.state.token();
        self.taken.log.catch_up(&mut self.taken.state).await?;
        self.notice(token);
        Ok(())
    }

    /// Stops the run if the log says so.
    fn notice(&self, token: u64) {
        let state = &self.taken.state;
        if state.token() != token {
            let by = state.lease.as_ref().map_or_else(String::new, |lease| {
                format!(" by process {} on {}", lease.runner.process, lease.runner.host)
            });
            stop(
                &self.stop,
                Stop::Lost(format!("it was taken over{by} after this runner had said nothing for too long")),
            );
        } else if let Some(by) = &state.cancel {
            stop(&self.stop, Stop::Cancelled(by.clone()));
        }
    }

    async fn look(&mut self) {
        if self.is_lost() {
            return;
        }
        let (token, lease) = (self.taken.state.token(), self.taken.lease);
        if let Err(error) = self.see().await {
            tracing::warn!(%error, "the job's log cannot be read");
        }
        if self.renewed.elapsed() >= lease / 3 {
            match renew(&self.taken.log, token, lease).await {
                Ok(()) => self.renewed = Instant::now(),
                Err(error) if self.renewed.elapsed() > lease => {
                    stop(&self.stop, Stop::Lost(format!("its lease cannot be renewed ({error})")));
                }
                Err(error) => tracing::warn!(%error, "the job's lease cannot be renewed"),
            }
        }
    }
}

impl Stop {
    /// How a run ends that stops for this.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Cancelled(_) => Outcome::Cancelled,
            Self::Interrupted => Outcome::Interrupted,
            Self::Lost(_) => Outcome::Failed,
        }
    }
}
