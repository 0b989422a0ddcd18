//! Ctrl-C ends the work at hand, and only that.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::defect;
use crate::failure::{Failure, Result};

/// Runs `work` until it is done or the user interrupts; what is dropped is cancelled.
pub(crate) async fn or_interrupt<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        _signal = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        // A defect ends the work at hand too, and not the shell.
        result = AssertUnwindSafe(work).catch_unwind() => result.unwrap_or_else(|_panic| Err(defect::failure())),
    }
}
