//! The rows of a query, in exactly the schema that was promised.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::RecordBatchStream;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};

use crate::error::plain;
use crate::policy::{Audit, Outcome};

/// Rows cast and relabelled to one schema, counted for the audit.
pub(super) struct ResultStream {
    rows: BoxStream<'static, Result<RecordBatch, DataFusionError>>,
    schema: SchemaRef,
    audit: Audit,
}

impl ResultStream {
    pub(super) fn new(
        rows: BoxStream<'static, Result<RecordBatch, DataFusionError>>,
        schema: SchemaRef,
        mut audit: Audit,
    ) -> Self {
        audit.outcome = Some(Outcome::Cancelled);
        Self { rows, schema, audit }
    }
}

impl Stream for ResultStream {
    type Item = Result<RecordBatch, DataFusionError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let next = futures::ready!(this.rows.poll_next_unpin(context));
        let next = next.map(|rows| rows.and_then(|batch| conform(batch, &this.schema)));
        match &next {
            None if this.audit.outcome == Some(Outcome::Cancelled) => {
                this.audit.outcome = Some(Outcome::Done)
            }
            None => {}
            Some(Ok(batch)) => {
                this.audit.rows += u64::try_from(batch.num_rows()).unwrap_or_default();
            }
            Some(Err(error)) => this.audit.outcome = Some(Outcome::Failed(plain(error))),
        }
        Poll::Ready(next)
    }
}

impl RecordBatchStream for ResultStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// `batch` in `schema`: optimizing may have changed types in their encoding, nullability and metadata.
fn conform(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    if batch.schema_ref() == schema {
        return Ok(batch);
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => cast_with_options(column, field.data_type(), &strict),
        })
        .collect::<Result<Vec<ArrayRef>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
