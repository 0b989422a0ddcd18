//! Optimizer rule: conditions that cannot fail go below the policy's border, where they skip files and row groups.
//!
//! A condition below the border is tried on rows that the principal may not see. One that may fail, such as
//! `1 / (amount - 5) = 1`, would tell by its failure that such a row exists; only comparisons of stored columns with
//! constants are moved.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Extension, Filter, LogicalPlan, Operator};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::policy::barrier::Barrier;

/// The rule.
#[derive(Debug, Default)]
pub(crate) struct PushHarmlessFilters;

impl OptimizerRule for PushHarmlessFilters {
    fn name(&self) -> &'static str {
        "push_harmless_filters"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = plan else { return Ok(Transformed::no(plan)) };
        let LogicalPlan::Extension(extension) = filter.input.as_ref() else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        let Some(barrier) = extension.node.as_any().downcast_ref::<Barrier>() else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        let (below, above): (Vec<Expr>, Vec<Expr>) = split_conjunction_owned(filter.predicate.clone())
            .into_iter()
            .partition(|part| is_harmless(part, barrier));
        let Some(below) = conjunction(below) else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        let input = LogicalPlan::Filter(Filter::try_new(below, Arc::new(barrier.input.clone()))?);
        let barrier = Barrier { input, ..barrier.clone() };
        let permitted = LogicalPlan::Extension(Extension { node: Arc::new(barrier) });
        Ok(Transformed::yes(match conjunction(above) {
            Some(rest) => LogicalPlan::Filter(Filter::try_new(rest, Arc::new(permitted))?),
            None => permitted,
        }))
    }
}

fn is_harmless(condition: &Expr, barrier: &Barrier) -> bool {
    let is_stored =
        |expr: &Expr| matches!(expr, Expr::Column(column) if !barrier.masked.contains(&column.name));
    let is_operand = |expr: &Expr| is_stored(expr) || matches!(expr, Expr::Literal(..));
    match condition {
        Expr::BinaryExpr(binary) => match binary.op {
            Operator::And | Operator::Or => {
                is_harmless(&binary.left, barrier) && is_harmless(&binary.right, barrier)
            }
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq => is_operand(&binary.left) && is_operand(&binary.right),
            _ => false,
        },
        Expr::Not(inner) => is_harmless(inner, barrier),
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => is_stored(inner),
        Expr::Between(between) => {
            is_operand(&between.expr) && is_operand(&between.low) && is_operand(&between.high)
        }
        Expr::InList(list) => is_operand(&list.expr) && list.list.iter().all(is_operand),
        Expr::Like(like) => is_stored(&like.expr) && matches!(like.pattern.as_ref(), Expr::Literal(..)),
        _ => false,
    }
}
