//! Whether a query runs on workers, and its plan for them.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::physical_plan::{FileGroup, ParquetSource};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_distributed::DistributedExec;
use uuid::Uuid;

use crate::cluster::{Cluster, Member, distributed_state};
use crate::error::{Result, plain};
use crate::execute::encodable::check_encodable;
use crate::execute::file_scan::{file_scan, reads_nothing};
use crate::execute::filtered_window::has_filtered_window;
use crate::execute::order_dependent::order_dependent_aggregate;
use crate::execute::wire::has_large_lists;

const FILTERED_WINDOW: &str = "it has a window with FILTER, which cannot be sent to workers";
const LARGE_LISTS: &str = "it holds lists of a kind that cannot be sent to workers";

/// A query that may run on workers.
#[derive(Debug, Clone)]
pub(super) struct OnWorkers {
    pub(super) cluster: Arc<Cluster>,
    pub(super) state: SessionState,
    /// As permitted, before it was optimized.
    plan: LogicalPlan,
    id: Uuid,
}

/// Where a query runs.
#[derive(Debug)]
pub(super) enum Place {
    /// In this process, and why.
    Here(String),
    Workers(Box<Planned>),
}

/// A plan for the workers that there were when it was made.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) state: SessionState,
    pub(super) members: Vec<Member>,
}

impl OnWorkers {
    /// The query `id` behind `plan`, which is what an `EXPLAIN` explains.
    pub(super) fn new(cluster: Arc<Cluster>, state: &SessionState, plan: &LogicalPlan, id: Uuid) -> Self {
        let plan = match plan {
            LogicalPlan::Explain(explained) => explained.plan.as_ref(),
            plan => plan,
        };
        Self { cluster, state: state.clone(), plan: plan.clone(), id }
    }

    /// Where the query runs, which in this process would be `embedded`.
    ///
    /// # Errors
    /// When the workers' session cannot be made.
    pub(super) async fn place(&self, embedded: &Arc<dyn ExecutionPlan>) -> Result<Place> {
        if let Some(reason) = self.obstacle(embedded) {
            return Ok(Place::Here(reason));
        }
        if has_filtered_window(&self.plan)? {
            return Ok(Place::Here(FILTERED_WINDOW.to_owned()));
        }
        let members = self.cluster.members();
        if members.is_empty() {
            return Ok(Place::Here("no worker may be used".to_owned()));
        }
        let state = distributed_state(&self.state, &self.cluster, &members, self.id)?;
        match plan(&state, &self.plan).await {
            Ok(plan) if has_large_lists(&plan) => Ok(Place::Here(LARGE_LISTS.to_owned())),
            Ok(plan) if is_distributed(&plan) => match check_encodable(&plan, state.config()) {
                Ok(()) => Ok(Place::Workers(Box::new(Planned { plan, state, members }))),
                Err(error) => Ok(Place::Here(format!("it cannot be sent to workers ({})", plain(&error)))),
            },
            Ok(_whole) => Ok(Place::Here("it does not fall into parts".to_owned())),
            Err(error) => {
                let reason = format!("it cannot be planned for workers ({})", plain(&error));
                tracing::warn!("a query runs in this process: {reason}");
                Ok(Place::Here(reason))
            }
        }
    }

    /// Why `plan` is not for workers.
    fn obstacle(&self, plan: &Arc<dyn ExecutionPlan>) -> Option<String> {
        let bytes = match bytes_read(plan) {
            Ok(bytes) => bytes,
            Err(leaf) => return Some(format!("{leaf} is read where the query was asked")),
        };
        let minimum = self.cluster.options().minimum_bytes;
        if bytes < minimum {
            return Some(format!(
                "its files have {bytes} bytes, and workers are asked from {minimum} bytes on"
            ));
        }
        if let Some(name) = order_dependent_aggregate(plan) {
            return Some(format!("{name} depends on the order in which its values come"));
        }
        has_large_lists(plan).then(|| LARGE_LISTS.to_owned())
    }
}

async fn plan(
    state: &SessionState,
    plan: &LogicalPlan,
) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
    let optimized = state.optimize(plan)?;
    state.query_planner().create_physical_plan(&optimized, state).await
}

fn is_distributed(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.exists(|node| Ok(node.is::<DistributedExec>())).unwrap_or(false)
}

/// Bytes of the files that `plan` reads; or the first leaf that reads something else than files that every worker can
/// read.
pub(super) fn bytes_read(plan: &Arc<dyn ExecutionPlan>) -> Result<u64, String> {
    let children = plan.children();
    if !children.is_empty() {
        return children.into_iter().map(bytes_read).sum();
    }
    if reads_nothing(plan.as_ref()) {
        return Ok(0);
    }
    match file_scan(plan.as_ref()) {
        Some(scan) if scan.file_source().is::<ParquetSource>() => {
            Ok(scan.file_groups.iter().flat_map(FileGroup::iter).map(|file| file.effective_size()).sum())
        }
        Some(scan) => Err(format!("a file of {}", scan.file_source().file_type())),
        None => Err(plan.name().to_owned()),
    }
}
