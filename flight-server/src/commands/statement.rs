//! Statements: planned when a client asks for them, run while it fetches them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
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
use uuid::Uuid;

use super::{parameters, read_only};
use crate::run_state::RunState;
use crate::service::{Caller, FlightSql};
use crate::session::Choices;
use crate::status;
use crate::stream::{self, Bounds, FlightStream, Messages};
use crate::ticket::StatementTicket;
use crate::wire_schema::wire_schema;
use crate::workers::{QueryThreads, Workers};

/// A statement that may run, and what clients are told that it returns.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) query: Query,
    pub(crate) schema: SchemaRef,
    /// Those that have no value.
    pub(crate) parameters: SchemaRef,
    /// Whether it writes and returns no rows.
    pub(crate) update: bool,
}

/// What a client learns of a statement before it runs.
#[derive(Debug, Clone)]
pub(super) struct Description {
    /// Without columns where they hang on values that are not bound yet.
    pub(super) schema: SchemaRef,
    /// Those that have no value.
    pub(super) parameters: SchemaRef,
    /// Whether it writes and returns no rows.
    pub(super) update: bool,
}

/// A statement whose plan waits for the client to come back with its handle.
pub(super) struct Kept {
    pub(super) description: Description,
    pub(super) handle: Bytes,
    pub(super) ticket: StatementTicket,
}

/// Planned, or waiting for the values that tell the types of its parameters.
#[derive(Debug)]
pub(super) enum Plan {
    Ready(Box<Planned>),
    Open(Description),
}

impl Plan {
    pub(super) fn description(&self) -> Description {
        match self {
            Self::Ready(planned) => Description {
                schema: Arc::clone(&planned.schema),
                parameters: Arc::clone(&planned.parameters),
                update: planned.update,
            },
            Self::Open(description) => description.clone(),
        }
    }

    /// # Errors
    /// When parameters have no values.
    pub(super) fn ready(self) -> Result<Planned, Status> {
        parameters::require_none(&self.description().parameters)?;
        match self {
            Self::Ready(planned) => Ok(*planned),
            Self::Open(_) => Err(Status::internal("a statement without parameters waits for values")),
        }
    }
}

/// Plans one statement that only reads, with `values` for its parameters or none.
pub(super) async fn plan(
    server: &FlightSql,
    caller: &Caller,
    choices: Choices,
    sql: String,
    values: Vec<ScalarValue>,
) -> Result<Plan, Status> {
    server.limits.check_statement(&sql)?;
    let asked = asked(server, caller, choices, sql);
    server.limits.in_time(server.threads.small.run(async move { asked.plan(&values).await })).await
}

/// Plans the statement of a ticket, with the first row of the values that it carries.
pub(super) async fn plan_ticket(
    server: &FlightSql,
    caller: &Caller,
    ticket: &StatementTicket,
) -> Result<Plan, Status> {
    let first = match &ticket.values {
        Some(values) => parameters::decode(values)?.into_iter().next().unwrap_or_default(),
        None => Vec::new(),
    };
    plan(server, caller, ticket.choices(), ticket.sql.clone(), first).await
}

/// Plans a statement and keeps the plan.
pub(super) async fn plan_and_keep(server: &FlightSql, caller: &Caller, sql: String) -> Result<Kept, Status> {
    let choices = server.sessions.choices(&caller.session);
    let planned = plan(server, caller, choices.clone(), sql.clone(), Vec::new()).await?;
    let description = planned.description();
    let ticket = StatementTicket::new(&caller.principal, sql, choices, &description.schema);
    let handle = ticket.encode_to_vec().into();
    // An update is planned when it runs, and only then.
    if !description.update {
        server.plans.keep(&ticket, planned);
    }
    Ok(Kept { description, handle, ticket })
}

/// Runs the statement of a ticket, once for each row of values that it carries.
pub(super) async fn run(
    server: &FlightSql,
    caller: &Caller,
    ticket: StatementTicket,
) -> Result<FlightStream, Status> {
    let run = server.running.begin(ticket.id(), &caller.principal, &ticket.sql);
    let permit = run.unless_interrupted(server.limits.admit(&caller.principal)).await?;
    let state = run.state();
    state.admit();
    let bounds = Bounds::new(run, server.limits.query_timeout);
    // In a box, as in `Bounds::hold`.
    let starting = Box::pin(async {
        let more: Vec<_> = match &ticket.values {
            Some(values) => parameters::decode(values)?.into_iter().skip(1).collect(),
            None => Vec::new(),
        };
        let alone = more.is_empty();
        let kept = match server.plans.take(&ticket) {
            Some(kept) => Some(start(server, &ticket, kept.ready()?, alone, &state).await?),
            None => None,
        };
        let Started { messages, schema, threads } = match kept {
            Some(Some(started)) => started,
            // Nothing was kept, or what it was made of has changed.
            _ => {
                let planned = plan_ticket(server, caller, &ticket).await?.ready()?;
                let changed = || status::from_engine(&EngineError::Stale { what: "the lake".to_owned() });
                start(server, &ticket, planned, alone, &state).await?.ok_or_else(changed)?
            }
        };
        let asked = asked(server, caller, ticket.choices(), ticket.sql);
        Ok((messages.map(|first| asked.and_then(first, more, &schema)), threads))
    });
    let (messages, threads) = bounds.hold(starting).await?;
    Ok(stream::of_query(threads, messages, bounds, permit))
}

