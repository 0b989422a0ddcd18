//! Statements that write: run once, by `DoPut` or by the first `DoGet` of their ticket.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_flight::PutResult;
use arrow_flight::sql::DoPutUpdateResult;
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use prost::Message;
use tithe_engine::{EngineError, Query, StatementKind};
use tonic::Status;

use super::statement::{self, Asked};
use super::updates::Turn;
use super::upload::Upload;
use super::{parameters, read_only};
use crate::service::{Caller, FlightSql};
use crate::session::Choices;
use crate::status;
use crate::stream::{self, Bounds, FlightStream};
use crate::ticket::StatementTicket;

/// What an update returns to clients that fetch it as a query.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("count", DataType::UInt64, false)]))
}

/// Runs one statement that a client sends as an update.
pub(super) async fn put(server: &FlightSql, caller: &Caller, sql: String) -> Result<PutResult, Status> {
    check_writable(server, sql.split_whitespace().next().unwrap_or("an update"))?;
    server.limits.check_statement(&sql)?;
    let asked = statement::asked(server, caller, server.sessions.choices(&caller.session), sql);
    let ticket =
        StatementTicket::new(&caller.principal, asked.sql.clone(), Choices::default(), &Schema::empty());
    result(perform(server, caller, &ticket, asked, Vec::new()).await?)
}

/// Runs a prepared statement with the values that the client uploads, if it does: those before it binds are in the
/// handle.
pub(super) async fn put_prepared(
    server: &FlightSql,
    caller: &Caller,
    handle: &[u8],
    upload: Upload,
) -> Result<PutResult, Status> {
    let ticket = StatementTicket::read(handle, &caller.principal)?;
    check_writable(server, "an update")?;
    let uploaded = parameters::receive_for_update(upload).await?;
    let values = match (uploaded, &ticket.values) {
        (Some(values), _) => vec![values],
        (None, Some(bound)) => parameters::batches(bound)?,
        (None, None) => Vec::new(),
    };
    let asked = statement::asked(server, caller, ticket.choices(), ticket.sql.clone());
    result(perform(server, caller, &ticket, asked, values).await?)
}

fn check_writable(server: &FlightSql, what: &str) -> Result<(), Status> {
    match server.writable {
        true => Ok(()),
        false => Err(read_only::refused(false, what)),
    }
}

/// The count of an announced update, which this call runs if none has before.
pub(super) async fn rows(
    server: &FlightSql,
    caller: &Caller,
    ticket: StatementTicket,
) -> Result<FlightStream, Status> {
    let count = match server.updates.begin(ticket.id())? {
        Turn::Ended(count) => count,
        Turn::Run(running) => {
            let values = match &ticket.values {
                Some(values) => parameters::batches(values)?,
                None => Vec::new(),
            };
            let asked = statement::asked(server, caller, ticket.choices(), ticket.sql.clone());
            let outcome = perform(server, caller, &ticket, asked, values).await;
            running.end(&outcome);
            outcome?
        }
    };
    let counts = Arc::new(UInt64Array::from(vec![count]));
    let batch = RecordBatch::try_new(schema(), vec![counts]).map_err(|error| status::from_arrow(&error))?;
    Ok(stream::of_batch(batch))
}

/// Runs a query that writes, within the limits of queries; how many rows it wrote.
pub(super) async fn run(
    server: &FlightSql,
    caller: &Caller,
    ticket: &StatementTicket,
    statement: &str,
    query: impl Future<Output = Result<Query, Status>> + Send + 'static,
) -> Result<u64, Status> {
    let run = server.running.begin(ticket.id(), &caller.principal, statement);
    let permit = run.unless_interrupted(server.limits.admit(&caller.principal)).await?;
    let bounds = Bounds::new(run, server.limits.query_timeout);
    let state = bounds.state();
    state.admit();
    let working = async move {
        let _until_it_ends = permit;
        let query = query.await?;
        let id = query.id();
        state.follow(&query);
        let failed = |status| status::of_query(status, id);
        let changed = query.execute().await.map_err(|error| failed(status::from_engine(&error)))?;
        let batches: Vec<RecordBatch> =
            changed.try_collect().await.map_err(|error| failed(status::from_execution(error)))?;
        let counts =
            batches.iter().filter_map(|batch| batch.column(0).as_any().downcast_ref::<UInt64Array>());
        Ok(counts.flat_map(|counts| counts.iter().flatten()).sum())
    };
    let count = bounds.hold(server.threads.large.run(working)).await?;
    bounds.state().end(Ok(()));
    Ok(count)
}

async fn perform(
    server: &FlightSql,
    caller: &Caller,
    ticket: &StatementTicket,
    asked: Asked,
    values: Vec<RecordBatch>,
) -> Result<u64, Status> {
    let statement = asked.sql.clone();
    run(server, caller, ticket, &statement, async move { planned(&asked, &values).await }).await
}

async fn planned(asked: &Asked, values: &[RecordBatch]) -> Result<Query, Status> {
    let query = match values {
        [] => asked.query(&[]).await,
        [one] if one.num_rows() == 1 => {
            let row: Result<Vec<ScalarValue>, _> =
                one.columns().iter().map(|column| ScalarValue::try_from_array(column, 0)).collect();
            asked.query(&row.map_err(status::from_execution)?).await
        }
        many => asked.query_with_rows(many).await,
    };
    let query = query.map_err(|error| match error {
        EngineError::ReadOnly { what } => read_only::refused(asked.writable, &what),
        EngineError::OpenParameters { count } => parameters::missing(count),
        error => status::of_query(status::from_engine(&error), asked.id),
    })?;
    match query.kind() {
        StatementKind::Change if asked.writable => {
            parameters::require_none_open(&query, values.is_empty())?;
            Ok(query)
        }
        StatementKind::Query => Err(Status::invalid_argument(
            "the statement returns rows and was sent as an update: send it as a query",
        )),
        _ => Err(read_only::refused(
            asked.writable,
            asked.sql.split_whitespace().next().unwrap_or("the statement"),
        )),
    }
}

pub(super) fn result(count: u64) -> Result<PutResult, Status> {
    let record_count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(PutResult { app_metadata: DoPutUpdateResult { record_count }.encode_to_vec().into() })
}
