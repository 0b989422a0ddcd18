//! What the leaves of a plan read.

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;

/// The scan of files that `operator` is, if it is one.
pub(crate) fn file_scan(operator: &dyn ExecutionPlan) -> Option<&FileScanConfig> {
    operator.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()
}

/// Whether `leaf` says all of its rows itself.
pub(crate) fn reads_nothing(leaf: &dyn ExecutionPlan) -> bool {
    leaf.is::<EmptyExec>() || leaf.is::<PlaceholderRowExec>()
}
