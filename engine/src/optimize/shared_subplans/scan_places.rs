//! Where the columns of a scan are in another, which reads the same rows.

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileSource, ParquetSource};
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_plan::ExecutionPlan;

use crate::execute::file_scan;

/// For each column of `narrow` the one of `wide` that is the same; `None` if they are not both scans of the same rows of the same
/// Parquet files.
pub(super) fn scan_places(narrow: &dyn ExecutionPlan, wide: &dyn ExecutionPlan) -> Option<Vec<usize>> {
    let (narrow, wide) = (file_scan(narrow)?, file_scan(wide)?);
    let of_narrow = narrow.file_source().downcast_ref::<ParquetSource>()?;
    let of_wide = wide.file_source().downcast_ref::<ParquetSource>()?;
    if !same_files(narrow, wide) || !same_source(of_narrow, of_wide) {
        return None;
    }
    let read: Vec<&ProjectionExpr> = of_wide.projection()?.iter().collect();
    of_narrow.projection()?.iter().map(|narrow| read.iter().position(|wide| *wide == narrow)).collect()
}

fn same_files(left: &FileScanConfig, right: &FileScanConfig) -> bool {
    // In an order, or up to a limit, it matters which rows come first.
    let plain = |scan: &FileScanConfig| {
        scan.limit.is_none()
            && !scan.preserve_order
            && scan.output_ordering.is_empty()
            && scan.output_partitioning.is_none()
            && scan.expr_adapter_factory.is_none()
    };
    plain(left)
        && plain(right)
        && left.object_store_url == right.object_store_url
        && left.file_compression_type == right.file_compression_type
        && left.file_groups.len() == right.file_groups.len()
        && left.file_groups.iter().zip(&right.file_groups).all(|(left, right)| same_group(left, right))
}

fn same_group(left: &FileGroup, right: &FileGroup) -> bool {
    left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| same_file(left, right))
}

fn same_file(left: &PartitionedFile, right: &PartitionedFile) -> bool {
    let plan = |file: &PartitionedFile| file.extensions.get::<ParquetAccessPlan>().cloned();
    // What else may hang on a file is not known here.
    let known = |file: &PartitionedFile| file.extensions.len() == usize::from(plan(file).is_some());
    known(left)
        && known(right)
        && plan(left) == plan(right)
        && left.object_meta == right.object_meta
        && left.partition_values == right.partition_values
        && left.range == right.range
        && left.arrow_schema == right.arrow_schema
}

fn same_source(left: &ParquetSource, right: &ParquetSource) -> bool {
    let (of_left, of_right) = (left.table_schema(), right.table_schema());
    left.filter() == right.filter()
        && left.table_parquet_options() == right.table_parquet_options()
        // Of one engine, they are all made alike: for the store, which is the same.
        && left.parquet_file_reader_factory().is_some() == right.parquet_file_reader_factory().is_some()
        && of_left.file_schema() == of_right.file_schema()
        && of_left.table_partition_cols() == of_right.table_partition_cols()
        && of_left.virtual_columns() == of_right.virtual_columns()
}
