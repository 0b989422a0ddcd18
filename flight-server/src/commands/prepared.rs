//! Prepared statements. The handle carries the statement and the values bound to it, so there is nothing to keep or to
//! close, and it works on any server of the lake.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow_flight::FlightData;
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest,
    ActionCreatePreparedStatementResult,
};
use bytes::Bytes;
use prost::Message;
use tonic::{Status, Streaming};

use super::dispatch::{ipc, refuse_transaction};
use super::{parameters, statement};
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
    let parameter_schema = match kept.parameters.fields().is_empty() {
        true => Bytes::new(),
        false => ipc(&kept.parameters)?,
    };
    Ok(ActionCreatePreparedStatementResult {
        prepared_statement_handle: kept.handle,
        dataset_schema: ipc(&kept.schema)?,
        parameter_schema,
    })
}

/// The handle of the same statement with the values that a client uploads.
pub(super) async fn bind(
    server: &FlightSql,
    caller: &Caller,
    handle: &[u8],
    first: FlightData,
    rest: Streaming<FlightData>,
) -> Result<Bytes, Status> {
    let ticket = StatementTicket::read(handle, &caller.principal)?.without_values();
    let values = parameters::receive(first, rest).await?;
    let planned = statement::plan_ticket(server, caller, &ticket).await?;
    parameters::check(&values, &planned.parameters)?;
    if planned.parameters.fields().is_empty() {
        return Ok(Bytes::copy_from_slice(handle));
    }
    let values = parameters::encode(&values)?;
    let mut bound = ticket.with_values(values);
    let planned = statement::plan_ticket(server, caller, &bound).await?;
    bound.announce(&planned.schema);
    let handle = bound.encode_to_vec().into();
    server.plans.keep(&bound, planned);
    Ok(handle)
}

/// Checks that the handle is one.
pub(super) fn close(caller: &Caller, request: &ActionClosePreparedStatementRequest) -> Result<(), Status> {
    StatementTicket::read(&request.prepared_statement_handle, &caller.principal).map(drop)
}

/// What the prepared statement returns, and the parameters that have no value yet.
pub(super) async fn schemas(
    server: &FlightSql,
    caller: &Caller,
    handle: &[u8],
) -> Result<(SchemaRef, SchemaRef), Status> {
    let ticket = StatementTicket::read(handle, &caller.principal)?;
    let planned = match server.plans.take(&ticket) {
        Some(planned) => planned,
        None => statement::plan_ticket(server, caller, &ticket).await?,
    };
    ticket.check_columns(&planned.schema)?;
    let schemas = (Arc::clone(&planned.schema), Arc::clone(&planned.parameters));
    server.plans.keep(&ticket, planned);
    Ok(schemas)
}
