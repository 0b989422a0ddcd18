//! The rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNode;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;

use super::exec::SharedExec;
use super::runs::SharedRuns;
use super::same::same;

/// Physical rule: an aggregate that stands in a plan several times, as one of a CTE does that is asked for more than once, is
/// computed once.
///
/// Of aggregates alone there are few enough rows to keep. It comes before joins and sorts give the scans below them conditions of
/// their own, by which one part of a plan would be another than its twin.
#[derive(Debug, Default)]
pub(crate) struct SharedSubplans;

impl SharedSubplans {
    /// The name of the rule.
    pub(crate) const NAME: &'static str = "shared_subplans";
}

impl PhysicalOptimizerRule for SharedSubplans {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // It runs its parts again and again, each time as if they had not been run.
        if plan.exists(|node| Ok(node.is::<RecursiveQueryExec>()))? {
            return Ok(plan);
        }
        let mut found = Vec::new();
        find(&plan, &mut found)?;
        found.retain(|found| found.times > 1);
        let shared = found.into_iter().zip(1..).map(|(found, number)| Shared {
            plan: found.plan,
            runs: Arc::new(SharedRuns::new(number, found.times)),
        });
        let shared: Vec<Shared> = shared.collect();
        if shared.is_empty() {
            return Ok(plan);
        }
        sharing(&plan, &shared)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A part of a plan, and how often it would be run.
struct Found {
    plan: Arc<dyn ExecutionPlan>,
    times: usize,
}

struct Shared {
    plan: Arc<dyn ExecutionPlan>,
    runs: Arc<SharedRuns>,
}

/// Counts the aggregates of `plan` that are the same; those within one that is run for the second time are not run.
fn find(plan: &Arc<dyn ExecutionPlan>, found: &mut Vec<Found>) -> Result<()> {
    if may_be_shared(plan)? {
        for found in found.iter_mut() {
            if same(&found.plan, plan)? {
                found.times += 1;
                return Ok(());
            }
        }
        found.push(Found { plan: Arc::clone(plan), times: 1 });
    }
    plan.children().into_iter().try_for_each(|child| find(child, found))
}

fn may_be_shared(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let Some(aggregate) = plan.downcast_ref::<AggregateExec>() else { return Ok(false) };
    let whole = match aggregate.mode() {
        AggregateMode::Final
        | AggregateMode::FinalPartitioned
        | AggregateMode::Single
        | AggregateMode::SinglePartitioned => true,
        AggregateMode::Partial | AggregateMode::PartialReduce => false,
    };
    Ok(whole && same(plan, plan)?)
}

/// `plan`, in which all that is the same as one of `shared` is marked as that, also in what is itself marked: which of several
/// is run is not known before.
fn sharing(plan: &Arc<dyn ExecutionPlan>, shared: &[Shared]) -> Result<Arc<dyn ExecutionPlan>> {
    let mut itself = None;
    if may_be_shared(plan)? {
        for shared in shared {
            if same(&shared.plan, plan)? {
                itself = Some(&shared.runs);
                break;
            }
        }
    }
    let children = plan.children().into_iter().map(|child| sharing(child, shared));
    let children = children.collect::<Result<Vec<_>>>()?;
    let changed = children.iter().zip(plan.children()).any(|(new, old)| !Arc::ptr_eq(new, old));
    let plan = match changed {
        true => Arc::clone(plan)
            .replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?,
        false => Arc::clone(plan),
    };
    Ok(match itself {
        Some(runs) => Arc::new(SharedExec::new(plan, Arc::clone(runs))),
        None => plan,
    })
}
