//! The rows of the operator.

use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};

use super::held::Carried;

/// The rows of one partition of the input, with the answers that are carried along.
pub(super) fn rows(
    carried: Carried,
    input: SendableRecordBatchStream,
    schema: SchemaRef,
    metrics: BaselineMetrics,
) -> SendableRecordBatchStream {
    let time = metrics.elapsed_compute().clone();
    let state = Some((carried, input));
    let known = stream::try_unfold(state, move |state| {
        let time = time.clone();
        async move {
            let Some((mut carried, mut input)) = state else { return Ok(None) };
            let next = input.next().await.transpose()?;
            let _timer = time.timer();
            let (known, state) = match next {
                Some(batch) => (carried.next(batch)?, Some((carried, input))),
                None => (carried.close()?, None),
            };
            Ok::<_, DataFusionError>(Some((stream::iter(known.into_iter().map(Ok)), state)))
        }
    });
    let rows = known.try_flatten().map_ok(move |rows| rows.record_output(&metrics));
    make_cooperative(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
}
