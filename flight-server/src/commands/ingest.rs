//! `CommandStatementIngest`: rows that a client uploads become a table of the lake, or are added to one.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::sql::{CommandStatementIngest, TableExistsOption, TableNotExistOption};
use arrow_flight::{FlightData, PutResult};
use datafusion::error::DataFusionError;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use tithe_engine::{EngineError, Existing, WriteMode};
use tonic::Status;

use super::upload::Upload;
use super::{CATALOG, DEFAULT_SCHEMA, read_only, statement, update};
use crate::service::{Caller, FlightSql};
use crate::session::Choices;
use crate::status::{self, excerpt};
use crate::ticket::StatementTicket;

type Messages = Pin<Box<dyn Stream<Item = Result<FlightData, FlightError>> + Send>>;

/// Writes the rows of `upload`: all of them, or none.
pub(super) async fn put(
    server: &FlightSql,
    caller: &Caller,
    command: CommandStatementIngest,
    upload: Upload,
) -> Result<PutResult, Status> {
    if !server.writable {
        return Err(read_only::refused(
            server.writable,
            &format!("loading rows into {}", excerpt(&command.table)),
        ));
    }
    let mode = check(&command)?;
    let schema = command.schema.clone().filter(|schema| !schema.is_empty());
    let schema = schema.or_else(|| server.sessions.schema(&caller.session));
    let schema = schema.unwrap_or_else(|| DEFAULT_SCHEMA.to_owned());
    let broken: Broken = Arc::default();
    let (columns, rows) = decoded(upload, &broken).await?;
    let rows = Box::pin(RecordBatchStreamAdapter::new(columns, rows));
    let asked = statement::asked(server, caller, Choices::default(), String::new());
    let ticket =
        StatementTicket::new(&caller.principal, command.table.clone(), Choices::default(), &Schema::empty());
    let table = command.table;
    let statement = format!("INGEST INTO {schema}.{table}");
    let id = asked.id;
    let query = async move {
        let session = asked.session().map_err(|error| status::from_engine(&error))?;
        let query = session.write_rows(&schema, &table, mode, rows).await;
        query.map_err(|error| match error {
            EngineError::ReadOnly { what } => read_only::refused(true, &what),
            error => status::of_query(status::from_engine(&error), id),
        })
    };
    let written = update::run(server, caller, &ticket, &statement, query).await;
    // What the client did wrong, rather than what the write made of it.
    let cut = broken.lock().unwrap_or_else(PoisonError::into_inner).take();
    update::result(written.map_err(|status| cut.unwrap_or(status))?)
}

fn check(command: &CommandStatementIngest) -> Result<WriteMode, Status> {
    if command.transaction_id.as_ref().is_some_and(|id| !id.is_empty()) {
        return Err(Status::invalid_argument(
            "the upload names a transaction, and this server has none: every upload is written whole or not at all",
        ));
    }
    if command.temporary {
        return Err(Status::invalid_argument(
            "this server has no temporary tables: name a schema and a table that stay",
        ));
    }
    if command.catalog.as_ref().is_some_and(|catalog| !catalog.is_empty() && catalog != CATALOG) {
        return Err(Status::not_found(format!("the one catalog of this server is {CATALOG}: leave it out")));
    }
    if command.table.is_empty() {
        return Err(Status::invalid_argument("the upload does not name its table"));
    }
    let options = command.table_definition_options.unwrap_or_default();
    let create = match options.if_not_exist() {
        TableNotExistOption::Create => true,
        TableNotExistOption::Fail | TableNotExistOption::Unspecified => false,
    };
    let existing = match options.if_exists() {
        TableExistsOption::Append => Existing::Append,
        TableExistsOption::Replace => Existing::Replace,
        TableExistsOption::Fail | TableExistsOption::Unspecified => Existing::Refuse,
    };
    if !create && existing == Existing::Refuse {
        return Err(Status::invalid_argument(
            "the upload does not say what to do where the table is there, nor where it is not: create, append or replace",
        ));
    }
    Ok(WriteMode { create, existing })
}

/// Why an upload cannot be read to its end, if it cannot.
type Broken = Arc<Mutex<Option<Status>>>;

/// The columns of an upload, and its rows.
async fn decoded(
    upload: Upload,
    broken: &Broken,
) -> Result<
    (SchemaRef, impl Stream<Item = Result<arrow::array::RecordBatch, DataFusionError>> + Send + 'static),
    Status,
> {
    let messages: Messages =
        Box::pin(upload.messages().map_err(|status| FlightError::Tonic(Box::new(status))));
    let mut batches = FlightRecordBatchStream::new_from_flight_data(messages);
    // The columns come before the rows.
    let head = AssertUnwindSafe(batches.try_next()).catch_unwind().await;
    let head = head.unwrap_or_else(|_panic| Err(misshapen())).map_err(|error| unreadable(&error))?;
    let columns = batches.schema().cloned().ok_or_else(|| {
        Status::invalid_argument("the upload has no columns: its first message carries no Arrow schema")
    })?;
    let broken = Arc::clone(broken);
    let batches =
        AssertUnwindSafe(batches).catch_unwind().map(|batch| batch.unwrap_or_else(|_panic| Err(misshapen())));
    let rest = batches.map_err(move |error| {
        let status = unreadable(&error);
        let told = DataFusionError::Execution(status.message().to_owned());
        *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        told
    });
    Ok((columns, stream::iter(head.map(Ok)).chain(rest)))
}

/// Arrow stops with a panic at buffers that are shorter than their message says.
fn misshapen() -> FlightError {
    FlightError::DecodeError("a message is shorter than it says".to_owned())
}

fn unreadable(error: &FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => Status::new(
            status.code(),
            format!("the upload was cut off ({}), and nothing of it was written", status.message()),
        ),
        other => Status::invalid_argument(format!(
            "the upload cannot be read as Arrow data, and nothing of it was written: {other}"
        )),
    }
}
