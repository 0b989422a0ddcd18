//! What a caller does about an error.

use std::error::Error;
use std::io;

use datafusion::error::DataFusionError;

use crate::error::EngineError;

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

pub(super) fn of(error: &EngineError) -> ErrorKind {
    match error {
        EngineError::LakeNotFound { .. } | EngineError::Unknown { .. } => ErrorKind::NotFound,
        EngineError::LakeLocation { .. }
        | EngineError::StatementCount { .. }
        | EngineError::TooDeep { .. }
        | EngineError::Write { .. }
        | EngineError::Syntax { .. }
        | EngineError::OpenParameters { .. }
        | EngineError::Exists { .. }
        | EngineError::Rows { .. }
        | EngineError::Configuration { .. } => ErrorKind::Usage,
        EngineError::Limit { .. } => ErrorKind::Limit,
        EngineError::Job { kind, .. } => *kind,
        EngineError::Connection { .. } | EngineError::WorkerLost { .. } => ErrorKind::Connection,
        EngineError::ReadOnly { .. } | EngineError::NotAllowed { .. } => ErrorKind::NotAllowed,
        EngineError::Table { .. }
        | EngineError::File { .. }
        | EngineError::Line { .. }
        | EngineError::Audit { .. }
        | EngineError::Stale { .. }
        | EngineError::Defect { .. } => ErrorKind::Execution,
        EngineError::DataFusion(error) => of_datafusion(error),
    }
}

/// The first error in the chain of sources that says what to do; a wrapper says nothing.
fn of_datafusion(error: &DataFusionError) -> ErrorKind {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(kind) = told_by(current) {
            return kind;
        }
        next = current.source();
    }
    ErrorKind::Execution
}

fn told_by(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    if let Some(engine) = error.downcast_ref::<EngineError>() {
        return Some(of(engine));
    }
    if let Some(store) = error.downcast_ref::<object_store::Error>() {
        return told_by_store(store);
    }
    if let Some(io) = error.downcast_ref::<io::Error>() {
        return match io.kind() {
            io::ErrorKind::NotFound => Some(ErrorKind::NotFound),
            io::ErrorKind::PermissionDenied => Some(ErrorKind::NotAllowed),
            io::ErrorKind::StorageFull => Some(ErrorKind::Limit),
            _ => None,
        };
    }
    match error.downcast_ref::<DataFusionError>()? {
        DataFusionError::ResourcesExhausted(_) => Some(ErrorKind::Limit),
        DataFusionError::Plan(_)
        | DataFusionError::SQL(..)
        | DataFusionError::SchemaError(..)
        | DataFusionError::Configuration(_)
        | DataFusionError::NotImplemented(_) => Some(ErrorKind::Usage),
        DataFusionError::ExecutionJoin(join) if join.is_cancelled() => Some(ErrorKind::Cancelled),
        DataFusionError::Execution(_) | DataFusionError::Internal(_) => Some(ErrorKind::Execution),
        _ => None,
    }
}

fn told_by_store(error: &object_store::Error) -> Option<ErrorKind> {
    match error {
        object_store::Error::NotFound { .. } => Some(ErrorKind::NotFound),
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            Some(ErrorKind::NotAllowed)
        }
        object_store::Error::Generic { store, .. } if *store != "LocalFileSystem" => {
            Some(ErrorKind::Connection)
        }
        _ => None,
    }
}
