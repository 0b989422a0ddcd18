//! The commands whose answer is known or read from the catalog: the list of them all.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::sql::Command;
use tonic::Status;

use super::{catalogs, keys, schemas, table_types, tables};
use crate::service::{Caller, FlightSql};

/// What the command returns; none when it is not one of these.
pub(super) fn schema(server: &FlightSql, command: &Command) -> Option<SchemaRef> {
    Some(match command {
        Command::CommandGetCatalogs(_) => catalogs::schema(),
        Command::CommandGetDbSchemas(request) => schemas::schema(request),
        Command::CommandGetTables(request) => tables::schema(request),
        Command::CommandGetTableTypes(_) => table_types::schema(),
        Command::CommandGetPrimaryKeys(_) => keys::primary(),
        Command::CommandGetExportedKeys(_)
        | Command::CommandGetImportedKeys(_)
        | Command::CommandGetCrossReference(_) => keys::foreign(),
        Command::CommandGetSqlInfo(_) => server.constants.sql_info.schema(),
        Command::CommandGetXdbcTypeInfo(_) => server.constants.type_info.schema(),
        _ => return None,
    })
}

/// Its rows; none when it is not one of these.
pub(super) async fn rows(
    server: &FlightSql,
    caller: &Caller,
    command: &Command,
) -> Result<Option<RecordBatch>, Status> {
    let rows = match command {
        Command::CommandGetCatalogs(_) => catalogs::rows()?,
        Command::CommandGetDbSchemas(request) => schemas::rows(server, caller, request).await?,
        Command::CommandGetTables(request) => tables::rows(server, caller, request).await?,
        Command::CommandGetTableTypes(_) => table_types::rows()?,
        Command::CommandGetPrimaryKeys(_) => RecordBatch::new_empty(keys::primary()),
        Command::CommandGetExportedKeys(_)
        | Command::CommandGetImportedKeys(_)
        | Command::CommandGetCrossReference(_) => RecordBatch::new_empty(keys::foreign()),
        Command::CommandGetSqlInfo(request) => {
            server.constants.sql_info.record_batch(request.info.iter().copied())?
        }
        Command::CommandGetXdbcTypeInfo(request) => {
            server.constants.type_info.record_batch(request.data_type)?
        }
        _ => return Ok(None),
    };
    Ok(Some(rows))
}
