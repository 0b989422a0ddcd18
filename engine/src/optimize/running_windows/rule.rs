//! The rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::windows::BoundedWindowAggExec;

use super::exec::RunningWindowExec;

/// Physical rule: windows whose answers follow from those of the row before are carried on.
///
/// It comes after the rules that look for DataFusion's windows.
#[derive(Debug, Default)]
pub(crate) struct RunningWindows;

impl RunningWindows {
    /// The name of the rule.
    pub(crate) const NAME: &'static str = "running_windows";
}

impl PhysicalOptimizerRule for RunningWindows {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        carried_on(plan)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `plan`, whose windows are carried on where they can be.
///
/// # Errors
/// When the operators cannot be put together again.
pub(crate) fn carried_on(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let carried = plan.transform_up(|node| {
        let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() else {
            return Ok(Transformed::no(node));
        };
        Ok(match RunningWindowExec::try_new(Arc::new(window.clone()))? {
            Some(running) => Transformed::yes(Arc::new(running) as Arc<dyn ExecutionPlan>),
            None => Transformed::no(node),
        })
    });
    carried.data()
}
