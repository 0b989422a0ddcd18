//! How a coordinator uses its workers.

use std::time::Duration;

use crate::cluster::{ClusterConfiguration, ClusterIdentity, WorkerAddresses};

/// How a coordinator finds and uses workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterOptions {
    /// Where workers are looked for.
    pub workers: WorkerAddresses,
    /// What the cluster's nodes know each other by.
    pub identity: ClusterIdentity,
    /// Bytes of files that a query must read before workers are asked; smaller ones run in this process.
    pub minimum_bytes: u64,
    /// Bytes of files that one partition of a task is to read: a query is cut into as many tasks as that makes.
    pub bytes_per_partition: usize,
    /// How often a query is run again, before its first row has been delivered, when a worker is lost.
    pub retries: u32,
    /// How long a worker may be silent before it counts as lost.
    pub timeout: Duration,
    /// How often workers are asked for a sign of life.
    pub interval: Duration,
}

impl ClusterOptions {
    /// Workers at `workers` that are asked from 64 MiB on, 16 MiB a partition; queries are run again at most twice,
    /// and a worker that is silent for 10 seconds is lost.
    #[must_use]
    pub fn new(workers: WorkerAddresses, identity: ClusterIdentity) -> Self {
        let usual = ClusterConfiguration::default();
        Self {
            workers,
            identity,
            minimum_bytes: usual.minimum_bytes,
            bytes_per_partition: usual.bytes_per_partition,
            retries: usual.retries,
            timeout: usual.timeout,
            interval: usual.timeout / 2,
        }
    }
}
