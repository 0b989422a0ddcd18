//! How deep and how large a plan is, told before anything walks through it: a name of a WITH that stands twice in the next
//! one doubles the plan, and forty of them are more than any machine holds.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;

use crate::error::{EngineError, Result};
use crate::options::LimitName;

/// Operators in all.
pub(super) const LARGEST: u64 = 50_000;

/// Refuses `plan` when it has more than `deepest` operators above each other, or too many in all. Parts that the plan
/// shares are looked at once and counted as often as they stand in it.
///
/// # Errors
/// When it is too deep or too large.
pub(crate) fn check_plan(plan: &LogicalPlan, deepest: u64) -> Result<()> {
    let size = Measuring { known: HashMap::new(), deepest }.measure(plan)?;
    match size.operators > LARGEST {
        true => Err(EngineError::Limit { name: LimitName::PlanSize, most: LARGEST }),
        false => Ok(()),
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: u64,
    operators: u64,
}

struct Measuring {
    known: HashMap<*const LogicalPlan, Size>,
    deepest: u64,
}

impl Measuring {
    fn measure(&mut self, plan: &LogicalPlan) -> Result<Size> {
        if let Some(known) = self.known.get(&std::ptr::from_ref(plan)) {
            return Ok(*known);
        }
        let mut below = Size::default();
        for input in plan.inputs() {
            below = below.beside(self.measure_deeper(input)?);
        }
        let mut subqueries = Vec::new();
        plan.apply_subqueries(|subquery| {
            if let LogicalPlan::Subquery(subquery) = subquery {
                subqueries.push(Arc::clone(&subquery.subquery));
            }
            Ok::<_, DataFusionError>(TreeNodeRecursion::Continue)
        })?;
        for subquery in &subqueries {
            below = below.beside(self.measure_deeper(subquery)?);
        }
        let size = Size { depth: below.depth + 1, operators: below.operators.saturating_add(1) };
        if size.depth > self.deepest {
            return Err(EngineError::Limit { name: LimitName::PlanDepth, most: self.deepest });
        }
        self.known.insert(std::ptr::from_ref(plan), size);
        Ok(size)
    }

    fn measure_deeper(&mut self, plan: &LogicalPlan) -> Result<Size> {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.measure(plan))
    }
}

impl Size {
    fn beside(self, other: Self) -> Self {
        Self { depth: self.depth.max(other.depth), operators: self.operators.saturating_add(other.operators) }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::LogicalPlanBuilder;

    use super::*;

    fn deep(levels: usize) -> LogicalPlan {
        let mut plan = LogicalPlanBuilder::empty(true);
        for level in 0..levels {
            plan = plan.alias(format!("level_{level}")).unwrap();
        }
        plan.build().unwrap()
    }

    #[test]
    fn depth_is_counted_in_operators() {
        check_plan(&deep(9), 10).unwrap();
        let error = check_plan(&deep(10), 10).unwrap_err().to_string();
        assert!(error.contains("more operators above each other than max_plan_depth allows (10)"), "{error}");
    }

    #[test]
    fn what_doubles_is_told_at_once() {
        let mut plan = LogicalPlanBuilder::empty(true).build().unwrap();
        for _ in 0..200 {
            let half = Arc::new(plan);
            plan = LogicalPlan::Union(datafusion::logical_expr::Union {
                inputs: vec![Arc::clone(&half), Arc::clone(&half)],
                schema: Arc::clone(half.schema()),
            });
        }
        let error = check_plan(&plan, 1_000).unwrap_err().to_string();
        assert!(error.contains("more operators than the planner allows (50000)"), "{error}");
    }
}
