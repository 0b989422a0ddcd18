//! DataFusion's messages as one sentence: no prefixes, no backtraces.

use std::error::Error;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;

use crate::error::EngineError;

/// What DataFusion, Arrow and Parquet put before the sentence that matters.
const PREFIXES: [&str; 24] = [
    "DataFusion error: ",
    "Error during planning: ",
    "Execution error: ",
    "Arrow error: ",
    "Parquet error: ",
    "Parquet argument error: ",
    "External error: ",
    "External: ",
    "Schema error: ",
    "SQL error: ",
    "sql parser error: ",
    "Invalid or Unsupported Configuration: ",
    "Object Store error: ",
    "IO error: ",
    "Io error: ",
    "Compute error: ",
    "Cast error: ",
    "Parser error: ",
    "Internal error: ",
    "Error: ",
    "Json error: ",
    "Invalid argument error: ",
    "Resources exhausted: ",
    "type_coercion\ncaused by\n",
];

/// The message of `error` without the names of the layers that it came through.
pub(crate) fn plain(error: &DataFusionError) -> String {
    if let Some(engine) = engine_error(error) {
        return engine.to_string();
    }
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => plain(inner),
        DataFusionError::Shared(inner) => plain(inner),
        DataFusionError::Collection(errors) => errors.first().map_or_else(String::new, plain),
        DataFusionError::External(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => plain(inner),
            None => sentence(&inner.to_string()),
        },
        DataFusionError::ArrowError(inner, _) => arrow(inner),
        DataFusionError::IoError(error) if is_full(error) => full(error),
        DataFusionError::ParquetError(inner) => sentence(&inner.to_string()),
        DataFusionError::SQL(inner, _) => sentence(&inner.to_string()),
        DataFusionError::NotImplemented(message) => not_supported(&sentence(message)),
        DataFusionError::ResourcesExhausted(message) => format!(
            "the query needs more memory or disk than its limit: {}; ask for less at once, or raise the limit with --memory or `limits.memory` in tithe.toml",
            sentence(message)
        ),
        DataFusionError::ExecutionJoin(join) if join.is_cancelled() => "the query was cancelled".to_owned(),
        DataFusionError::ExecutionJoin(_) => {
            "a part of the query stopped unexpectedly: this is a defect, please report it with the query"
                .to_owned()
        }
        DataFusionError::Internal(message) => format!(
            "{}: this is a defect, please report it with the query",
            sentence(message).trim_end_matches('.')
        ),
        DataFusionError::ObjectStore(inner) => {
            let said = innermost(inner.as_ref());
            match inner.as_ref() {
                object_store::Error::NotFound { path, .. } => format!("the file {path} does not exist"),
                _ => format!("the store failed: {}", sentence(&said)),
            }
        }
        other => sentence(&other.message()),
    }
}

fn not_supported(message: &str) -> String {
    let says_so = ["not supported", "nsupported", "not implemented", "not yet"];
    match says_so.iter().any(|words| message.contains(words)) {
        true => message.to_owned(),
        false => format!("{message} is not supported"),
    }
}

fn arrow(error: &ArrowError) -> String {
    match error {
        ArrowError::DivideByZero => "division by zero".to_owned(),
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => plain(inner),
            None => sentence(&inner.to_string()),
        },
        ArrowError::IoError(_, error) if is_full(error) => full(error),
        other => sentence(&other.to_string()),
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

fn full(error: &std::io::Error) -> String {
    format!(
        "a disk has no room for a file of the query ({error}): free space on it, let TMPDIR name a larger one for what does not fit into memory, or ask for less at once"
    )
}

/// What the last error in the chain of sources says: the network's or the system's own words.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn engine_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a EngineError> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<EngineError>() {
            return Some(found);
        }
        next = current.source();
    }
    None
}

fn sentence(message: &str) -> String {
    let message = message.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or(message);
    let message = message.split("\nThis issue was likely caused by a bug").next().unwrap_or(message);
    let mut rest = message.trim();
    while let Some(shorter) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = shorter.trim_start();
    }
    if let Some(told) = wrong_argument(rest) {
        return told;
    }
    let first_is_plain_word = rest.chars().nth(1).is_some_and(char::is_lowercase);
    let mut characters = rest.chars();
    match characters.next() {
        Some(first) if first_is_plain_word => first.to_lowercase().chain(characters).collect(),
        _ => rest.to_owned(),
    }
}

/// DataFusion lists every signature that did not match, each with its own prefix.
fn wrong_argument(message: &str) -> Option<String> {
    let (function, details) = message.split_once(" failed to match any signature")?;
    let name = function.split('\'').nth(1)?;
    let mut wanted: Vec<&str> = Vec::new();
    for detail in details.split(" requires ").skip(1) {
        let kind = detail.split(", but received ").next()?;
        if !wanted.contains(&kind) {
            wanted.push(kind);
        }
    }
    let received = details.split(", but received ").nth(1)?.split(" (DataType").next()?;
    let (last, before) = wanted.split_last()?;
    let list = match before.is_empty() {
        true => (*last).to_owned(),
        false => format!("{} or {last}", before.join(", ")),
    };
    Some(format!("function {name} takes {list}, not {received}; cast the argument"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_stripped() {
        let check = |error: DataFusionError, expected: &str| {
            let message = EngineError::from(error).to_string();
            assert_eq!(message, expected);
        };
        check(
            DataFusionError::Plan("Error during planning: Cannot coerce".to_owned()).context("type_coercion"),
            "cannot coerce",
        );
        check(
            DataFusionError::External(Box::new(DataFusionError::Execution("UPPER stays".to_owned()))),
            "UPPER stays",
        );
        check(
            DataFusionError::ArrowError(
                Box::new(ArrowError::DivideByZero),
                Some("\n\nbacktrace: x".to_owned()),
            ),
            "division by zero",
        );
        check(DataFusionError::Execution(format!("bad{}secret", DataFusionError::BACK_TRACE_SEP)), "bad");
        check(
            DataFusionError::from(EngineError::StatementCount { found: 2 }).context("somewhere"),
            "expected one SQL statement, found 2",
        );
        check(
            DataFusionError::Internal(
                "Oops.\nThis issue was likely caused by a bug in DataFusion's code.".to_owned(),
            ),
            "oops: this is a defect, please report it with the query",
        );
    }
}
