//! Rows from everywhere in a table, the same ones every time.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use datafusion::error::DataFusionError;

use crate::error::Result;
use crate::plan::sql_literal::identifier as quoted;
use crate::session::Session;

/// The name of the place of a row among those of a table.
pub(super) const PLACE: &str = "tithe place of the row";
/// Rows that tell of all.
pub(super) const ROWS: u64 = 1 << 16;

/// A session of the same principal that sees these files of a table alone, and reads them in order.
///
/// # Errors
/// When it cannot be made.
pub(super) fn in_order(session: &Session, table: &str, files: &[String]) -> Result<Session> {
    let narrowed = session.narrowed(table, files)?;
    // Of several partitions nobody knows whose rows come first.
    narrowed.context.state_ref().write().config_mut().options_mut().execution.target_partitions = 1;
    Ok(narrowed)
}

/// The rows of a table with the places that they have, which a frame without an end would gather in memory.
pub(super) fn with_places(table: &str) -> String {
    let place = quoted(PLACE);
    format!(
        "(SELECT *, row_number() OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS {place} FROM {table})"
    )
}

/// The first [`ROWS`] rows that `session`, which reads in order, sees of the table.
///
/// # Errors
/// When they cannot be read.
pub(super) async fn first(session: &Session, table: &str, columns: &[String]) -> Result<RecordBatch> {
    let list = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    gather(session, &format!("SELECT {list} FROM {table} LIMIT {ROWS}")).await
}

/// Some [`ROWS`] rows of the `rows` that `session`, which reads in order, sees of the table: every so many one.
///
/// # Errors
/// When they cannot be read.
pub(super) async fn sample(
    session: &Session,
    table: &str,
    columns: &[String],
    rows: u64,
) -> Result<RecordBatch> {
    let step = rows / ROWS + 1;
    let list = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {list} FROM {} WHERE {} % {step} = 0", with_places(table), quoted(PLACE));
    gather(session, &sql).await
}

async fn gather(session: &Session, sql: &str) -> Result<RecordBatch> {
    let query = session.query(sql).await?;
    let schema = query.schema();
    let batches = query.collect().await?;
    Ok(concat_batches(&schema, &batches).map_err(DataFusionError::from)?)
}
