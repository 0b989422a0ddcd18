//! How many queries run at once, how long each may take, and how long its text may be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tithe_engine::Principal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

/// The limits of one server.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) query_timeout: Option<Duration>,
    statement_bytes: usize,
    concurrent: usize,
    running: Arc<Semaphore>,
    longest_queue: usize,
    queue_timeout: Duration,
    waiting: AtomicUsize,
    per_user: usize,
    /// Places of those who have a query that runs or waits.
    users: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place among the running queries, and among the user's; dropping it lets the next one in.
#[derive(Debug)]
#[expect(dead_code, reason = "held for their drop")]
pub(crate) struct Permit {
    of_all: OwnedSemaphorePermit,
    of_user: OwnedSemaphorePermit,
}

impl Limits {
    pub(crate) fn new(options: &crate::ServeOptions) -> Self {
        let concurrent = options.max_concurrent_queries.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            query_timeout: options.query_timeout,
            statement_bytes: options.max_statement_bytes,
            concurrent,
            running: Arc::new(Semaphore::new(concurrent)),
            longest_queue: options.max_queued_queries,
            queue_timeout: options.queue_timeout,
            waiting: AtomicUsize::new(0),
            per_user: options.max_queries_per_user.clamp(1, Semaphore::MAX_PERMITS),
            users: Mutex::default(),
        }
    }

    /// How many queries run.
    pub(crate) fn running(&self) -> usize {
        self.concurrent.saturating_sub(self.running.available_permits())
    }

    /// How many wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Refuses a statement that is too long to be planned.
    pub(crate) fn check_statement(&self, sql: &str) -> Result<(), Status> {
        if sql.len() <= self.statement_bytes {
            return Ok(());
        }
        Err(Status::resource_exhausted(format!(
            "the statement has {} bytes, and max_statement_bytes allows {}: shorten it",
            sql.len(),
            self.statement_bytes
        )))
    }

    /// Runs `work`, which is bounded like a query but takes no place among the running ones.
    pub(crate) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        match self.query_timeout {
            Some(limit) => {
                tokio::time::timeout(limit, work).await.unwrap_or_else(|_elapsed| Err(timed_out(Some(limit))))
            }
            None => work.await,
        }
    }

    /// Waits until a query of `principal` may run: first for one of the user's own places, so that one user's queries
    /// wait for each other and not everybody for them, then for one of all; first come first served in both.
    pub(crate) async fn admit(&self, principal: &Principal) -> Result<Permit, Status> {
        let own = self.places_of(&principal.name);
        if let Ok(of_user) = Arc::clone(&own).try_acquire_owned()
            && let Ok(of_all) = Arc::clone(&self.running).try_acquire_owned()
        {
            return Ok(Permit { of_all, of_user });
        }
        let full = |which: String, why: String| {
            Status::resource_exhausted(format!("{which} are running and {why}: try again later"))
        };
        let everybody = || format!("max_concurrent_queries ({})", self.concurrent);
        let _place = Place::take(&self.waiting, self.longest_queue).ok_or_else(|| {
            full(everybody(), format!("max_queued_queries ({}) are waiting", self.longest_queue))
        })?;
        let elapsed = |which: String| {
            full(which, format!("none ended within queue_timeout ({} s)", self.queue_timeout.as_secs()))
        };
        let until = tokio::time::Instant::now() + self.queue_timeout;
        let of_user = match tokio::time::timeout_at(until, own.acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(stopping()),
            Err(_elapsed) => {
                return Err(elapsed(format!("your max_queries_per_user ({})", self.per_user)));
            }
        };
        match tokio::time::timeout_at(until, Arc::clone(&self.running).acquire_owned()).await {
            Ok(Ok(of_all)) => Ok(Permit { of_all, of_user }),
            Ok(Err(_closed)) => Err(stopping()),
            Err(_elapsed) => Err(elapsed(everybody())),
        }
    }

    fn places_of(&self, user: &str) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has no query that runs or waits is forgotten.
        users.retain(|_, places| Arc::strong_count(places) > 1 || places.available_permits() < self.per_user);
        let places = users.entry(user.to_owned());
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(self.per_user))))
    }
}

