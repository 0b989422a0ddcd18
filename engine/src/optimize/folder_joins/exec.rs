//! The operator.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};

/// Gives the rows of several plans with one partition each; a partition runs those that are its own one after the other.
#[derive(Debug)]
pub(super) struct InTurnsExec {
    parts: Vec<Arc<dyn ExecutionPlan>>,
    /// The places of the parts of each partition.
    turns: Vec<Vec<usize>>,
    /// What the parts are, for whoever reads the plan.
    what: String,
    properties: Arc<PlanProperties>,
}

impl InTurnsExec {
    /// # Errors
    /// Without parts.
    pub(super) fn try_new(
        parts: Vec<Arc<dyn ExecutionPlan>>,
        turns: Vec<Vec<usize>>,
        what: String,
    ) -> Result<Self> {
        let Some(first) = parts.first() else { return internal_err!("there is nothing to run in turns") };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(first.schema()),
            Partitioning::UnknownPartitioning(turns.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { parts, turns, what, properties: Arc::new(properties) })
    }
}

impl DisplayAs for InTurnsExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, partitions) = (self.parts.len(), self.turns.len());
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "InTurnsExec: {}, parts={parts}, partitions={partitions}", self.what)
            }
            DisplayFormatType::TreeRender => {
                writeln!(f, "{}", self.what)?;
                writeln!(f, "parts={parts}")
            }
        }
    }
}

impl ExecutionPlan for InTurnsExec {
    fn name(&self) -> &'static str {
        "InTurnsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.parts.iter().collect()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    /// Parts are many already.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.parts.len()]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != self.parts.len() {
            return internal_err!("{} has {} parts, not {}", self.name(), self.parts.len(), children.len());
        }
        Ok(Arc::new(Self::try_new(children, self.turns.clone(), self.what.clone())?))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(turns) = self.turns.get(partition) else {
            return internal_err!("{} has no partition {partition}", self.name());
        };
        let parts: Vec<_> = turns.iter().filter_map(|place| self.parts.get(*place)).map(Arc::clone).collect();
        // Each begins when the one before it has ended, and is gone with its memory.
        let rows = stream::iter(parts).map(move |part| part.execute(0, Arc::clone(&context))).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