/// A query that runs.
struct Started {
    messages: Messages,
    schema: SchemaRef,
    /// By which it runs.
    threads: Workers,
}

/// Starts what was planned, and runs it as well where it is small and `alone`; `None` when the policy or a table has changed
/// since.
async fn start(
    server: &FlightSql,
    ticket: &StatementTicket,
    planned: Planned,
    alone: bool,
    state: &Arc<RunState>,
) -> Result<Option<Started>, Status> {
    if planned.update {
        return Err(Status::invalid_argument(
            "the ticket is of an update and was not announced: run it again",
        ));
    }
    ticket.check_columns(&planned.schema)?;
    let Planned { query, schema, .. } = planned;
    let state = Arc::clone(state);
    let id = query.id();
    let ended = move |error| match error {
        EngineError::Stale { .. } => Ok(None),
        error => Err(status::of_query(status::from_engine(&error), id)),
    };
    let QueryThreads { small, large } = server.threads.clone();
    let (run_here, threads) = (large.clone(), small.clone());
    let preparing = async move {
        query.look_again();
        state.follow(&query);
        let prepared = match query.prepare().await {
            Ok(prepared) => prepared,
            Err(error) => return ended(error),
        };
        let small = prepared.is_small();
        let executing = async move { prepared.execute().await };
        let (rows, threads) = match small {
            true => (executing.await, threads),
            // Operators start on the threads of whoever asks them for rows.
            false => (run_here.run(async move { Ok(executing.await) }).await?, run_here),
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return ended(error),
        };
        let mut messages = Messages::of(rows, Arc::clone(&schema));
        if small && alone {
            messages = messages.make_few(&state).await.map_err(|status| status::of_query(status, id))?;
        }
        Ok(Some(Started { messages, schema, threads }))
    };
    small.run(preparing).await
}

/// A statement, who asks, and what they chose.
pub(super) struct Asked {
    engine: Arc<Engine>,
    principal: Principal,
    choices: Choices,
    pub(super) sql: String,
    /// What the log and the errors of the statement carry.
    pub(super) id: Uuid,
    /// Whether statements may write tables of the lake.
    pub(super) writable: bool,
}

/// `sql` as `caller` asks it of `server`.
pub(super) fn asked(server: &FlightSql, caller: &Caller, choices: Choices, sql: String) -> Asked {
    Asked {
        engine: Arc::clone(&server.engine),
        principal: caller.principal.clone(),
        choices,
        sql,
        id: Uuid::new_v4(),
        writable: server.writable,
    }
}

impl Asked {
    async fn plan(&self, values: &[ScalarValue]) -> Result<Plan, Status> {
        let query = match self.query(values).await {
            Ok(query) => query,
            Err(EngineError::OpenParameters { count }) => {
                let (schema, parameters) = (Arc::new(Schema::empty()), parameters::untold(count));
                return Ok(Plan::Open(Description { schema, parameters, update: false }));
            }
            Err(EngineError::ReadOnly { what }) => return Err(read_only::refused(self.writable, &what)),
            Err(error) => return Err(status::of_query(status::from_engine(&error), self.id)),
        };
        let update = match query.kind() {
            StatementKind::Query => false,
            StatementKind::Change if self.writable => true,
            _ => {
                let what = self.sql.split_whitespace().next().unwrap_or("the statement");
                return Err(read_only::refused(self.writable, what));
            }
        };
        let parameters = parameters::schema(&query)?;
        if update {
            let schema = Arc::new(Schema::empty());
            return Ok(Plan::Ready(Box::new(Planned { query, schema, parameters, update })));
        }
        let schema = announced(&query, !values.is_empty() || !parameters.fields().is_empty());
        Ok(Plan::Ready(Box::new(Planned { query, schema, parameters, update })))
    }

    pub(super) async fn query(&self, values: &[ScalarValue]) -> tithe_engine::Result<Query> {
        self.ready_session().await?.query_with(&self.sql, values).await
    }

    /// One statement that writes, with all rows of `values`.
    pub(super) async fn query_with_rows(&self, values: &[RecordBatch]) -> tithe_engine::Result<Query> {
        let schema = values.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        let values = concat_batches(&schema, values).map_err(DataFusionError::from)?;
        self.ready_session().await?.query_with_rows(&self.sql, &values).await
    }

    /// A session of whoever asks.
    pub(super) fn session(&self) -> tithe_engine::Result<Session> {
        let options = SessionOptions { read_only: true, writes_lake: self.writable };
        Ok(self.engine.session_with(self.principal.clone(), options)?.with_query_id(self.id))
    }

    async fn ready_session(&self) -> tithe_engine::Result<Session> {
        let session = self.session()?;
        if let Some(schema) = &self.choices.schema {
            session.look_up_in(schema);
        }
        for (name, value) in &self.choices.settings {
            session.set(name, value).await?;
        }
        Ok(session)
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
