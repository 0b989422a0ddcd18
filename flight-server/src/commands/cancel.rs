//! Ends running queries at their owner's wish.

use arrow_flight::sql::{ActionCancelQueryRequest, ActionCancelQueryResult, Command};
use arrow_flight::{CancelFlightInfoResult, CancelStatus, FlightInfo};
use prost::Message;
use tonic::Status;

use super::dispatch::read;
use crate::service::{Caller, FlightSql};
use crate::ticket::StatementTicket;

/// `CancelFlightInfo`.
pub(super) fn flight_info(server: &FlightSql, caller: &Caller, info: FlightInfo) -> CancelFlightInfoResult {
    let status =
        if cancel(server, caller, info) { CancelStatus::Cancelled } else { CancelStatus::NotCancellable };
    CancelFlightInfoResult { status: status.into() }
}

/// `CancelQuery`, its deprecated form.
pub(super) fn query(
    server: &FlightSql,
    caller: &Caller,
    request: &ActionCancelQueryRequest,
) -> Result<ActionCancelQueryResult, Status> {
    let info = FlightInfo::decode(request.info.clone())
        .map_err(|_malformed| Status::invalid_argument("CancelQuery takes the FlightInfo of the query"))?;
    Ok(ActionCancelQueryResult { result: flight_info(server, caller, info).status })
}

fn cancel(server: &FlightSql, caller: &Caller, info: FlightInfo) -> bool {
    let mut any = false;
    for ticket in info.endpoint.into_iter().filter_map(|endpoint| endpoint.ticket) {
        let handle = match read(&ticket.ticket) {
            Ok(Command::TicketStatementQuery(query)) => query.statement_handle,
            Ok(Command::CommandPreparedStatementQuery(query)) => query.prepared_statement_handle,
            _ => continue,
        };
        if let Ok(ticket) = StatementTicket::read(&handle, &caller.principal) {
            any |= server.running.cancel(ticket.id(), &caller.principal);
        }
    }
    any
}
