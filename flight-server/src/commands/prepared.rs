//! Prepared statements. The handle carries the statement and the values bound to it, so there is nothing to keep or to
//! close, and it works on any server of the lake.

use arrow::datatypes::SchemaRef;
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest,
    ActionCreatePreparedStatementResult,
};
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use super::dispatch::{ipc, refuse_transaction};
use super::parameters;
use super::statement::{self, Description};
use super::upload::Upload;
use crate::service::{Caller, FlightSql};
use crate::ticket::StatementTicket;

/// Plans the statement and hands out its handle.
pub(super) async fn create(
    server: &FlightSql,
    caller: &Caller,
    request: ActionCreatePreparedStatementRequest,
) -> Result<ActionCreatePreparedStatementResult, Status> {
    refuse_transaction(request.transaction_id.as_ref())?;
    let kept = statement::plan_and_keep(server, caller, request.query).await?;
    let described = |schema: &SchemaRef| match schema.fields().is_empty() {
        true => Ok(Bytes::new()),
        false => ipc(schema),
    };
    Ok(ActionCreatePreparedStatementResult {
        prepared_statement_handle: kept.handle,
        dataset_schema: described(&kept.description.schema)?,
        parameter_schema: described(&kept.description.parameters)?,
    })
}

/// The handle of the same statement with the values that a client uploads.
pub(super) async fn bind(
    server: &FlightSql,
    caller: &Caller,
    handle: &[u8],
    upload: Upload,
) -> Result<Bytes, Status> {
    let ticket = StatementTicket::read(handle, &caller.principal)?.without_values();
    let values = parameters::receive(upload).await?;
    let planned = statement::plan_ticket(server, caller, &ticket).await?;
    let wanted = planned.description().parameters;
    parameters::check(&values, &wanted)?;
    if wanted.fields().is_empty() {
        return Ok(Bytes::copy_from_slice(handle));
    }
    let values = parameters::encode(&values)?;
    let mut bound = ticket.with_values(values);
    let planned = statement::plan_ticket(server, caller, &bound).await?;
    bound.announce(&planned.description().schema);
    let handle = bound.encode_to_vec().into();
    server.plans.keep(&bound, planned);
    Ok(handle)
}

/// Checks that the handle is one.
pub(super) fn close(caller: &Caller, request: &ActionClosePreparedStatementRequest) -> Result<(), Status> {
    StatementTicket::read(&request.prepared_statement_handle, &caller.principal).map(drop)
}

/// What the prepared statement returns, and the parameters that have no value yet.
pub(super) async fn describe(
    server: &FlightSql,
    caller: &Caller,
    handle: &[u8],
) -> Result<(Description, StatementTicket), Status> {
    let ticket = StatementTicket::read(handle, &caller.principal)?;
    let planned = match server.plans.take(&ticket) {
        Some(planned) => planned,
        None => statement::plan_ticket(server, caller, &ticket).await?,
    };
    let description = planned.description();
    ticket.check_columns(&description.schema)?;
    if !description.update {
        server.plans.keep(&ticket, planned);
    }
    Ok((description, ticket))
}
