//! `CommandGetTables`, with and without the tables' columns.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::sql::CommandGetTables;
use arrow_flight::sql::metadata::GetTablesBuilder;
use tonic::Status;
use tracing::warn;

use super::CATALOG;
use crate::service::{Caller, FlightSql};
use crate::status;
use crate::wire_schema::wire_schema;

/// The type of every table of a lake.
pub(super) const TABLE: &str = "TABLE";

pub(super) fn schema(request: &CommandGetTables) -> SchemaRef {
    GetTablesBuilder::from(request.clone()).schema()
}

pub(super) async fn rows(
    server: &FlightSql,
    caller: &Caller,
    request: &CommandGetTables,
) -> Result<RecordBatch, Status> {
    let session =
        server.engine.session(caller.principal.clone()).map_err(|error| status::from_engine(&error))?;
    // To know a table's columns means to open its files: only for those that the client wants.
    let mut wanted = GetTablesBuilder::from(CommandGetTables { include_schema: false, ..request.clone() });
    for table in session.tables().await.map_err(|error| status::from_engine(&error))? {
        wanted.append(CATALOG, table.schema, table.table, TABLE, &Schema::empty())?;
    }
    let wanted = wanted.build()?;
    if !request.include_schema {
        return Ok(wanted);
    }
    let (schemas, tables) = (wanted.column(1).as_string::<i32>(), wanted.column(2).as_string::<i32>());
    let mut described = GetTablesBuilder::new(
        None::<String>,
        None::<String>,
        None::<String>,
        std::iter::empty::<String>(),
        true,
    );
    for (schema, table) in schemas.iter().flatten().zip(tables.iter().flatten()) {
        let columns = match session.table_schema(schema, table).await {
            Ok(columns) => wire_schema(&columns),
            Err(error) => {
                // One broken table must not hide the others.
                warn!(schema, table, %error, "the table is listed without columns");
                Schema::empty().into()
            }
        };
        described.append(CATALOG, schema, table, TABLE, &columns)?;
    }
    Ok(described.build()?)
}
