//! The same rows by sorting, which needs less memory.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use datafusion::common::{Result, internal_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::windows::WindowAggExec;
use futures::stream;

/// The rows of `window`, whose input are the rows of `input`.
///
/// # Errors
/// When they cannot be sorted.
pub(super) fn sorted(
    window: &WindowAggExec,
    input: SendableRecordBatchStream,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let schema = window.input().schema();
    let once = Once { schema: Arc::clone(&schema), rows: Mutex::new(Some(input)) };
    let source = StreamingTableExec::try_new(schema, vec![Arc::new(once)], None, None, false, None)?;
    let keys = window.window_expr().first().map(|call| call.partition_by()).unwrap_or_default();
    let keys = keys.iter().map(|key| PhysicalSortExpr::new_default(Arc::clone(key)));
    let Some(order) = LexOrdering::new(keys) else { return internal_err!("a window without keys is sorted") };
    let sort = SortExec::new(order, Arc::new(source));
    WindowAggExec::try_new(window.window_expr().to_vec(), Arc::new(sort), true)?.execute(0, context)
}

/// Rows that can be read once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Once").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| {
            let error = internal_datafusion_err!("the rows of a window are read twice");
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter([Err(error)])))
        })
    }
}
