//! `CommandGetTableTypes`: there is one.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use tonic::Status;

use super::tables::TABLE;
use crate::status;

pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("table_type", DataType::Utf8, false)]))
}

pub(super) fn rows() -> Result<RecordBatch, Status> {
    let types = StringArray::from(vec![TABLE]);
    RecordBatch::try_new(schema(), vec![Arc::new(types)]).map_err(|error| status::from_arrow(&error))
}
