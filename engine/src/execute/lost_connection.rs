//! Tells a connection that broke from a query that failed.

use std::error::Error;

use datafusion::common::DataFusionError;
use tonic::Status;

use crate::error::{innermost, plain};

/// How a status of gRPC begins when it is written: what one worker says of its connection to another comes as text.
const STATUS: &str = "code: '";
/// What stands before its message.
const MESSAGE: &str = "message: \"";
/// What a worker says whose plan has not come: the connection by which it was sent has broken.
const WITHOUT_PLAN: &str = "Worker::execute_task timed-out while waiting for the plan";

/// Whether `error` was not found in the query by a worker, but says that one could not be heard to its end, by this node or
/// by another worker.
pub(super) fn is_lost_connection(error: &DataFusionError) -> bool {
    match last(error) {
        Last::Status(_) => true,
        Last::Text(said) => said.starts_with(STATUS) || said.starts_with(WITHOUT_PLAN),
    }
}

/// What became of the connection, in a few words; what `error` says, where it is of something else.
pub(super) fn connection_reason(error: &DataFusionError) -> String {
    match last(error) {
        Last::Status(status) if status.source().is_some() => innermost(status),
        Last::Status(status) => status.message().to_owned(),
        Last::Text(said) if said.starts_with(WITHOUT_PLAN) => "its part of the query did not come".to_owned(),
        Last::Text(said) if said.starts_with(STATUS) => {
            let message = said.split_once(MESSAGE).and_then(|(_code, rest)| rest.split_once('"'));
            message.map_or_else(|| "the connection broke".to_owned(), |(message, _source)| message.to_owned())
        }
        Last::Text(_) => plain(error),
    }
}

/// The end of a chain of errors.
enum Last<'a> {
    Status(&'a Status),
    Text(String),
}

fn last(error: &DataFusionError) -> Last<'_> {
    let mut current: &(dyn Error + 'static) = error;
    loop {
        if let Some(status) = current.downcast_ref::<Status>() {
            return Last::Status(status);
        }
        let Some(source) = current.source() else { break };
        current = source;
    }
    let said = current.to_string();
    // DataFusion writes the kind of an error before what it says.
    let said = said.strip_prefix("Execution error: ").unwrap_or(&said);
    Last::Text(said.strip_prefix("External error: ").unwrap_or(said).to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::common::{exec_datafusion_err, plan_datafusion_err};

    use super::*;

    #[test]
    fn a_broken_connection_is_told_wherever_it_was_noticed() {
        let status = Status::unavailable("tcp connect error");
        let here = DataFusionError::External(Box::new(status.clone()));
        let relayed = DataFusionError::External(status.to_string().into());
        let waited = exec_datafusion_err!("{WITHOUT_PLAN} to be set by the coordinator. (timed out)");
        for error in [here, relayed, waited] {
            assert!(is_lost_connection(&error), "{error}");
            let reason = connection_reason(&error);
            assert!(
                ["tcp connect error", "its part of the query did not come"].contains(&reason.as_str()),
                "{reason}"
            );
            let within = DataFusionError::Shared(Arc::new(error)).context("a stage");
            assert!(is_lost_connection(&within), "{within}");
        }
        let of_the_query = [
            exec_datafusion_err!("Cannot cast string '{STATUS}' to a number"),
            plan_datafusion_err!("no table {WITHOUT_PLAN}"),
            DataFusionError::External("disk full".into()),
        ];
        for error in of_the_query {
            assert!(!is_lost_connection(&error), "{error}");
        }
    }
}
