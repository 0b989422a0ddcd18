//! The rows of a query, in exactly the schema that was promised.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{SchemaRef, UInt64Type};
use datafusion::error::DataFusionError;
use datafusion::execution::RecordBatchStream;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tracing::Span;

use crate::audit::{Audit, Outcome};
use crate::error::{EngineError, plain};
use crate::execute::limited::Limited;

/// Rows cast and relabelled to one schema, counted for the audit. A panic below ends it as an error: whoever
/// reads on another task would take a stream that just stops for a complete answer.
pub(super) struct ResultStream {
    rows: BoxStream<'static, Result<RecordBatch, DataFusionError>>,
    schema: SchemaRef,
    audit: Audit,
    /// Whether the rows tell how many were written.
    changes: bool,
    limited: Limited,
    span: Span,
}

impl ResultStream {
    pub(super) fn new(
        rows: BoxStream<'static, Result<RecordBatch, DataFusionError>>,
        schema: SchemaRef,
        mut audit: Audit,
        changes: bool,
        limited: Limited,
    ) -> Self {
        audit.outcome = Some(Outcome::Cancelled);
        let rows = AssertUnwindSafe(rows)
            .catch_unwind()
            .map(|next| next.unwrap_or_else(|panic| Err(defect(panic.as_ref()).into())))
            .boxed();
        let span = audit.span();
        Self { rows, schema, audit, changes, limited, span }
    }
}

impl Stream for ResultStream {
    type Item = Result<RecordBatch, DataFusionError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let _inside = this.span.enter();
        let next = futures::ready!(this.rows.poll_next_unpin(context));
        let next = next.map(|rows| {
            // A read beyond the limit is told as that, whatever was made of the error on its way.
            let batch = rows.map_err(|error| match this.limited.check_scanned() {
                Ok(()) => error,
                Err(limit) => limit.into(),
            })?;
            let batch = conform(batch, &this.schema)?;
            this.limited.deliver(&batch)?;
            Ok(batch)
        });
        if let Some(Err(_)) = next {
            // Nothing follows an error, and what is left of the work is dropped.
            this.rows = futures::stream::empty().boxed();
        }
        match &next {
            None if this.audit.outcome == Some(Outcome::Cancelled) => {
                this.audit.outcome = Some(Outcome::Done)
            }
            None => {}
            Some(Ok(batch)) => {
                this.audit.rows += match this.changes {
                    true => written(batch),
                    false => u64::try_from(batch.num_rows()).unwrap_or_default(),
                };
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

fn written(batch: &RecordBatch) -> u64 {
    let counts = batch.columns().first().and_then(|column| column.as_primitive_opt::<UInt64Type>());
    counts.map_or(0, |counts| counts.iter().flatten().sum())
}

pub(crate) fn defect(panic: &(dyn Any + Send)) -> EngineError {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    EngineError::Defect { reason: text.unwrap_or("without a word").to_owned() }
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

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;
    use futures::TryStreamExt;
    use uuid::Uuid;

    use super::*;
    use crate::execute::QueryMetrics;
    use crate::options::QueryLimits;
    use crate::policy::Principal;

    #[tokio::test]
    async fn a_panic_is_an_error_and_not_the_end_of_the_rows() {
        let schema = Arc::new(Schema::empty());
        let empty = RecordBatch::new_empty(Arc::clone(&schema));
        let rows = futures::stream::iter(0..2).map(move |row| match row {
            0 => Ok(empty.clone()),
            _ => panic!("row {row} is impossible"),
        });
        let mut rows = ResultStream::new(
            rows.boxed(),
            schema,
            Audit::new(None, QueryMetrics::default(), &Principal::local(), "SELECT 1", Uuid::nil()),
            false,
            Limited::new(QueryLimits::default(), None),
        );
        assert!(rows.try_next().await.is_ok_and(|batch| batch.is_some()));
        let error = rows.try_next().await.map_err(EngineError::from).unwrap_err();
        assert!(
            matches!(&error, EngineError::Defect { reason } if reason == "row 1 is impossible"),
            "{error}"
        );
        assert!(rows.try_next().await.is_ok_and(|batch| batch.is_none()));
    }
}
