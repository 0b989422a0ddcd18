//! What can be said about a query while and after it runs.

use std::sync::{Arc, OnceLock};

use datafusion::physical_plan::ExecutionPlan;

use crate::ingest::json_lines::{LINES_SKIPPED, VALUES_NULLED};

/// What was left out of a query's answer. Take it from [`Query::report`](crate::Query::report) before the query is
/// run, and read it when the last row has come.
#[derive(Debug, Clone, Default)]
pub struct QueryReport {
    plan: Arc<OnceLock<Arc<dyn ExecutionPlan>>>,
}

impl QueryReport {
    pub(super) fn observe(&self, plan: &Arc<dyn ExecutionPlan>) {
        self.plan.get_or_init(|| Arc::clone(plan));
    }

    /// Lines of JSON that were left out because they do not parse.
    #[must_use]
    pub fn lines_skipped(&self) -> usize {
        self.plan.get().map_or(0, |plan| sum(plan.as_ref(), LINES_SKIPPED))
    }

    /// Values of JSON that did not fit their column and were read as NULL.
    #[must_use]
    pub fn values_nulled(&self) -> usize {
        self.plan.get().map_or(0, |plan| sum(plan.as_ref(), VALUES_NULLED))
    }
}

fn sum(plan: &dyn ExecutionPlan, metric: &str) -> usize {
    let here = plan.metrics().and_then(|metrics| metrics.sum_by_name(metric)).map_or(0, |sum| sum.as_usize());
    here + plan.children().into_iter().map(|child| sum(child.as_ref(), metric)).sum::<usize>()
}
