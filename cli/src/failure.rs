//! What can end a command, and the exit code that tells it.

use tithe_engine::{EngineError, ErrorKind};

/// Result with [`Failure`].
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ended before it was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The query or job failed.
    #[error("{0}")]
    Failed(String),
    /// Wrong use or configuration.
    #[error("{0}")]
    Usage(String),
    /// Something could not be reached.
    #[error("{0}")]
    Connection(String),
    /// Something is not allowed.
    #[error("{0}")]
    NotAllowed(String),
    /// A limit of time, memory or queue.
    #[error("{0}")]
    Limit(String),
    /// The user interrupted.
    #[error("interrupted")]
    Interrupted,
    /// Nobody reads standard output any more, as under `head`: nothing is wrong.
    #[error("nobody reads the output any more")]
    ReaderGone,
}

impl Failure {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// An error of a statement: whatever is wrong with it, it is the query that failed.
    pub(crate) fn of_statement(error: &EngineError) -> Self {
        let message = error.to_string();
        match error.kind() {
            ErrorKind::Usage | ErrorKind::NotFound | ErrorKind::Execution => Self::Failed(message),
            ErrorKind::Connection => Self::Connection(message),
            ErrorKind::NotAllowed => Self::NotAllowed(message),
            ErrorKind::Limit => Self::Limit(message),
            ErrorKind::Cancelled => Self::Interrupted,
        }
    }

    /// An error of opening the engine: a lake or setting that does not exist is wrong use.
    pub(crate) fn of_opening(error: &EngineError) -> Self {
        match error.kind() {
            ErrorKind::Usage | ErrorKind::NotFound => Self::Usage(error.to_string()),
            _ => Self::of_statement(error),
        }
    }

    /// Says which of several statements failed.
    pub(crate) fn in_statement(self, number: usize, of: usize) -> Self {
        match of {
            1 => self,
            _ => self.within(&format!("statement {number} of {of}")),
        }
    }

    /// Says what failed, before why.
    pub(crate) fn within(self, what: &str) -> Self {
        let prefix = |message: String| format!("{what}: {message}");
        match self {
            Self::Failed(message) => Self::Failed(prefix(message)),
            Self::Connection(message) => Self::Connection(prefix(message)),
            Self::NotAllowed(message) => Self::NotAllowed(prefix(message)),
            Self::Limit(message) => Self::Limit(prefix(message)),
            Self::Usage(message) => Self::Usage(prefix(message)),
            Self::Interrupted | Self::ReaderGone => self,
        }
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::ReaderGone => 0,
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Connection(_) => 3,
            Self::NotAllowed(_) => 4,
            Self::Limit(_) => 5,
            Self::Interrupted => 130,
        }
    }
}
