//! The rule.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};

use super::exec::DistinctTextsExec;

/// Physical rule: the last step of groups of one text of which nothing is asked is taken by [`DistinctTextsExec`].
#[derive(Debug, Default)]
pub(crate) struct DistinctTexts;

impl DistinctTexts {
    /// The name of the rule.
    pub(crate) const NAME: &'static str = "distinct_texts";
}

impl PhysicalOptimizerRule for DistinctTexts {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        with_distinct_texts(plan)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `plan` with the rule followed.
///
/// # Errors
/// When the operators cannot be put together again.
pub(crate) fn with_distinct_texts(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        Ok(match node.downcast_ref::<AggregateExec>().is_some_and(tells_texts_apart) {
            true => Transformed::yes(Arc::new(DistinctTextsExec::new(node)) as Arc<dyn ExecutionPlan>),
            false => Transformed::no(node),
        })
    })
    .data()
}

/// Whether all that `aggregate` does is to give each text of its one input column once. Where only so many are wanted, or they
/// come sorted, it knows better itself.
fn tells_texts_apart(aggregate: &AggregateExec) -> bool {
    let last = matches!(aggregate.mode(), AggregateMode::Final | AggregateMode::FinalPartitioned);
    let groups = aggregate.group_expr();
    let by_column = match groups.expr() {
        [(expr, _)] => expr.downcast_ref::<Column>().is_some_and(|column| column.index() == 0),
        _ => false,
    };
    let input = aggregate.input().schema();
    let of_text = matches!(input.fields().as_ref(), [field] if *field.data_type() == DataType::Utf8View);
    let sorted = aggregate.properties().output_ordering().is_some();
    last && by_column
        && of_text
        && groups.is_single()
        && aggregate.aggr_expr().is_empty()
        && aggregate.limit_options().is_none()
        && !sorted
}
