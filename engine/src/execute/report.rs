//! What can be said about a query while and after it runs.

use std::sync::{Arc, OnceLock};

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use datafusion_distributed::{DistributedExec, display_plan_ascii};

use crate::error::{EngineError, Result};
use crate::ingest::json_lines::{LINES_SKIPPED, VALUES_NULLED};

/// What was left out of a query's answer. Take it from [`Query::report`](crate::Query::report) before the query is
/// run, and read it when the last row has come.
#[derive(Debug, Clone, Default)]
pub struct QueryReport {
    observed: Arc<OnceLock<Observed>>,
}

#[derive(Debug)]
struct Observed {
    plan: Arc<dyn ExecutionPlan>,
    behind_border: bool,
}

impl QueryReport {
    /// Takes the plan that runs, and whether something in it is behind a border of the policy.
    pub(super) fn observe(&self, plan: &Arc<dyn ExecutionPlan>, behind_border: bool) {
        self.observed.get_or_init(|| Observed { plan: Arc::clone(plan), behind_border });
    }

    fn plan(&self) -> Option<&dyn ExecutionPlan> {
        self.observed.get().map(|observed| observed.plan.as_ref())
    }

    /// The operators that run the query, one a line, with what each has done so far; on workers without that. `None`
    /// before it runs, and for an answer that was kept.
    ///
    /// For whoever asked the query, as `EXPLAIN ANALYZE` is.
    ///
    /// # Errors
    /// When it would show rules and row counts of a table that whoever asked sees in part.
    #[must_use]
    pub fn operators(&self) -> Option<Result<String>> {
        let Observed { plan, behind_border } = self.observed.get()?;
        if *behind_border {
            return Some(Err(EngineError::NotAllowed {
                what: "the plan".to_owned(),
                reason: "it would show rules and row counts of a table that you see in part".to_owned(),
            }));
        }
        Some(Ok(match plan.is::<DistributedExec>() {
            true => display_plan_ascii(plan.as_ref(), false),
            false => DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string(),
        }))
    }

    /// Lines of JSON that were left out because they do not parse.
    #[must_use]
    pub fn lines_skipped(&self) -> usize {
        self.plan().map_or(0, |plan| sum(plan, LINES_SKIPPED))
    }

    /// Values of JSON that did not fit their column and were read as NULL.
    #[must_use]
    pub fn values_nulled(&self) -> usize {
        self.plan().map_or(0, |plan| sum(plan, VALUES_NULLED))
    }

    /// Bytes that the query has written to disk so far because they did not fit into its memory. Nothing is said of a
    /// query on workers, nor of a table that whoever asked sees in part: bytes tell how many rows there are.
    #[must_use]
    pub fn bytes_spilled(&self) -> usize {
        let observed = self.observed.get().filter(|observed| !observed.behind_border);
        observed.map_or(0, |observed| spilled(observed.plan.as_ref()))
    }

    /// The share of the rows of the plan's files that has been read, from 0 to 1; `None` before the query runs, when
    /// nobody knows how many rows there are, and for a query on workers.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        let (read, all) = read_of(self.plan()?);
        // A filter that is applied while reading leaves out rows: the share is a lower bound.
        (all > 0.0).then(|| (read / all).min(1.0))
    }
}

/// Rows that the leaves with a known number of rows have given, and that number.
fn read_of(plan: &dyn ExecutionPlan) -> (f64, f64) {
    let children = plan.children();
    if !children.is_empty() {
        return children
            .into_iter()
            .map(|child| read_of(child.as_ref()))
            .fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    }
    let known = StatisticsContext::new().compute(plan, &StatisticsArgs::new());
    let all = known.ok().and_then(|known| known.num_rows.get_value().copied());
    match (all, plan.metrics().and_then(|metrics| metrics.output_rows())) {
        (Some(all), read) => (count(read.unwrap_or(0)), count(all)),
        (None, _) => (0.0, 0.0),
    }
}

fn count(rows: usize) -> f64 {
    // Beyond 2^53 a share of rows needs no last row.
    rows as f64
}

fn sum(plan: &dyn ExecutionPlan, metric: &str) -> usize {
    let here = plan.metrics().and_then(|metrics| metrics.sum_by_name(metric)).map_or(0, |sum| sum.as_usize());
    here + plan.children().into_iter().map(|child| sum(child.as_ref(), metric)).sum::<usize>()
}

fn spilled(plan: &dyn ExecutionPlan) -> usize {
    let here = plan.metrics().and_then(|metrics| metrics.spilled_bytes()).unwrap_or(0);
    here + plan.children().into_iter().map(|child| spilled(child.as_ref())).sum::<usize>()
}
