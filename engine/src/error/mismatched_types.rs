//! Mistakes of the statement that DataFusion reports as defects of its own.

use datafusion::error::DataFusionError;

/// `error` as an error of the statement, where it is one that DataFusion 55.2 calls internal: types that do not go
/// together.
pub(super) fn as_mistake(error: DataFusionError) -> DataFusionError {
    match &error {
        DataFusionError::Internal(message) => match mistake(message) {
            Some(told) => DataFusionError::Plan(told),
            None => error,
        },
        _ => error,
    }
}

fn mistake(message: &str) -> Option<String> {
    if let Some((_, rest)) = message.split_once("Failed to coerce types ")
        && let Some((types, _)) = rest.split_once(" in BETWEEN expression")
    {
        return Some(format!("BETWEEN cannot compare {types}; cast its three values to one type"));
    }
    if let Some((_, rest)) = message.split_once("Cannot run range queries on datatype: ") {
        let kind = rest.lines().next().unwrap_or(rest).trim_end_matches('.');
        return Some(format!(
            "a window with RANGE cannot be ordered by {kind}; order it by a number, text, date or time, or write ROWS"
        ));
    }
    // Told by `plain`, which knows the names of the types.
    message.contains(" failed to match any signature").then(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::error::{EngineError, ErrorKind};

    use super::*;

    #[test]
    fn what_the_statement_does_wrong_is_no_defect() {
        let check = |message: &str, expected: &str| {
            let error =
                EngineError::from(DataFusionError::Internal(message.to_owned()).context("type_coercion"));
            assert_eq!((error.to_string().as_str(), error.kind()), (expected, ErrorKind::Usage));
        };
        check(
            "Failed to coerce types Int64 and Date32 in BETWEEN expression",
            "BETWEEN cannot compare Int64 and Date32; cast its three values to one type",
        );
        check(
            "Function 'f' failed to match any signature, errors: Error during planning: Function 'f' requires String, \
             but received Int64 (DataType: Int64).",
            "function f takes String, not Int64; cast the argument",
        );
    }

    #[test]
    fn a_defect_stays_one() {
        let error = EngineError::from(DataFusionError::Internal("Failed to coerce".to_owned()));
        assert_eq!(error.kind(), ErrorKind::Execution);
        assert!(error.to_string().contains("this is a defect"), "{error}");
    }
}
