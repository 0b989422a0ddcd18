//! The engine's errors: one sentence each, with what, where and what to do.

use datafusion::error::DataFusionError;

/// Result with [`EngineError`].
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// What a caller does about an error: the CLI's exit code and the server's gRPC status follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong: options, configuration, SQL text.
    Usage,
    /// A named thing does not exist.
    NotFound,
    /// The store or server cannot be reached.
    Connection,
    /// The principal may not do this.
    NotAllowed,
    /// A limit of time, memory or queue.
    Limit,
    /// The caller cancelled.
    Cancelled,
    /// The query failed while it ran.
    Execution,
}

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The lake does not exist.
    #[error(
        "the lake {location} does not exist: create it with `tithe gen --out {location}`, or name another with --lake"
    )]
    LakeNotFound {
        /// As the user gave it.
        location: String,
    },
    /// The lake's location cannot be understood or is not supported.
    #[error("cannot use {location:?} as a lake: {reason}")]
    LakeLocation {
        /// As the user gave it.
        location: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Not exactly one statement.
    #[error("expected one SQL statement, found {found}")]
    StatementCount {
        /// How many there were.
        found: usize,
    },
    /// Everything DataFusion reports.
    #[error("{0}")]
    DataFusion(#[from] DataFusionError),
}

impl EngineError {
    /// What a caller does about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::LakeNotFound { .. } => ErrorKind::NotFound,
            Self::LakeLocation { .. } | Self::StatementCount { .. } => ErrorKind::Usage,
            Self::DataFusion(error) => match error.find_root() {
                DataFusionError::ResourcesExhausted(_) => ErrorKind::Limit,
                DataFusionError::Plan(_) | DataFusionError::SQL(..) | DataFusionError::SchemaError(..) => {
                    ErrorKind::Usage
                }
                _ => ErrorKind::Execution,
            },
        }
    }
}
