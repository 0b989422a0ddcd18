//! `DoPut`: values for a prepared statement; everything that would write is refused.

use arrow_flight::FlightData;
use arrow_flight::PutResult;
use arrow_flight::sql::{Command, DoPutPreparedStatementResult};
use prost::Message;
use tonic::{Status, Streaming};

use super::dispatch::{read, unsupported};
use super::{prepared, read_only};
use crate::service::{Caller, FlightSql};

/// Takes what the client sends.
pub(crate) async fn put(
    server: &FlightSql,
    caller: &Caller,
    mut messages: Streaming<FlightData>,
) -> Result<PutResult, Status> {
    let unnamed = || {
        Status::invalid_argument("the upload does not say what it is: its first message has no descriptor")
    };
    let first = messages.message().await?.ok_or_else(unnamed)?;
    let descriptor = first.flight_descriptor.as_ref().ok_or_else(unnamed)?;
    match read(&descriptor.cmd)? {
        Command::CommandPreparedStatementQuery(query) => {
            let handle = &query.prepared_statement_handle;
            let handle = prepared::bind(server, caller, handle, first, messages).await?;
            let result = DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) };
            Ok(PutResult { app_metadata: result.encode_to_vec().into() })
        }
        command => Err(refusal(&command)),
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
        other => unsupported(other),
    }
}
