//! `GetFlightInfo`, `GetSchema` and `DoGet`: reads the command and asks its file.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::sql::{Any, Command, ProstMessageExt, TicketStatementQuery};
use arrow_flight::{
    FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, SchemaResult, Ticket,
};
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use super::statement::{self, Description};
use super::{metadata, parameters, prepared, update};
use crate::service::{Caller, FlightSql};
use crate::status;
use crate::stream::{self, FlightStream};
use crate::ticket::StatementTicket;

/// Plans what `descriptor` asks for and says how to fetch it.
pub(crate) async fn flight_info(
    server: &FlightSql,
    caller: &Caller,
    descriptor: FlightDescriptor,
) -> Result<FlightInfo, Status> {
    let command = read(&descriptor.cmd)?;
    let (schema, ticket) = match command {
        Command::CommandStatementQuery(query) => {
            refuse_transaction(query.transaction_id.as_ref())?;
            let kept = statement::plan_and_keep(server, caller, query.query).await?;
            parameters::require_none(&kept.description.parameters)?;
            match kept.description.update {
                true => announced(server, &kept.ticket)?,
                false => (
                    Some(kept.description.schema),
                    TicketStatementQuery { statement_handle: kept.handle }.as_any(),
                ),
            }
        }
        Command::CommandPreparedStatementQuery(query) => {
            let handle = &query.prepared_statement_handle;
            let (description, ticket) = prepared::describe(server, caller, handle).await?;
            parameters::require_none(&description.parameters)?;
            match description.update {
                true => announced(server, &ticket)?,
                false => (Some(description.schema), query.as_any()),
            }
        }
        command => {
            let schema = metadata::schema(server, &command).ok_or_else(|| unsupported(&command))?;
            (Some(schema), command.into_any())
        }
    };
    let ticket = Ticket::new(ticket.encode_to_vec());
    Ok(FlightInfo {
        schema: schema.map_or_else(|| Ok(Bytes::new()), |schema| ipc(&schema))?,
        flight_descriptor: Some(descriptor),
        endpoint: vec![FlightEndpoint::new().with_ticket(ticket)],
        total_records: -1,
        total_bytes: -1,
        ordered: true,
        app_metadata: Bytes::new(),
    })
}

/// The schema of what `descriptor` asks for.
pub(crate) async fn schema(
    server: &FlightSql,
    caller: &Caller,
    descriptor: &FlightDescriptor,
) -> Result<SchemaResult, Status> {
    let schema = match read(&descriptor.cmd)? {
        Command::CommandStatementQuery(query) => {
            refuse_transaction(query.transaction_id.as_ref())?;
            let choices = server.sessions.choices(&caller.session);
            let planned = statement::plan(server, caller, choices, query.query, Vec::new()).await?;
            parameters::require_none(&planned.description().parameters)?;
            returned(&planned.description())
        }
        Command::CommandPreparedStatementQuery(query) => {
            returned(&prepared::describe(server, caller, &query.prepared_statement_handle).await?.0)
        }
        command => metadata::schema(server, &command).ok_or_else(|| unsupported(&command))?,
    };
    Ok(SchemaResult { schema: ipc(&schema)? })
}

/// The rows of `ticket`.
pub(crate) async fn rows(
    server: &FlightSql,
    caller: &Caller,
    ticket: &Ticket,
) -> Result<FlightStream, Status> {
    let handle = match read(&ticket.ticket)? {
        Command::TicketStatementQuery(query) => query.statement_handle,
        Command::CommandPreparedStatementQuery(query) => query.prepared_statement_handle,
        command => {
            let rows = server.limits.in_time(metadata::rows(server, caller, &command)).await?;
            return Ok(stream::of_batch(rows.ok_or_else(|| unsupported(&command))?));
        }
    };
    let ticket = StatementTicket::read(&handle, &caller.principal)?;
    match ticket.update {
        true => update::rows(server, caller, ticket).await,
        false => statement::run(server, caller, ticket).await,
    }
}

/// An update is not run before its client comes for the count: whoever asks twice where to fetch it has not run it twice.
/// Its columns are left open, for then drivers wait for it: those that know them go on before it is done.
fn announced(server: &FlightSql, ticket: &StatementTicket) -> Result<(Option<SchemaRef>, Any), Status> {
    let ticket = ticket.to_update();
    server.updates.announce(ticket.id())?;
    let handle = ticket.encode_to_vec().into();
    Ok((None, TicketStatementQuery { statement_handle: handle }.as_any()))
}

fn returned(description: &Description) -> SchemaRef {
    match description.update {
        true => update::schema(),
        false => Arc::clone(&description.schema),
    }
}

/// `schema` as Flight messages carry it.
pub(super) fn ipc(schema: &Schema) -> Result<Bytes, Status> {
    let options = IpcWriteOptions::default();
    let message = IpcMessage::try_from(SchemaAsIpc::new(schema, &options));
    Ok(message.map_err(|error| status::from_arrow(&error))?.0)
}

/// The Flight SQL command in the bytes of a descriptor or ticket.
pub(super) fn read(bytes: &Bytes) -> Result<Command, Status> {
    let malformed = || {
        Status::invalid_argument("the request is not a Flight SQL command: connect with a Flight SQL driver")
    };
    let any = Any::decode(bytes.clone()).map_err(|_malformed| malformed())?;
    if any.type_url.is_empty() {
        return Err(malformed());
    }
    Command::try_from(any).map_err(|_malformed| malformed())
}

pub(super) fn unsupported(command: &Command) -> Status {
    let name = command.type_url().rsplit('.').next().unwrap_or_default();
    Status::unimplemented(format!("this server does not support {name}: send SQL text instead"))
}

pub(super) fn refuse_transaction(id: Option<&Bytes>) -> Result<(), Status> {
    match id {
        Some(id) if !id.is_empty() => Err(Status::invalid_argument(
            "the statement names a transaction, and this server has none: run it without",
        )),
        _ => Ok(()),
    }
}
