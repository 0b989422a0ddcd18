//! `PollFlightInfo`: a statement is ready to be fetched when it is planned; a query that is being fetched tells how far it is.

use arrow_flight::sql::{Any, Command};
use arrow_flight::{FlightDescriptor, FlightEndpoint, FlightInfo, PollInfo, Ticket};
use prost::Message;
use tonic::Status;

use super::flight_info;
use crate::service::{Caller, FlightSql};
use crate::ticket::StatementTicket;

/// What `descriptor` asks for, to be fetched at once; or, for a descriptor with the ticket of a query, its progress.
pub(crate) async fn poll(
    server: &FlightSql,
    caller: &Caller,
    descriptor: FlightDescriptor,
) -> Result<PollInfo, Status> {
    if let Some(handle) = handle(&descriptor) {
        let statement = StatementTicket::read(&handle, &caller.principal)?;
        let progress = server.running.progress(statement.id(), &caller.principal);
        let ticket = Ticket::new(descriptor.cmd.clone());
        let info = FlightInfo::new().with_endpoint(FlightEndpoint::new().with_ticket(ticket));
        let again = progress.map(|_| descriptor);
        return Ok(PollInfo { info: Some(info), flight_descriptor: again, progress, expiration_time: None });
    }
    // A query runs while it is fetched: before, there is nothing to wait for, and nothing that could expire.
    let info = flight_info(server, caller, descriptor).await?;
    Ok(PollInfo { info: Some(info), flight_descriptor: None, progress: Some(1.0), expiration_time: None })
}

fn handle(descriptor: &FlightDescriptor) -> Option<bytes::Bytes> {
    let any = Any::decode(descriptor.cmd.clone()).ok()?;
    match Command::try_from(any) {
        Ok(Command::TicketStatementQuery(query)) => Some(query.statement_handle),
        _ => None,
    }
}
