//! `CommandGetDbSchemas`: the schemas that have tables.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::sql::CommandGetDbSchemas;
use arrow_flight::sql::metadata::GetDbSchemasBuilder;
use tithe_engine::Session;
use tonic::Status;

use super::CATALOG;
use crate::service::{Caller, FlightSql};
use crate::status;

pub(super) fn schema(request: &CommandGetDbSchemas) -> SchemaRef {
    GetDbSchemasBuilder::from(request.clone()).schema()
}

pub(super) async fn rows(
    server: &FlightSql,
    caller: &Caller,
    request: &CommandGetDbSchemas,
) -> Result<RecordBatch, Status> {
    let session =
        server.engine.session(caller.principal.clone()).map_err(|error| status::from_engine(&error))?;
    let mut builder = GetDbSchemasBuilder::from(request.clone());
    for schema in names(&session).await? {
        builder.append(CATALOG, schema);
    }
    Ok(builder.build()?)
}

/// The names of all schemas that have tables.
pub(super) async fn names(session: &Session) -> Result<BTreeSet<String>, Status> {
    let tables = session.tables().await.map_err(|error| status::from_engine(&error))?;
    Ok(tables.into_iter().map(|table| table.schema).collect())
}
