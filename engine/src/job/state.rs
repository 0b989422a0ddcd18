//! What the entries of a log come to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::job::record::{DoneRecord, Entry, Event, FailedRecord, FileRecord, Outcome, Plan, Runner};
use crate::job::value::Partition;

/// Where a job stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// The number of the last entry; 0 for a job that has none.
    pub(crate) last: u64,
    pub(crate) lease: Option<Lease>,
    pub(crate) plan: Option<Plan>,
    pub(crate) intents: BTreeMap<Partition, FileRecord>,
    pub(crate) done: BTreeMap<Partition, DoneRecord>,
    pub(crate) failed: BTreeMap<Partition, FailedRecord>,
    /// Files of plans before this one that are in its way, or are left over.
    pub(crate) former: BTreeMap<Partition, FileRecord>,
    /// Who asked the present runner to stop.
    pub(crate) cancel: Option<String>,
    pub(crate) began: Option<DateTime<Utc>>,
    pub(crate) changed: Option<DateTime<Utc>>,
}

/// The lease that was taken last.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) token: u64,
    pub(crate) runner: Runner,
    pub(crate) milliseconds: u64,
    pub(crate) taken: DateTime<Utc>,
    /// How its runner ended, once it has.
    pub(crate) outcome: Option<Outcome>,
}

impl State {
    /// Takes in the entry with the next number.
    pub(crate) fn apply(&mut self, number: u64, entry: Entry) {
        self.last = number;
        self.began.get_or_insert(entry.at);
        self.changed = Some(entry.at);
        let holds = entry.token == self.token();
        for event in entry.events {
            match event {
                Event::Lease { runner, milliseconds } => {
                    let taken = entry.at;
                    self.lease = Some(Lease { token: number, runner, milliseconds, taken, outcome: None });
                    self.cancel = None;
                }
                Event::Cancel { by } => self.cancel = Some(by),
                // Nothing counts that was written under a lease which had been lost.
                other if holds => self.work(other, entry.at),
                _ => {}
            }
        }
    }

    fn work(&mut self, event: Event, at: DateTime<Utc>) {
        match event {
            Event::Lease { .. } | Event::Cancel { .. } => {}
            Event::Plan(plan) => {
                let written = std::mem::take(&mut self.done).into_iter().map(|(key, done)| (key, done.file));
                let intended = std::mem::take(&mut self.intents);
                self.former.extend(written.chain(intended));
                self.failed.clear();
                self.plan = Some(*plan);
            }
            Event::Intent { partition, file } => drop(self.intents.insert(partition, file)),
            Event::Done { partition, seconds, attempts } => {
                if let Some(file) = self.intents.remove(&partition) {
                    self.failed.remove(&partition);
                    self.former.remove(&partition);
                    let done = DoneRecord { partition: partition.clone(), file, seconds, attempts, at };
                    self.done.insert(partition, done);
                }
            }
            Event::Failed { partition, attempts, reason } => {
                self.failed.insert(partition.clone(), FailedRecord { partition, attempts, reason });
            }
            Event::End { outcome } => {
                if let Some(lease) = &mut self.lease {
                    lease.outcome = Some(outcome);
                }
            }
        }
    }

    /// The token of the lease that was taken last; 0 before the first.
    pub(crate) fn token(&self) -> u64 {
        self.lease.as_ref().map_or(0, |lease| lease.token)
    }
}
