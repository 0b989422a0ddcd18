//! The rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::sanity_checker::SanityCheckPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::WindowAggExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::exec::WholeWindowExec;

/// Physical rule: windows over whole partitions for whose sake alone rows are sorted find their groups by hash.
///
/// It comes when sorts have been placed, and before it is forgotten which order the query asks for.
#[derive(Debug, Default)]
pub(crate) struct WholeWindows;

impl WholeWindows {
    /// The name of the rule.
    pub(crate) const NAME: &'static str = "whole_windows";
}

impl PhysicalOptimizerRule for WholeWindows {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        replaced_where_possible(plan, config, false)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `plan`, whose order somebody else may count on, without the sorts that only windows over whole partitions need.
///
/// # Errors
/// When the operators cannot be put together again.
pub(crate) fn without_sorts(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    replaced_where_possible(plan, &ConfigOptions::default(), true)
}

fn replaced_where_possible(
    mut plan: Arc<dyn ExecutionPlan>,
    config: &ConfigOptions,
    keeps_order: bool,
) -> Result<Arc<dyn ExecutionPlan>> {
    // The sorted windows that are left as they are because somebody above needs their order.
    let mut left = 0;
    while let Some(instead) = without_sort(&plan, left)? {
        let fits = SanityCheckPlan::new().optimize(Arc::clone(&instead), config).is_ok()
            && (!keeps_order || has_order_of(&instead, &plan)?);
        match fits {
            true => plan = instead,
            false => left += 1,
        }
    }
    Ok(plan)
}

fn has_order_of(instead: &Arc<dyn ExecutionPlan>, plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    match plan.output_ordering() {
        Some(order) => instead.equivalence_properties().ordering_satisfy(order.clone()),
        None => Ok(true),
    }
}

/// `plan` with the sorted windows replaced that come after `skipped` others; `None` if there are none.
fn without_sort(plan: &Arc<dyn ExecutionPlan>, mut skipped: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let replaced = Arc::clone(plan).transform_down(|node| {
        let Some(instead) = over_unsorted(&node)? else { return Ok(Transformed::no(node)) };
        if skipped > 0 {
            skipped -= 1;
            return Ok(Transformed::no(node));
        }
        Ok(Transformed::new(instead, true, TreeNodeRecursion::Stop))
    })?;
    Ok(replaced.transformed.then_some(replaced.data))
}

/// The windows over whole partitions that begin with `node`, over what is sorted for them.
fn over_unsorted(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(window) = node.downcast_ref::<WindowAggExec>() else { return Ok(None) };
    let input = match window.input().downcast_ref::<SortExec>() {
        Some(sort) if sort.fetch().is_none() => Arc::clone(sort.input()),
        Some(_) => return Ok(None),
        None => match over_unsorted(window.input())? {
            Some(input) => input,
            None => return Ok(None),
        },
    };
    let whole = WholeWindowExec::try_new(window, input)?;
    Ok(whole.map(|whole| Arc::new(whole) as Arc<dyn ExecutionPlan>))
}
