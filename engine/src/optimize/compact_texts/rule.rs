//! The rule.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::sorts::sort::SortExec;

use super::exec::CompactTextsExec;

/// Physical rule: what sorts and joins hold is compacted on its way to them.
#[derive(Debug, Default)]
pub(crate) struct CompactTexts;

impl CompactTexts {
    /// The name of the rule.
    pub(crate) const NAME: &'static str = "compact_texts";
}

impl PhysicalOptimizerRule for CompactTexts {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        with_compact_texts(plan)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `plan`, whose sorts and joins hold compact texts where memory is short.
///
/// # Errors
/// When the operators cannot be put together again.
pub(crate) fn with_compact_texts(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let compact = plan.transform_up(|node| {
        if !holds_first_input(&node) {
            return Ok(Transformed::no(node));
        }
        let mut children: Vec<_> = node.children().into_iter().cloned().collect();
        match children.first_mut() {
            Some(held) if has_views(held) => *held = Arc::new(CompactTextsExec::new(Arc::clone(held))),
            _ => return Ok(Transformed::no(node)),
        }
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        Ok(Transformed::yes(node.replace_children(children, options)?))
    });
    compact.data()
}

/// Whether all rows of the first input are held before the first one is given.
fn holds_first_input(node: &Arc<dyn ExecutionPlan>) -> bool {
    let sort = node.downcast_ref::<SortExec>();
    sort.is_some_and(|sort| sort.fetch().is_none())
        || node.downcast_ref::<HashJoinExec>().is_some()
        || node.downcast_ref::<NestedLoopJoinExec>().is_some()
        || node.downcast_ref::<CrossJoinExec>().is_some()
}

fn has_views(input: &Arc<dyn ExecutionPlan>) -> bool {
    let schema = input.schema();
    schema.fields().iter().any(|field| matches!(field.data_type(), DataType::Utf8View | DataType::BinaryView))
}
