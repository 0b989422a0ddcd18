//! Prepared statements without parameters. The handle carries the statement, so there is nothing to keep or to close.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest,
    ActionCreatePreparedStatementResult,
};
use bytes::Bytes;
use tonic::Status;

use super::dispatch::{ipc, refuse_transaction};
use super::statement;
use crate::service::{Caller, FlightSql};
use crate::ticket::StatementTicket;

/// Plans the statement and hands out its handle.
pub(super) async fn create(
    server: &FlightSql,
    caller: &Caller,
    request: ActionCreatePreparedStatementRequest,
) -> Result<ActionCreatePreparedStatementResult, Status> {
    refuse_transaction(request.transaction_id.as_ref())?;
    let (schema, handle) = statement::plan_and_keep(server, caller, request.query).await?;
    Ok(ActionCreatePreparedStatementResult {
        prepared_statement_handle: handle,
        dataset_schema: ipc(&schema)?,
        parameter_schema: Bytes::new(),
    })
}

/// Checks that the handle is one.
pub(super) fn close(caller: &Caller, request: &ActionClosePreparedStatementRequest) -> Result<(), Status> {
    StatementTicket::read(&request.prepared_statement_handle, &caller.principal).map(drop)
}

/// What the prepared statement returns.
pub(super) async fn schema(server: &FlightSql, caller: &Caller, handle: &[u8]) -> Result<SchemaRef, Status> {
    let ticket = StatementTicket::read(handle, &caller.principal)?;
    let planned = match server.plans.take(&ticket) {
        Some(planned) => planned,
        None => statement::plan(server, caller, ticket.default_schema.as_deref(), &ticket.sql).await?,
    };
    ticket.check_columns(&planned.schema)?;
    let schema = Arc::clone(&planned.schema);
    server.plans.keep(&ticket, planned);
    Ok(schema)
}