fn stopping() -> Status {
    Status::unavailable("the server is stopping")
}

/// What a client reads that ran into the time limit.
pub(crate) fn timed_out(timeout: Option<Duration>) -> Status {
    let seconds = timeout.unwrap_or_default().as_secs_f64();
    Status::deadline_exceeded(format!(
        "the query took longer than query_timeout ({seconds} s): narrow it, or ask the operator to raise the limit"
    ))
}

/// One of those who wait; counted until it is dropped, also when the client goes away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, longest: usize) -> Option<Self> {
        let joined =
            waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < longest).then(|| now + 1));
        // Not `then_some`: a place that was made and not taken would be given back all the same.
        joined.is_ok().then(|| Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServeOptions;

    fn limits(concurrent: usize, queued: usize) -> Limits {
        let mut options = ServeOptions::new(([127, 0, 0, 1], 0).into());
        options.max_concurrent_queries = concurrent;
        options.max_queued_queries = queued;
        options.queue_timeout = Duration::from_millis(50);
        options.max_statement_bytes = 10;
        Limits::new(&options)
    }

    async fn admit(limits: &Limits) -> Result<Permit, Status> {
        limits.admit(&Principal::local()).await
    }

    #[tokio::test]
    async fn a_full_server_says_which_limit() {
        let limits = limits(1, 1);
        let first = admit(&limits).await.unwrap();
        let waited = admit(&limits).await.unwrap_err();
        assert!(waited.message().contains("queue_timeout"), "{waited}");
        let (queued, refused) = tokio::join!(admit(&limits), async {
            tokio::task::yield_now().await;
            admit(&limits).await
        });
        assert!(queued.is_err());
        assert!(refused.unwrap_err().message().contains("max_queued_queries (1)"));
        // Whoever was refused gave nothing back, and whoever waited did: the next may wait again.
        assert_eq!(limits.waiting(), 0);
        let again = admit(&limits).await.unwrap_err();
        assert!(again.message().contains("queue_timeout"), "{again}");
        drop(first);
        admit(&limits).await.unwrap();
    }

    #[tokio::test]
    async fn one_user_does_not_take_the_places_of_others() {
        let mut limits = limits(3, 9);
        limits.per_user = 2;
        let (lin, wang) = (Principal::from("lin"), Principal::from("wang"));
        let first = limits.admit(&lin).await.unwrap();
        let _second = limits.admit(&lin).await.unwrap();
        let refused = limits.admit(&lin).await.unwrap_err();
        assert!(refused.message().starts_with("your max_queries_per_user (2) are running"), "{refused}");
        let _other = limits.admit(&wang).await.unwrap();
        let everybody = limits.admit(&wang).await.unwrap_err();
        assert!(everybody.message().starts_with("max_concurrent_queries (3) are running"), "{everybody}");
        let (third, ()) = tokio::join!(limits.admit(&lin), async { drop(first) });
        drop(third.unwrap());
        assert_eq!(limits.users.lock().unwrap().len(), 2);
        drop((_second, _other));
        limits.admit(&lin).await.unwrap();
        assert_eq!(limits.users.lock().unwrap().len(), 1);
        assert_eq!((limits.running(), limits.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn the_next_comes_in_when_one_ends() {
        let limits = limits(1, 1);
        let first = admit(&limits).await.unwrap();
        let (second, ()) = tokio::join!(admit(&limits), async { drop(first) });
        second.unwrap();
    }

    #[test]
    fn a_long_statement_is_refused() {
        let limits = limits(1, 1);
        limits.check_statement("SELECT 1").unwrap();
        let error = limits.check_statement("SELECT 1, 2, 3").unwrap_err();
        assert!(error.message().contains("max_statement_bytes allows 10"), "{error}");
    }
}
