//! A partition's rows, and the file that holds them.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;

use crate::error::Result;
use crate::execute::Query;
use crate::job::record::Plan;
use crate::job::value::{Partition, without_partition_columns};
use crate::session::Session;
use crate::write::{ParquetObject, encode};

/// Rows that are put into a file at once: what a batch is elsewhere.
const ROWS: usize = 8192;

/// The rows of the partition at `place` of `plan`, in `schema`, as one batch.
///
/// They stand in the order of the query if it ends in one, and otherwise in the order of their columns: not in one that
/// depends on how many threads there were.
///
/// # Errors
/// When the query fails, a row belongs to another partition, or the rows exceed the memory for queries.
pub(crate) async fn rows(
    session: &Session,
    plan: &Plan,
    place: usize,
    partition: &Partition,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let query = match plan.groups.get(place) {
        Some(files) => {
            let table = plan.cut.pointer("/files/table").and_then(|table| table.as_str()).unwrap_or_default();
            session.narrowed(table, files)?.query(&plan.sql).await?
        }
        None => session.query_with(&plan.sql, &partition.scalars()).await?,
    };
    let ordered = is_ordered(&query);
    let reservation = MemoryConsumer::new("the rows of a partition").register(session.engine().memory_pool());
    let mut batches = query.execute().await?;
    let mut gathered = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        let batch = without_partition_columns(&batch, partition, &plan.output)?;
        // Once for the batch, once for the whole that it becomes part of.
        reservation.try_grow(2 * batch.get_array_memory_size())?;
        gathered.push(batch);
    }
    let whole = concat_batches(schema, &gathered).map_err(DataFusionError::from)?;
    match ordered {
        true => Ok(whole),
        false => sorted(whole),
    }
}

fn is_ordered(query: &Query) -> bool {
    let mut plan = query.logical_plan();
    while let LogicalPlan::Limit(limit) = plan {
        plan = &limit.input;
    }
    matches!(plan, LogicalPlan::Sort(_))
}

/// `batch` in the order of its columns, from left to right; as it is where a column has no order.
fn sorted(batch: RecordBatch) -> Result<RecordBatch> {
    let fields: Vec<SortField> =
        batch.schema_ref().fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    if !RowConverter::supports_fields(&fields) {
        return Ok(batch);
    }
    let converter = RowConverter::new(fields).map_err(DataFusionError::from)?;
    let keys = converter.convert_columns(batch.columns()).map_err(DataFusionError::from)?;
    let mut order: Vec<usize> = (0..batch.num_rows()).collect();
    order.sort_by(|a, b| keys.row(*a).cmp(&keys.row(*b)));
    let order: UInt64Array = order.into_iter().filter_map(|row| u64::try_from(row).ok()).collect();
    Ok(take_record_batch(&batch, &order).map_err(DataFusionError::from)?)
}

/// The file of a partition's rows.
///
/// # Errors
/// When it exceeds the memory for queries.
pub(crate) async fn file(session: &Session, rows: RecordBatch) -> Result<ParquetObject> {
    let schema = rows.schema();
    let starts = (0..rows.num_rows()).step_by(ROWS);
    let cut: Vec<RecordBatch> =
        starts.map(|start| rows.slice(start, ROWS.min(rows.num_rows() - start))).collect();
    drop(rows);
    let batches = futures::stream::iter(cut.into_iter().map(Ok));
    encode(Arc::clone(&schema), batches, session.engine().memory_pool()).await
}
