//! The threads on which queries are planned and run, apart from those that serve.
//!
//! A join may compute for minutes without a pause. On the threads that serve it would keep everyone from connecting, and
//! its own time limit and cancellation from being noticed; on those that plan and run small queries, whoever asks for a
//! page of figures would wait behind it. There are as many threads of each kind as cores, and the operating system shares
//! the cores among them: those that compute all the time are nicer than the others.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;
use tonic::Status;
use tracing::Instrument;

/// Deep expressions are computed by functions that call themselves.
const STACK: usize = 8 << 20;
/// Of large queries, in the operating system's numbers: about a tenth of the others' share where both want a core.
const NICE: i32 = 10;

/// One server's threads for queries.
#[derive(Debug, Clone)]
pub(crate) struct QueryThreads {
    /// What is planned, and what takes hundredths of a second.
    pub(crate) small: Workers,
    /// What may take long.
    pub(crate) large: Workers,
}

impl QueryThreads {
    pub(crate) fn start() -> io::Result<Self> {
        Ok(Self {
            small: Workers::start("tithe-small", || {})?,
            large: Workers::start("tithe-query", give_way)?,
        })
    }
}

/// Lets the other threads of the machine go first.
fn give_way() {
    // Of a thread, on Linux; elsewhere it would be of the process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "large queries run as small ones do");
    }
}

/// Threads for queries, as many as there are cores.
#[derive(Debug, Clone)]
pub(crate) struct Workers(Arc<Owned>);

#[derive(Debug)]
struct Owned(Option<Runtime>);

impl Workers {
    fn start(name: &str, each: fn()) -> io::Result<Self> {
        let mut threads = Builder::new_multi_thread();
        let threads = threads.enable_all().thread_name(name).thread_stack_size(STACK).on_thread_start(each);
        let runtime = threads.build()?;
        Ok(Self(Arc::new(Owned(Some(runtime)))))
    }

    /// Does `work` there. When the caller gives up, it is dropped as soon as it pauses.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Status>> + Send + 'static,
    ) -> Result<T, Status> {
        let Some(runtime) = &self.0.0 else { return Err(Status::unavailable("the server is stopping")) };
        let task = runtime.spawn(work.in_current_span());
        let _abort = AbortOnDrop(task.abort_handle());
        task.await.unwrap_or_else(|_panic| {
            Err(Status::internal("the query ended without a result: see the server's log"))
        })
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed where this may be dropped.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn work_without_pauses_keeps_nobody_waiting() {
        let workers = Workers::start("test", || {}).unwrap();
        let since = Instant::now();
        let busy = workers.run(async {
            std::thread::sleep(Duration::from_secs(2));
            Ok(())
        });
        assert!(timeout(Duration::from_millis(50), busy).await.is_err());
        assert!(since.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test]
    async fn what_is_small_waits_for_nothing_large() {
        let threads = QueryThreads::start().unwrap();
        let cores = std::thread::available_parallelism().unwrap().get();
        for _ in 0..cores {
            let large = threads.large.clone();
            tokio::spawn(async move {
                large
                    .run(async {
                        std::thread::sleep(Duration::from_secs(20));
                        Ok(())
                    })
                    .await
            });
        }
        tokio::task::yield_now().await;
        let since = Instant::now();
        threads.small.run(async { Ok(()) }).await.unwrap();
        assert!(since.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_ends_its_work() {
        let workers = Workers::start("test", || {}).unwrap();
        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        let work = workers.run(async move {
            let _held = held;
            std::future::pending::<Result<(), Status>>().await
        });
        assert!(timeout(Duration::from_millis(50), work).await.is_err());
        assert!(timeout(Duration::from_secs(5), dropped).await.unwrap().is_err());
    }
}
