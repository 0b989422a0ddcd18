//! Raw files as a DataFusion file source: projection, partition values, limits and metrics around a reader.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use object_store::ObjectStore;

/// What a reader reads into.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The columns to build, no others.
    pub(crate) schema: SchemaRef,
    pub(crate) batch_size: usize,
    pub(crate) metrics: ExecutionPlanMetricsSet,
    pub(crate) partition: usize,
}

/// Reads one file from its start to its end.
pub(crate) trait RawReader: fmt::Debug + Send + Sync {
    /// The name in plans.
    fn name(&self) -> &'static str;

    /// Opens `file`.
    fn open(&self, work: Work, file: PartitionedFile) -> FileOpenFuture;
}

/// A [`FileSource`] around a [`RawReader`].
#[derive(Debug, Clone)]
pub(crate) struct RawSource {
    reader: Arc<dyn RawReader>,
    columns: TableSchema,
    projection: SplitProjection,
    batch_size: Option<usize>,
    metrics: ExecutionPlanMetricsSet,
}

impl RawSource {
    pub(crate) fn new(reader: Arc<dyn RawReader>, columns: TableSchema) -> Self {
        Self {
            reader,
            projection: SplitProjection::unprojected(&columns),
            columns,
            batch_size: None,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

struct Opener {
    reader: Arc<dyn RawReader>,
    work: Work,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        Ok(self.reader.open(self.work.clone(), file))
    }
}

impl FileSource for RawSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        scan: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let file_schema = self.columns.file_schema();
        let work = Work {
            store,
            schema: Arc::new(file_schema.project(&self.projection.file_indices)?),
            batch_size: self.batch_size.or(scan.batch_size).unwrap_or(8192),
            metrics: self.metrics.clone(),
            partition,
        };
        let opener = Arc::new(Opener { reader: Arc::clone(&self.reader), work });
        ProjectionOpener::try_new(self.projection.clone(), opener, file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.columns
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size: Some(batch_size), ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.columns.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.reader.name()
    }

    /// The number of a line is counted from the start of its file.
    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), f)
    }
}
