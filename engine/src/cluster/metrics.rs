//! What the cluster has done so far, for whoever operates it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Default)]
pub(crate) struct ClusterMetrics {
    /// Workers that may be used now.
    pub(crate) workers: Gauge,
    /// Queries that ran on workers.
    pub(crate) distributed: Counter,
    /// Queries that were run again because a worker was lost.
    pub(crate) run_again: Counter,
    /// Queries that failed because a worker was lost.
    pub(crate) lost: Counter,
}

impl ClusterMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("cluster_workers", "Workers that may be used", self.workers.clone());
        registry.register("cluster_queries", "Queries that were given to workers", self.distributed.clone());
        registry.register(
            "cluster_queries_run_again",
            "Times that a query was run again because a worker was lost",
            self.run_again.clone(),
        );
        registry.register(
            "cluster_queries_lost",
            "Queries that failed because a worker was lost after their first rows, or too often",
            self.lost.clone(),
        );
    }
}
