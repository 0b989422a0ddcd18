//! Which Parquet file a decoding error came from. DataFusion does not say.

use std::sync::Arc;
use std::time::Duration;

use arrow::error::ArrowError;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::parquet::errors::ParquetError;
use datafusion::physical_plan::ExecutionPlan;
use futures::TryStreamExt;
use object_store::path::Path;

use crate::catalog::{Lake, name_of};
use crate::error::{EngineError, plain};
use crate::execute::file_scan::file_scan;

/// How long to look for the file before the error is passed on as it is.
const PATIENCE: Duration = Duration::from_secs(30);

/// `error` with the name of the broken file, if it is about the content of one of `plan`'s Parquet files.
pub(super) async fn name_broken_file(
    error: DataFusionError,
    plan: &Arc<dyn ExecutionPlan>,
    lake: Option<&Arc<Lake>>,
    context: &Arc<TaskContext>,
) -> DataFusionError {
    let Some(lake) = lake else { return error };
    if !is_about_content(&error) {
        return error;
    }
    let mut scans = Vec::new();
    collect(plan.as_ref(), &mut scans);
    match tokio::time::timeout(PATIENCE, first_broken(&scans, context)).await {
        Ok(Some(file)) => EngineError::File {
            path: name_of(&file, lake.root()),
            reason: format!("its content is broken ({}); replace or remove it", plain(&error)),
        }
        .into(),
        _ => error,
    }
}

fn is_about_content(error: &DataFusionError) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = next {
        if current.is::<ParquetError>() {
            return true;
        }
        if let Some(ArrowError::ParquetError(_)) = current.downcast_ref::<ArrowError>() {
            return true;
        }
        next = current.source();
    }
    false
}

fn collect(plan: &dyn ExecutionPlan, scans: &mut Vec<FileScanConfig>) {
    if let Some(scan) = file_scan(plan)
        && scan.file_source().is::<ParquetSource>()
    {
        scans.push(scan.clone());
    }
    for child in plan.children() {
        collect(child.as_ref(), scans);
    }
}

/// Reads each file alone, in the order of the plan, until one fails.
async fn first_broken(scans: &[FileScanConfig], context: &Arc<TaskContext>) -> Option<Path> {
    for scan in scans {
        for file in scan.file_groups.iter().flat_map(FileGroup::iter) {
            let alone = FileScanConfigBuilder::from(scan.clone())
                .with_file_groups(vec![FileGroup::new(vec![file.clone()])])
                .build();
            if read_through(&DataSourceExec::new(Arc::new(alone)), context).await.is_err() {
                return Some(file.object_meta.location.clone());
            }
        }
    }
    None
}

async fn read_through(scan: &DataSourceExec, context: &Arc<TaskContext>) -> Result<(), DataFusionError> {
    let mut batches = scan.execute(0, Arc::clone(context))?;
    while batches.try_next().await?.is_some() {}
    Ok(())
}
