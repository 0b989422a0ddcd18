//! Threads of their own for what must not wait for queries, and for queries that must not be waited for.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Deep expressions are computed by functions that call themselves.
const STACK: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Threads {
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Threads {
    /// `count` threads, or as many as there are cores.
    pub(super) fn start(name: &str, count: Option<usize>) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        if let Some(count) = count {
            builder.worker_threads(count);
        }
        let runtime = builder.enable_all().thread_name(name).thread_stack_size(STACK).build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed where this may be dropped.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
