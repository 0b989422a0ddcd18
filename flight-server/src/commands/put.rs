//! `DoPut`: values for a prepared statement, updates, and rows for tables.

use arrow_flight::FlightData;
use arrow_flight::PutResult;
use arrow_flight::sql::{Command, DoPutPreparedStatementResult};
use prost::Message;
use tonic::{Status, Streaming};

use super::dispatch::{read, refuse_transaction, unsupported};
use super::upload::Upload;
use super::{ingest, prepared, update};
use crate::request_end::RequestEnd;
use crate::service::{Caller, FlightSql};

/// Takes what the client sends.
pub(crate) async fn put(
    server: &FlightSql,
    caller: &Caller,
    mut messages: Streaming<FlightData>,
    end: RequestEnd,
) -> Result<PutResult, Status> {
    let unnamed = || {
        Status::invalid_argument("the upload does not say what it is: its first message has no descriptor")
    };
    let first = messages.message().await?.ok_or_else(unnamed)?;
    let command = first.flight_descriptor.as_ref().ok_or_else(unnamed)?.cmd.clone();
    let upload = Upload { first, rest: messages, end };
    match read(&command)? {
        Command::CommandPreparedStatementQuery(query) => {
            let handle = &query.prepared_statement_handle;
            let handle = prepared::bind(server, caller, handle, upload).await?;
            let result = DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) };
            Ok(PutResult { app_metadata: result.encode_to_vec().into() })
        }
        Command::CommandStatementUpdate(command) => {
            refuse_transaction(command.transaction_id.as_ref())?;
            update::put(server, caller, command.query).await
        }
        Command::CommandPreparedStatementUpdate(command) => {
            let handle = &command.prepared_statement_handle;
            update::put_prepared(server, caller, handle, upload).await
        }
        Command::CommandStatementIngest(command) => ingest::put(server, caller, command, upload).await,
        command => Err(unsupported(&command)),
    }
}
