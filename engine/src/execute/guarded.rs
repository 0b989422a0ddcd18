//! A task's operators on a worker, where a panic must not look like the end of the rows.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};
use datafusion_distributed::{BroadcastExec, NetworkBoundaryExt};
use futures::StreamExt;

use crate::execute::query_span::{Inside, TaskSpan};
use crate::execute::result_stream::defect;

/// The operator that hands a union's inputs to different tasks, in the words of the library that makes it.
const UNION_OF_TASKS: &str = "ChildrenIsolatorUnionExec";

/// Stands for `inner` in every way, and ends its streams with an error where they would panic: whoever sends them on
/// another thread would only see them stop.
#[derive(Debug)]
struct Guarded {
    inner: Arc<dyn ExecutionPlan>,
    span: TaskSpan,
}

/// Guards the operators of a task, whose log lines stand in `span`.
///
/// # Errors
/// When the operators cannot be put together again.
pub(crate) fn guard(plan: Arc<dyn ExecutionPlan>, span: &TaskSpan) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.is_network_boundary() {
        return Ok(plan);
    }
    // These are looked for at the head of a task.
    let is_head = plan.is::<RepartitionExec>() || plan.is::<BroadcastExec>() || plan.name() == UNION_OF_TASKS;
    if is_head {
        let children = plan.children().into_iter().map(|child| guard(Arc::clone(child), span));
        let children = children.collect::<Result<Vec<_>>>()?;
        return plan.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep));
    }
    Ok(Arc::new(Guarded { inner: plan, span: span.clone() }))
}

impl DisplayAs for Guarded {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_as(format, f)
    }
}

impl ExecutionPlan for Guarded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.inner.properties()
    }

    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inner.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.inner.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let inner = Arc::clone(&self.inner).replace_children(children, options)?;
        Ok(Arc::new(Self { inner, span: self.span.clone() }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let span = self.span.of_partition(partition);
        let _inside = span.enter();
        let started = catch_unwind(AssertUnwindSafe(|| self.inner.execute(partition, context)));
        let rows = started.unwrap_or_else(|panic| Err(defect(panic.as_ref()).into()))?;
        let rows = AssertUnwindSafe(rows)
            .catch_unwind()
            .map(|next| next.unwrap_or_else(|panic| Err(defect(panic.as_ref()).into())));
        let rows = Inside { rows: rows.boxed(), span: span.clone() };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.inner.metrics()
    }
}
