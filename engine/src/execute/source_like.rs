//! What reads Parquet files as another does.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::datasource::physical_plan::{
    FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;

/// Reads `projection` of files of `table` where `filter` may hold, with the options, footers and stores of `source`; what it
/// counts is its own. `None` if the projection cannot be read.
///
/// # Errors
/// When the projection does not fit the table.
pub(crate) fn source_like(
    source: &ParquetSource,
    table: TableSchema,
    filter: Option<Arc<dyn PhysicalExpr>>,
    projection: &ProjectionExprs,
) -> Result<Option<Arc<dyn FileSource>>> {
    let options = source.table_parquet_options();
    let mut like = ParquetSource::new(table).with_table_parquet_options(options.clone());
    if let Some(hint) = options.global.metadata_size_hint {
        like = like.with_metadata_size_hint(hint);
    }
    if let Some(factory) = source.parquet_file_reader_factory() {
        like = like.with_parquet_file_reader_factory(Arc::clone(factory));
    }
    if let Some(filter) = filter {
        like = like.with_predicate(filter);
    }
    like.try_pushdown_projection(projection)
}

/// `scan` of Parquet files once more, as if it had been planned twice: what it counts is its own.
///
/// # Errors
/// When the projection does not fit the table.
pub(crate) fn scan_again(scan: &FileScanConfig) -> Result<FileScanConfigBuilder> {
    let again = FileScanConfigBuilder::from(scan.clone());
    let Some(source) = scan.file_source().downcast_ref::<ParquetSource>() else { return Ok(again) };
    let Some(columns) = source.projection() else { return Ok(again) };
    let own = source_like(source, source.table_schema().clone(), source.filter(), columns)?;
    Ok(match own {
        Some(own) => again.with_source(own),
        None => again,
    })
}
