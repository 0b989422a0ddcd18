//! `DoPut`: everything that would write, which this server refuses.

use arrow_flight::FlightData;
use arrow_flight::sql::Command;
use tonic::{Status, Streaming};

use super::dispatch::{read, unsupported};
use super::read_only;

/// Why what the client wants to send is refused.
pub(crate) async fn put(mut messages: Streaming<FlightData>) -> Status {
    let command = match messages.message().await {
        Ok(Some(first)) => first.flight_descriptor.map(|descriptor| read(&descriptor.cmd)),
        Ok(None) => None,
        Err(status) => return status,
    };
    match command {
        Some(Ok(command)) => refusal(&command),
        Some(Err(status)) => status,
        None => Status::invalid_argument(
            "the upload does not say what it is: its first message has no descriptor",
        ),
    }
}

fn refusal(command: &Command) -> Status {
    match command {
        Command::CommandStatementUpdate(update) => {
            read_only::refused(update.query.split_whitespace().next().unwrap_or("an update"))
        }
        Command::CommandPreparedStatementUpdate(_) => read_only::refused("an update"),
        Command::CommandStatementIngest(ingest) => {
            read_only::refused(&format!("loading rows into {}", ingest.table))
        }
        Command::CommandPreparedStatementQuery(_) => Status::invalid_argument(
            "this server does not bind parameters yet: write the values into the SQL",
        ),
        other => unsupported(other),
    }
}
