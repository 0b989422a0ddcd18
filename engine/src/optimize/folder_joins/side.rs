//! One side of a join: a scan, and what is done with each of its rows.

use std::sync::Arc;

use datafusion::common::{Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;

use crate::execute::{file_scan, scan_again};

/// One side of a join.
pub(super) struct Side {
    /// From the join down; what only moves rows between partitions is left out.
    steps: Vec<Arc<dyn ExecutionPlan>>,
    scan: FileScanConfig,
}

impl Side {
    /// `None` if `plan` is something else.
    pub(super) fn of(plan: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let mut steps = Vec::new();
        let mut plan = plan;
        loop {
            if let Some(scan) = file_scan(plan.as_ref()) {
                let plain = scan.limit.is_none() && scan.output_ordering.is_empty() && !scan.preserve_order;
                let readable = plain && scan.file_source().is::<ParquetSource>();
                return readable.then(|| Self { steps, scan: scan.clone() });
            }
            let moves = plan.is::<RepartitionExec>() || plan.is::<CoalescePartitionsExec>();
            let of_a_row = plan.is::<FilterExec>() || plan.is::<ProjectionExec>();
            if plan.fetch().is_some() || !(moves || of_a_row) {
                return None;
            }
            if of_a_row {
                steps.push(Arc::clone(plan));
            }
            plan = plan.children().into_iter().next()?;
        }
    }

    /// Which of the columns of its folders `expr` is, over the rows that it gives.
    pub(super) fn folder_column(&self, expr: &Arc<dyn PhysicalExpr>) -> Option<usize> {
        let mut place = expr.downcast_ref::<Column>()?.index();
        for step in &self.steps {
            place = match step.downcast_ref::<ProjectionExec>() {
                Some(projection) => projection.expr().get(place)?.expr.downcast_ref::<Column>()?.index(),
                None => match step.downcast_ref::<FilterExec>()?.projection().as_deref() {
                    Some(places) => *places.get(place)?,
                    None => place,
                },
            };
        }
        let source = self.scan.file_source().downcast_ref::<ParquetSource>()?;
        let read = match source.projection() {
            Some(projection) => {
                projection.iter().nth(place)?.expr.downcast_ref::<Column>().map(Column::index)?
            }
            None => place,
        };
        read.checked_sub(source.table_schema().file_schema().fields().len())
    }

    /// Its files, or ranges of them.
    pub(super) fn files(&self) -> impl Iterator<Item = &PartitionedFile> {
        self.scan.file_groups.iter().flat_map(FileGroup::iter)
    }

    /// The same over these of its files alone, in one partition.
    ///
    /// # Errors
    /// When the operators cannot be put together again.
    pub(super) fn over(&self, files: Vec<PartitionedFile>) -> Result<Arc<dyn ExecutionPlan>> {
        // What is counted is told of each part.
        let scan = scan_again(&self.scan)?;
        let unknown = Statistics::new_unknown(self.scan.file_source().table_schema().table_schema());
        let empty = files.is_empty();
        let scan = scan.with_file_groups(vec![FileGroup::new(files)]).with_statistics(unknown).build();
        let mut plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(scan);
        if empty {
            plan = Arc::new(EmptyExec::new(plan.schema()));
        }
        for step in self.steps.iter().rev() {
            plan = replace_children_if_necessary(Arc::clone(step), vec![plan])?;
        }
        Ok(plan)
    }
}
