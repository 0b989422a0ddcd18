//! `EXPLAIN` of a query that may run on workers.

use std::sync::Arc;

use datafusion::common::display::{PlanType, StringifiedPlan};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Explain;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::explain::ExplainExec;
use datafusion_distributed::display_plan_ascii;

use crate::error::Result;
use crate::execute::distributed::{OnWorkers, Place};

/// `plan` of an `EXPLAIN` with the stages, tasks and workers of the query, or why it runs in this process.
///
/// # Errors
/// When the workers' session cannot be made.
pub(super) async fn explain_place(
    query: &OnWorkers,
    explained: &Explain,
    state: &SessionState,
    plan: Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(shown) = plan.downcast_ref::<ExplainExec>() else { return Ok(plan) };
    // Otherwise `plan` already shows what is wrong.
    let Ok(embedded) = state.query_planner().create_physical_plan(&explained.plan, state).await else {
        return Ok(plan);
    };
    let place = query.place(&embedded).await?;
    let plans = shown.stringified_plans().iter().map(|told| match (&told.plan_type, &place) {
        (PlanType::FinalPhysicalPlan, Place::Workers(planned)) => {
            let workers: Vec<&str> = planned.members.iter().map(|member| member.shown.as_str()).collect();
            let text = format!(
                "workers: {}\n{}",
                workers.join(", "),
                display_plan_ascii(planned.plan.as_ref(), false)
            );
            StringifiedPlan::new(PlanType::FinalPhysicalPlan, text)
        }
        (PlanType::FinalPhysicalPlan, Place::Here(reason)) => {
            let text = format!("in this process: {reason}\n{}", told.plan);
            StringifiedPlan::new(PlanType::FinalPhysicalPlan, text)
        }
        _ => told.clone(),
    });
    Ok(Arc::new(ExplainExec::new(shown.schema(), plans.collect(), shown.verbose())))
}
