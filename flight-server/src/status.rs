//! Errors of the engine and of Arrow to gRPC statuses with one sentence.

use std::borrow::Cow;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use tithe_engine::{EngineError, ErrorKind};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Status};
use uuid::Uuid;

/// Among the details of an error.
const QUERY_ID: &str = "tithe-query-id";

/// gRPC-Java allows 8 KiB for all headers, and a status message of Chinese text is percent-encoded ninefold.
const LONGEST_MESSAGE: usize = 700;

/// Of a name or word that a client sent.
const LONGEST_EXCERPT: usize = 80;

/// The status for an error of the engine: its kind gives the code, its text the message.
pub(crate) fn from_engine(error: &EngineError) -> Status {
    let text = match error {
        // Without the excerpt: its caret points nowhere in a single line.
        EngineError::Syntax { line, column, reason, .. } => {
            format!("syntax error at line {line}, column {column}: {reason}")
        }
        other => other.to_string(),
    };
    let code = match error {
        EngineError::Stale { .. } => Code::FailedPrecondition,
        EngineError::Exists { .. } => Code::AlreadyExists,
        other => code(other.kind()),
    };
    Status::new(code, sentence(&text))
}

/// The status for an error that a running query reports.
pub(crate) fn from_execution(error: DataFusionError) -> Status {
    from_engine(&EngineError::from(error))
}

/// The status for a batch that cannot be brought into the form that goes over the wire.
pub(crate) fn from_arrow(error: &ArrowError) -> Status {
    Status::internal(sentence(&format!("a result cannot be sent as Arrow data: {error}")))
}

/// `status` with the id of its query, under which the server's log and audit have it.
pub(crate) fn of_query(mut status: Status, id: Uuid) -> Status {
    if let Ok(id) = AsciiMetadataValue::try_from(id.to_string()) {
        status.metadata_mut().insert(QUERY_ID, id);
    }
    status
}

/// The beginning of what a client sent, short enough for a message.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_EXCERPT) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Usage => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Connection => Code::Unavailable,
        ErrorKind::NotAllowed => Code::PermissionDenied,
        ErrorKind::Limit => Code::ResourceExhausted,
        ErrorKind::Cancelled => Code::Cancelled,
        ErrorKind::Execution => Code::Internal,
    }
}

/// `text` as one short line.
pub(crate) fn sentence(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST_MESSAGE) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(sentence("no table\n  nowhere\r\n"), "no table nowhere");
        let long = sentence(&"稅".repeat(5_000));
        assert_eq!(long.chars().count(), LONGEST_MESSAGE + 1);
        assert!(long.ends_with("稅…"));
    }

    #[test]
    fn what_a_client_sent_is_shortened() {
        assert_eq!(excerpt("INSERT"), "INSERT");
        assert_eq!(excerpt(&"稅".repeat(100_000)), format!("{}…", "稅".repeat(LONGEST_EXCERPT)));
    }

    #[test]
    fn the_kind_gives_the_code() {
        let plan = EngineError::from(DataFusionError::Plan("no such table".to_owned()));
        assert_eq!(from_engine(&plan).code(), Code::InvalidArgument);
        let memory = DataFusionError::ResourcesExhausted("pool is empty".to_owned());
        assert_eq!(from_execution(memory).code(), Code::ResourceExhausted);
    }
}
