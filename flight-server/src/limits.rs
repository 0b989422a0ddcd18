//! How many queries run at once, how long each may take, and how long its text may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

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
}

/// A place among the running queries; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Permit(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

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

    /// Waits, first come first served, until the query may run.
    pub(crate) async fn admit(&self) -> Result<Permit, Status> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(Permit(permit));
        }
        let full = |why: String| {
            Status::resource_exhausted(format!(
                "max_concurrent_queries ({}) are running and {why}: try again later",
                self.concurrent
            ))
        };
        let _place = Place::take(&self.waiting, self.longest_queue)
            .ok_or_else(|| full(format!("max_queued_queries ({}) are waiting", self.longest_queue)))?;
        match tokio::time::timeout(self.queue_timeout, Arc::clone(&self.running).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Permit(permit)),
            Ok(Err(_closed)) => Err(Status::unavailable("the server is stopping")),
            Err(_elapsed) => {
                Err(full(format!("none ended within queue_timeout ({} s)", self.queue_timeout.as_secs())))
            }
        }
    }
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
        joined.is_ok().then_some(Self(waiting))
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

    #[tokio::test]
    async fn a_full_server_says_which_limit() {
        let limits = limits(1, 1);
        let first = limits.admit().await.unwrap();
        let waited = limits.admit().await.unwrap_err();
        assert!(waited.message().contains("queue_timeout"), "{waited}");
        let (queued, refused) = tokio::join!(limits.admit(), async {
            tokio::task::yield_now().await;
            limits.admit().await
        });
        assert!(queued.is_err());
        assert!(refused.unwrap_err().message().contains("max_queued_queries (1)"));
        drop(first);
        limits.admit().await.unwrap();
    }

    #[tokio::test]
    async fn the_next_comes_in_when_one_ends() {
        let limits = limits(1, 1);
        let first = limits.admit().await.unwrap();
        let (second, ()) = tokio::join!(limits.admit(), async { drop(first) });
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
