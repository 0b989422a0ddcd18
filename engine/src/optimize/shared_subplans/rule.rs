//! The rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateOutputMode};
use datafusion::physical_plan::execution_plan::{
    ChildrenPropertiesMode, ReplaceChildrenOptions, reset_plan_states,
};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;

use super::exec::SharedExec;
use super::places::{has_fixed_rows, places};
use super::runs::SharedRuns;
use crate::execute::{file_scan, scan_again};

/// Physical rule: an aggregate that stands in a plan several times, as one of a CTE does that is asked for more than once, is
/// computed once. So are two of which one has all columns of the other: what a query does not ask of a CTE was left out of the one and
/// not of the other.
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
        collect(&plan, &mut found)?;
        count(&plan, &mut found)?;
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

/// A part of a plan that gives all columns of those that are the same, and how often it would be run.
struct Found {
    plan: Arc<dyn ExecutionPlan>,
    times: usize,
}

struct Shared {
    plan: Arc<dyn ExecutionPlan>,
    runs: Arc<SharedRuns>,
}

/// Adds to `found` the aggregates of `plan`, of those that are the same but for their columns the one that has all of them.
fn collect(plan: &Arc<dyn ExecutionPlan>, found: &mut Vec<Found>) -> Result<()> {
    if may_be_shared(plan)? && among(plan, found.iter().map(|found| &found.plan))?.is_none() {
        let mut others = Vec::with_capacity(found.len() + 1);
        for found in found.drain(..) {
            if places(&found.plan, plan)?.is_none() {
                others.push(found);
            }
        }
        others.push(Found { plan: Arc::clone(plan), times: 0 });
        *found = others;
    }
    plan.children().into_iter().try_for_each(|child| collect(child, found))
}

/// Counts how often each of `found` would be run for `plan`; those within one that is run for the second time are not run.
fn count(plan: &Arc<dyn ExecutionPlan>, found: &mut [Found]) -> Result<()> {
    let Some((number, _)) = shared_as(plan, found.iter().map(|found| &found.plan))? else {
        return plan.children().into_iter().try_for_each(|child| count(child, found));
    };
    let Some(one) = found.get_mut(number) else { return Ok(()) };
    one.times += 1;
    if one.times > 1 {
        return Ok(());
    }
    let run = Arc::clone(&one.plan);
    run.children().into_iter().try_for_each(|child| count(child, found))
}

fn may_be_shared(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let Some(aggregate) = plan.downcast_ref::<AggregateExec>() else { return Ok(false) };
    let whole = aggregate.mode().output_mode() == AggregateOutputMode::Final;
    Ok(whole && has_fixed_rows(plan)? && places(plan, plan)?.is_some())
}

/// The first of `others` that has all columns of `plan`, and where they are.
fn among<'a>(
    plan: &Arc<dyn ExecutionPlan>,
    others: impl Iterator<Item = &'a Arc<dyn ExecutionPlan>>,
) -> Result<Option<(usize, Vec<usize>)>> {
    for (number, other) in others.enumerate() {
        if let Some(places) = places(plan, other)? {
            return Ok(Some((number, places)));
        }
    }
    Ok(None)
}

/// The same, for a `plan` that may be shared.
fn shared_as<'a>(
    plan: &Arc<dyn ExecutionPlan>,
    others: impl Iterator<Item = &'a Arc<dyn ExecutionPlan>>,
) -> Result<Option<(usize, Vec<usize>)>> {
    if may_be_shared(plan)? { among(plan, others) } else { Ok(None) }
}

/// `plan`, in which all that is the same as one of `shared` is replaced by that, also in what is itself replaced: which of several
/// is run is not known before.
fn sharing(plan: &Arc<dyn ExecutionPlan>, shared: &[Shared]) -> Result<Arc<dyn ExecutionPlan>> {
    let Some((number, places)) = shared_as(plan, shared.iter().map(|shared| &shared.plan))? else {
        return with_shared_inputs(plan, shared);
    };
    let Some(one) = shared.get(number) else { return with_shared_inputs(plan, shared) };
    let runs = Arc::clone(&one.runs);
    if places.iter().copied().eq(0..one.plan.schema().fields().len()) {
        return Ok(Arc::new(SharedExec::new(with_shared_inputs(plan, shared)?, runs)));
    }
    let whole = SharedExec::new(with_shared_inputs(&again(&one.plan)?, shared)?, runs);
    let columns = ProjectionExprs::from_indices(&places, &whole.schema());
    Ok(Arc::new(ProjectionExec::try_new(columns.iter().cloned(), Arc::new(whole))?))
}

fn with_shared_inputs(plan: &Arc<dyn ExecutionPlan>, shared: &[Shared]) -> Result<Arc<dyn ExecutionPlan>> {
    let children = plan.children().into_iter().map(|child| sharing(child, shared));
    let children = children.collect::<Result<Vec<_>>>()?;
    let changed = children.iter().zip(plan.children()).any(|(new, old)| !Arc::ptr_eq(new, old));
    match changed {
        true => Arc::clone(plan)
            .replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute)),
        false => Ok(Arc::clone(plan)),
    }
}

/// `plan` once more, as if it had been planned twice: what its operators count is their own.
fn again(plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let own = reset_plan_states(Arc::clone(plan))?.transform_up(|operator| {
        Ok(match file_scan(operator.as_ref()) {
            Some(scan) => Transformed::yes(DataSourceExec::from_data_source(scan_again(scan)?.build())),
            None => Transformed::no(operator),
        })
    });
    own.data()
}
