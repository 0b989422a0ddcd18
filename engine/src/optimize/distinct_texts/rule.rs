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

use super::exec::{DistinctTextsExec, Step};

/// Physical rule: the steps of groups of one text of which nothing is asked are taken by [`DistinctTextsExec`], but for those
/// that are taken by codes.
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
        let found = node.downcast_ref::<AggregateExec>().and_then(tells_texts_apart);
        Ok(match found {
            Some(step) => {
                Transformed::yes(Arc::new(DistinctTextsExec::new(node, step)) as Arc<dyn ExecutionPlan>)
            }
            None => Transformed::no(node),
        })
    })
    .data()
}

/// The step that `aggregate` is, if all it does is to give each text of a column once. Where only so many are wanted, or they come
/// sorted, it knows better itself.
fn tells_texts_apart(aggregate: &AggregateExec) -> Option<Step> {
    let last = match aggregate.mode() {
        AggregateMode::Partial => false,
        AggregateMode::Final | AggregateMode::FinalPartitioned => true,
        _ => return None,
    };
    let groups = aggregate.group_expr();
    let [(expr, _)] = groups.expr() else { return None };
    let column = expr.downcast_ref::<Column>()?.index();
    let input = aggregate.input().schema();
    let of_text = *input.fields().get(column)?.data_type() == DataType::Utf8View;
    let plain = groups.is_single()
        && aggregate.aggr_expr().is_empty()
        && aggregate.limit_options().is_none()
        && aggregate.properties().output_ordering().is_none();
    (of_text && plain).then_some(Step { column, last })
}
