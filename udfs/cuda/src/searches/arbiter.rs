//! Who may use the memory of a device.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::CudaError;

/// Hands out a device's memory to those who ask, in the order in which they ask: nobody is overtaken, however much they
/// want.
#[derive(Debug)]
pub struct Arbiter {
    budget: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    next: u64,
    /// Those who wait, first come first.
    waiting: VecDeque<u64>,
}

/// Bytes that nobody else has; given back when dropped.
#[derive(Debug)]
pub struct Reservation<'a> {
    arbiter: &'a Arbiter,
    bytes: usize,
}

impl Arbiter {
    /// Of `budget` bytes.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { budget, state: Mutex::default(), changed: Condvar::new() }
    }

    /// All there is to hand out.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// Waits for `bytes`.
    ///
    /// # Errors
    /// When they are more than there will ever be.
    pub fn reserve(&self, bytes: usize) -> Result<Reservation<'_>, CudaError> {
        if bytes > self.budget {
            return Err(CudaError::Budget { wanted: bytes, budget: self.budget });
        }
        let mut state = self.state();
        let ticket = state.next;
        state.next += 1;
        state.waiting.push_back(ticket);
        while state.waiting.front() != Some(&ticket) || state.taken + bytes > self.budget {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.pop_front();
        state.taken += bytes;
        drop(state);
        // There may be enough for the next one too.
        self.changed.notify_all();
        Ok(Reservation { arbiter: self, bytes })
    }

    /// Every change is complete before the lock is let go of, so that a thread that ended badly left nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.arbiter.state().taken -= self.bytes;
        self.arbiter.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// Waits until so many wait for `arbiter`.
    fn until_waiting(arbiter: &Arbiter, count: usize) {
        while arbiter.state().waiting.len() != count {
            thread::yield_now();
        }
    }

    #[test]
    fn never_more_than_the_budget_is_taken() {
        let arbiter = Arbiter::new(100);
        let (taken, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for thread in 0..8 {
                let (arbiter, taken, most) = (&arbiter, &taken, &most);
                scope.spawn(move || {
                    for round in 0..200 {
                        let bytes = 1 + (thread * 37 + round * 11) % 100;
                        let reserved = arbiter.reserve(bytes).expect("within the budget");
                        let now = taken.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        taken.fetch_sub(bytes, Ordering::SeqCst);
                        drop(reserved);
                    }
                });
            }
        });
        assert!((51..=100).contains(&most.into_inner()));
        assert_eq!(arbiter.state().taken, 0);
    }

    #[test]
    fn a_large_request_is_not_overtaken_by_small_ones() {
        let arbiter = Arbiter::new(10);
        let first = arbiter.reserve(6).expect("within the budget");
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for (place, bytes) in [(0, 10), (1, 1), (2, 1)] {
                let (arbiter, order) = (&arbiter, &order);
                scope.spawn(move || {
                    let reserved = arbiter.reserve(bytes).expect("within the budget");
                    order.lock().expect("no thread panics").push(place);
                    drop(reserved);
                });
                until_waiting(arbiter, place + 1);
            }
            assert!(order.lock().expect("no thread panics").is_empty());
            drop(first);
        });
        assert_eq!(order.into_inner().expect("no thread panics")[0], 0);
    }

    #[test]
    fn what_will_never_be_there_is_not_waited_for() {
        let refused = Arbiter::new(10).reserve(11).err();
        assert_eq!(refused, Some(CudaError::Budget { wanted: 11, budget: 10 }));
    }

    #[test]
    fn who_ends_badly_gives_back() {
        let arbiter = Arbiter::new(10);
        let ended = thread::scope(|scope| {
            let badly = scope.spawn(|| {
                let _reserved = arbiter.reserve(10);
                panic!("on purpose");
            });
            badly.join()
        });
        assert!(ended.is_err() && arbiter.reserve(10).is_ok());
    }
}
