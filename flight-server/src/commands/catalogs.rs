//! `CommandGetCatalogs`: there is one.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::sql::metadata::GetCatalogsBuilder;
use tonic::Status;

use super::CATALOG;

pub(super) fn schema() -> SchemaRef {
    GetCatalogsBuilder::new().schema()
}

pub(super) fn rows() -> Result<RecordBatch, Status> {
    let mut builder = GetCatalogsBuilder::new();
    builder.append(CATALOG);
    Ok(builder.build()?)
}
