//! Ctrl-C, and SIGTERM, with which service managers stop a server.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Failure, Result};

pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on: a signal may come at any time.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub(crate) fn new() -> Result<Self> {
        let failed = |error: std::io::Error| Failure::failed(format!("cannot listen for signals: {error}"));
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(Self { interrupt, terminate })
    }

    /// The first signal, after which `what` is said; the second ends the process at once.
    pub(crate) async fn first(mut self, what: &'static str) {
        self.next().await;
        eprintln!("{what}; again to stop at once");
        tokio::spawn(async move {
            self.next().await;
            eprintln!("stopped");
            std::process::exit(i32::from(Failure::Interrupted.exit_code()));
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _interrupted = self.interrupt.recv() => {}
            _terminated = self.terminate.recv() => {}
        }
    }
}
