//! Ctrl-C ends the work at hand, and only that.

use std::future::Future;

use crate::failure::{Failure, Result};

/// Runs `work` until it is done or the user interrupts; what is dropped is cancelled.
pub(crate) async fn or_interrupt<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        _signal = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        result = work => result,
    }
}
