//! Parquet folders, with hive partitions as columns.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};

/// A provider over every Parquet file below `root`.
pub(crate) async fn provider(session: &dyn Session, root: &str) -> Result<Arc<dyn TableProvider>> {
    let url = ListingTableUrl::parse(root)?;
    let mut options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let partitions = options.infer_partitions(session, &url).await?;
    options = options.with_table_partition_cols(
        partitions.into_iter().map(|name| (name, arrow::datatypes::DataType::Utf8)).collect(),
    );
    let schema = options.infer_schema(session, &url).await?;
    let config = ListingTableConfig::new(url).with_listing_options(options).with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}
