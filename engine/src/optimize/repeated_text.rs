//! Physical rule: a filter by text asks once for each text.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{DynamicFilterTracking, PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};

use super::once_per_text::OncePerText;

/// The rule.
#[derive(Debug, Default)]
pub(crate) struct RepeatedText;

impl PhysicalOptimizerRule for RepeatedText {
    fn name(&self) -> &'static str {
        "repeated_text"
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        once_per_text(plan)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Makes the filters of `plan` ask once for each text.
///
/// # Errors
/// When the operators cannot be put together again.
pub(crate) fn once_per_text(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|plan| {
        let Some(filter) = plan.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(plan)) };
        let predicate = wrap_searches(filter.predicate(), &filter.input().schema())?;
        if !predicate.transformed {
            return Ok(Transformed::no(plan));
        }
        let filter = FilterExecBuilder::from(filter).with_predicate(predicate.data).build()?;
        Ok(Transformed::yes(Arc::new(filter) as Arc<dyn ExecutionPlan>))
    })
    .data()
}

/// Wraps the largest parts of a condition that search the texts of one column.
fn wrap_searches(
    condition: &Arc<dyn PhysicalExpr>,
    schema: &Schema,
) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    Arc::clone(condition).transform_down(|part| {
        if part.downcast_ref::<OncePerText>().is_some() {
            return Ok(Transformed::new(part, false, TreeNodeRecursion::Jump));
        }
        if !searches_one_text(&part, schema)? {
            return Ok(Transformed::no(part));
        }
        let part: Arc<dyn PhysicalExpr> = Arc::new(OncePerText::new(part)?);
        Ok(Transformed::new(part, true, TreeNodeRecursion::Jump))
    })
}

fn searches_one_text(part: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<bool> {
    if part.data_type(schema)? != DataType::Boolean || is_volatile(part) || is_dynamic(part) {
        return Ok(false);
    }
    let mut columns = collect_columns(part).into_iter();
    let (Some(column), None) = (columns.next(), columns.next()) else { return Ok(false) };
    let repeats = match column.data_type(schema)? {
        DataType::Utf8View => searches(part),
        // A dictionary may hold texts of rows that another condition leaves out: to fail on one would tell of it.
        DataType::Dictionary(_, values) => is_text(&values) && asks_for_texts(part) && cannot_fail(part),
        _ => false,
    };
    Ok(repeats)
}

/// The places of the text columns whose searches in `condition` may as well be asked of all texts of a dictionary.
pub(super) fn searched_columns(
    condition: &Arc<dyn PhysicalExpr>,
    schema: &Schema,
) -> Result<BTreeSet<usize>> {
    let mut columns = BTreeSet::new();
    condition.apply(|part| {
        if !(searches_one_text(part, schema)? && cannot_fail(part)) {
            return Ok(TreeNodeRecursion::Continue);
        }
        columns.extend(collect_columns(part).into_iter().map(|column| column.index()));
        Ok(TreeNodeRecursion::Jump)
    })?;
    Ok(columns)
}

fn is_dynamic(part: &Arc<dyn PhysicalExpr>) -> bool {
    DynamicFilterTracking::classify(part).contains_dynamic_filter()
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether it asks for more than whether the text is NULL.
fn asks_for_texts(part: &Arc<dyn PhysicalExpr>) -> bool {
    !(part.is::<IsNullExpr>() || part.is::<IsNotNullExpr>())
}

/// Whether something in it costs more than to look a text up.
fn searches(part: &Arc<dyn PhysicalExpr>) -> bool {
    part.downcast_ref::<LikeExpr>().is_some()
        || part.downcast_ref::<ScalarFunctionExpr>().is_some()
        || part.downcast_ref::<BinaryExpr>().is_some_and(|binary| is_regular_expression(*binary.op()))
        || part.children().into_iter().any(searches)
}

fn is_regular_expression(operator: Operator) -> bool {
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    matches!(operator, RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch)
}

/// Whether it can be asked of any value without an error.
pub(super) fn cannot_fail(part: &Arc<dyn PhysicalExpr>) -> bool {
    let itself = match part.downcast_ref::<BinaryExpr>() {
        Some(binary) => {
            let operator = binary.op();
            matches!(operator, Operator::And | Operator::Or) || operator.supports_propagation()
        }
        None => {
            part.downcast_ref::<Column>().is_some()
                || part.downcast_ref::<Literal>().is_some()
                || part.downcast_ref::<LikeExpr>().is_some()
                || part.downcast_ref::<InListExpr>().is_some()
                || part.downcast_ref::<NotExpr>().is_some()
                || part.downcast_ref::<IsNullExpr>().is_some()
                || part.downcast_ref::<IsNotNullExpr>().is_some()
                || part.downcast_ref::<CastExpr>().is_some_and(|cast| {
                    is_text(cast.cast_type()) && cast.expr().downcast_ref::<Column>().is_some()
                })
        }
    };
    itself && part.children().into_iter().all(cannot_fail)
}
