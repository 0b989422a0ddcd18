//! Statements: planned when a client asks for them, run while it fetches them.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use prost::Message;
use tithe_engine::{Engine, EngineError, Principal, Query, Session, SessionOptions, StatementKind};
use tonic::Status;

use super::read_only;
use crate::service::{Caller, FlightSql};
use crate::status;
use crate::stream::{self, Bounds, FlightStream};
use crate::ticket::StatementTicket;
use crate::wire_schema::wire_schema;

/// A statement that may run, and what clients are told that it returns.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) query: Query,
    pub(crate) schema: SchemaRef,
}

/// Plans one statement that only reads and has no parameters.
pub(super) async fn plan(
    server: &FlightSql,
    caller: &Caller,
    default_schema: Option<&str>,
    sql: &str,
) -> Result<Planned, Status> {
    server.limits.check_statement(sql)?;
    let planning = plan_unbounded(
        Arc::clone(&server.engine),
        caller.principal.clone(),
        default_schema.map(str::to_owned),
        sql.to_owned(),
    );
    server.limits.in_time(server.workers.run(planning)).await
}

/// Plans a statement; the plan waits for the client to come back with the ticket that is returned beside the schema.
pub(super) async fn plan_and_keep(
    server: &FlightSql,
    caller: &Caller,
    sql: String,
) -> Result<(SchemaRef, Bytes), Status> {
    let default_schema = server.sessions.schema(&caller.session);
    let planned = plan(server, caller, default_schema.as_deref(), &sql).await?;
    let schema = Arc::clone(&planned.schema);
    let ticket = StatementTicket::new(&caller.principal, sql, default_schema, &schema);
    let handle = ticket.encode_to_vec().into();
    server.plans.keep(&ticket, planned);
    Ok((schema, handle))
}

/// Runs the statement of a ticket.
pub(super) async fn run(
    server: &FlightSql,
    caller: &Caller,
    ticket: StatementTicket,
) -> Result<FlightStream, Status> {
    let run = server.running.begin(ticket.id(), &caller.principal);
    let permit = run.unless_interrupted(server.limits.admit()).await?;
    let bounds = Bounds::new(run, server.limits.query_timeout);
    let starting = async {
        let planned = match server.plans.take(&ticket) {
            Some(planned) => planned,
            None => plan(server, caller, ticket.default_schema.as_deref(), &ticket.sql).await?,
        };
        ticket.check_columns(&planned.schema)?;
        let Planned { query, schema } = planned;
        let executing = async move { query.execute().await.map_err(|error| status::from_engine(&error)) };
        Ok((server.workers.run(executing).await?, schema))
    };
    let (batches, schema) = bounds.hold(starting).await?;
    Ok(stream::of_query(server.workers.clone(), batches, schema, bounds, permit))
}

async fn plan_unbounded(
    engine: Arc<Engine>,
    principal: Principal,
    default_schema: Option<String>,
    sql: String,
) -> Result<Planned, Status> {
    let session = engine
        .session_with(principal, SessionOptions { read_only: true })
        .map_err(|error| status::from_engine(&error))?;
    if let Some(schema) = default_schema {
        use_schema(&session, &schema).await.map_err(|error| status::from_engine(&error))?;
    }
    let query = session.query(&sql).await.map_err(|error| match error {
        EngineError::ReadOnly { what } => read_only::refused(&what),
        // Where the planner wants to know more of a parameter than that there is one.
        EngineError::DataFusion(error) if error.to_string().contains("placeholder") => {
            no_parameters("parameters")
        }
        error => status::from_engine(&error),
    })?;
    if query.kind() != StatementKind::Query {
        return Err(read_only::refused(sql.split_whitespace().next().unwrap_or("the statement")));
    }
    refuse_parameters(&query)?;
    let schema = wire_schema(&query.schema());
    Ok(Planned { query, schema })
}

async fn use_schema(session: &Session, schema: &str) -> tithe_engine::Result<()> {
    let setting = format!("SET datafusion.catalog.default_schema = '{}'", schema.replace('\'', "''"));
    session.query(&setting).await?.collect().await.map(drop)
}

fn refuse_parameters(query: &Query) -> Result<(), Status> {
    let names = query.logical_plan().get_parameter_names().map_err(status::from_execution)?;
    let Some(name) = names.into_iter().min() else { return Ok(()) };
    Err(no_parameters(&format!("the parameter {name}")))
}

fn no_parameters(what: &str) -> Status {
    Status::invalid_argument(format!(
        "the statement has {what}, and this server does not bind parameters yet: write the value into the SQL"
    ))
}
