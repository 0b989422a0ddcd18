//! Statements: planned when a client asks for them, run while it fetches them.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream as streams};
use prost::Message;
use tithe_engine::{Engine, EngineError, Principal, Query, Session, SessionOptions, StatementKind};
use tonic::Status;

use super::{parameters, read_only};
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
    /// Those that have no value.
    pub(crate) parameters: SchemaRef,
}

/// A statement whose plan waits for the client to come back with its handle.
pub(super) struct Kept {
    pub(super) schema: SchemaRef,
    pub(super) parameters: SchemaRef,
    pub(super) handle: Bytes,
}

/// Plans one statement that only reads, with `values` for its parameters or none.
pub(super) async fn plan(
    server: &FlightSql,
    caller: &Caller,
    default_schema: Option<String>,
    sql: String,
    values: Vec<ScalarValue>,
) -> Result<Planned, Status> {
    server.limits.check_statement(&sql)?;
    let asked = Asked {
        engine: Arc::clone(&server.engine),
        principal: caller.principal.clone(),
        default_schema,
        sql,
    };
    server.limits.in_time(server.workers.run(async move { asked.plan(&values).await })).await
}

/// Plans the statement of a ticket, with the first row of the values that it carries.
pub(super) async fn plan_ticket(
    server: &FlightSql,
    caller: &Caller,
    ticket: &StatementTicket,
) -> Result<Planned, Status> {
    let first = match &ticket.values {
        Some(values) => parameters::decode(values)?.into_iter().next().unwrap_or_default(),
        None => Vec::new(),
    };
    plan(server, caller, ticket.default_schema.clone(), ticket.sql.clone(), first).await
}

/// Plans a statement and keeps the plan.
pub(super) async fn plan_and_keep(server: &FlightSql, caller: &Caller, sql: String) -> Result<Kept, Status> {
    let default_schema = server.sessions.schema(&caller.session);
    let planned = plan(server, caller, default_schema.clone(), sql.clone(), Vec::new()).await?;
    let ticket = StatementTicket::new(&caller.principal, sql, default_schema, &planned.schema);
    let kept = Kept {
        schema: Arc::clone(&planned.schema),
        parameters: Arc::clone(&planned.parameters),
        handle: ticket.encode_to_vec().into(),
    };
    server.plans.keep(&ticket, planned);
    Ok(kept)
}

/// Runs the statement of a ticket, once for each row of values that it carries.
pub(super) async fn run(
    server: &FlightSql,
    caller: &Caller,
    ticket: StatementTicket,
) -> Result<FlightStream, Status> {
    let run = server.running.begin(ticket.id(), &caller.principal);
    let permit = run.unless_interrupted(server.limits.admit(&caller.principal)).await?;
    let bounds = Bounds::new(run, server.limits.query_timeout);
    let starting = async {
        let planned = match server.plans.take(&ticket) {
            Some(planned) => planned,
            None => plan_ticket(server, caller, &ticket).await?,
        };
        ticket.check_columns(&planned.schema)?;
        parameters::require_none(&planned.parameters)?;
        let Planned { query, schema, .. } = planned;
        let executing = async move { query.execute().await.map_err(|error| status::from_engine(&error)) };
        let first = server.workers.run(executing).await?;
        let more = match &ticket.values {
            Some(values) => parameters::decode(values)?.into_iter().skip(1).collect(),
            None => Vec::new(),
        };
        let asked = Asked {
            engine: Arc::clone(&server.engine),
            principal: caller.principal.clone(),
            default_schema: ticket.default_schema,
            sql: ticket.sql,
        };
        Ok((asked.and_then(first, more, &schema), schema))
    };
    let (batches, schema) = bounds.hold(starting).await?;
    Ok(stream::of_query(server.workers.clone(), batches, schema, bounds, permit))
}

/// A statement, who asks, and where its names are looked up.
struct Asked {
    engine: Arc<Engine>,
    principal: Principal,
    default_schema: Option<String>,
    sql: String,
}

impl Asked {
    async fn plan(&self, values: &[ScalarValue]) -> Result<Planned, Status> {
        let query = self.query(values).await.map_err(|error| match error {
            EngineError::ReadOnly { what } => read_only::refused(&what),
            // Where the planner must know the type of a parameter.
            EngineError::DataFusion(error)
                if values.is_empty() && error.to_string().contains("laceholder") =>
            {
                untold_type()
            }
            error => status::from_engine(&error),
        })?;
        if query.kind() != StatementKind::Query {
            return Err(read_only::refused(self.sql.split_whitespace().next().unwrap_or("the statement")));
        }
        let parameters = parameters::schema(&query)?;
        let schema = announced(&query, !values.is_empty() || !parameters.fields().is_empty());
        Ok(Planned { query, schema, parameters })
    }

    async fn query(&self, values: &[ScalarValue]) -> tithe_engine::Result<Query> {
        let session = self.engine.session_with(self.principal.clone(), SessionOptions { read_only: true })?;
        if let Some(schema) = &self.default_schema {
            use_schema(&session, schema).await?;
        }
        session.query_with(&self.sql, values).await
    }

    /// The rows of `first`, then those of the statement with each of `more`; each starts when the one before it ends.
    fn and_then(
        self,
        first: SendableRecordBatchStream,
        more: Vec<Vec<ScalarValue>>,
        schema: &SchemaRef,
    ) -> SendableRecordBatchStream {
        if more.is_empty() {
            return first;
        }
        let (asked, expected) = (Arc::new(self), Arc::clone(schema));
        let rest = streams::iter(more).then(move |values| {
            let (asked, expected) = (Arc::clone(&asked), Arc::clone(&expected));
            async move {
                let query = asked.query(&values).await.map_err(DataFusionError::from)?;
                if announced(&query, true) != expected {
                    return Err(DataFusionError::Plan(
                        "a row of values gives other columns than the first: bind values of one type"
                            .to_owned(),
                    ));
                }
                query.execute().await.map_err(DataFusionError::from)
            }
        });
        let rows = first.chain(rest.try_flatten());
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(schema), rows))
    }
}

/// What clients are told that `query` returns. With parameters every column may be NULL, because a NULL may be bound.
fn announced(query: &Query, has_parameters: bool) -> SchemaRef {
    let schema = wire_schema(&query.schema());
    if !has_parameters {
        return schema;
    }
    let fields: Vec<Field> =
        schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

async fn use_schema(session: &Session, schema: &str) -> tithe_engine::Result<()> {
    let setting = format!("SET datafusion.catalog.default_schema = '{}'", schema.replace('\'', "''"));
    session.query(&setting).await?.collect().await.map(drop)
}

fn untold_type() -> Status {
    Status::invalid_argument(
        "the statement does not tell the type of a parameter: write it, as in CAST($1 AS BIGINT)",
    )
}
