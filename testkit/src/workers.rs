//! Workers of a cluster in this process, and sessions of a coordinator that asks them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tithe_engine::{ClusterIdentity, ClusterOptions, Engine, EngineOptions, WorkerAddresses};
use tithe_flight_server::{ServeError, WorkerOptions, serve_worker};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// One worker in this process; it ends when this is dropped.
#[derive(Debug)]
pub struct TestWorker {
    /// Where it listens.
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

impl TestWorker {
    /// On the lake of `options`, knowing the cluster by `identity`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(options: EngineOptions, identity: ClusterIdentity) -> Self {
        let engine = Engine::open(options).await.expect("a worker's engine");
        let (ready, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let options = WorkerOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            identity,
            timeout: Duration::from_secs(10),
            operations: None,
            drain_timeout: Duration::from_secs(30),
        };
        let ended = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or(()) };
            serve_worker(engine, options, stopped, |listens| {
                ready.send(listens.tasks).expect("a test that waits")
            })
            .await
        });
        Self { address: address.await.expect("the worker listens"), stop, ended }
    }

    /// Tells it to stop, and waits until it has.
    ///
    /// # Panics
    /// When it broke.
    pub async fn stop(self) {
        self.stop.send(()).ok();
        self.ended.await.expect("a worker without panic").expect("a worker that stops in good order");
    }
}

/// Options for a lake in a directory, with two partitions: the same plans on every machine.
///
/// # Panics
/// When the directory's name is not UTF-8.
#[must_use]
pub fn options_for(lake: &Path) -> EngineOptions {
    let lake = lake.to_str().expect("a UTF-8 path").parse().expect("a lake's location");
    EngineOptions { lake: Some(lake), target_partitions: Some(2), ..EngineOptions::default() }
}

/// So many workers on a lake, without identity.
pub async fn workers(lake: &Path, count: usize) -> Vec<TestWorker> {
    let mut all = Vec::new();
    for _worker in 0..count {
        all.push(TestWorker::start(options_for(lake), ClusterIdentity::default()).await);
    }
    all
}

/// Options of a cluster of these addresses that gives every query to workers and every worker a task.
///
/// # Panics
/// When there are no addresses.
#[must_use]
pub fn cluster_of(addresses: &[SocketAddr]) -> ClusterOptions {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let addresses: WorkerAddresses = addresses.join(",").parse().expect("addresses of workers");
    ClusterOptions {
        minimum_bytes: 0,
        bytes_per_partition: 1,
        ..ClusterOptions::new(addresses, ClusterIdentity::default())
    }
}

/// An engine for `options` that gives every query to `workers`.
///
/// # Panics
/// When it cannot be opened, or a worker is not used.
pub async fn coordinator(options: EngineOptions, workers: &[TestWorker]) -> Arc<Engine> {
    let addresses: Vec<SocketAddr> = workers.iter().map(|worker| worker.address).collect();
    let cluster = Some(cluster_of(&addresses));
    let engine = Engine::open(EngineOptions { cluster, ..options }).await.expect("a coordinator's engine");
    assert_eq!(engine.workers().len(), workers.len(), "{:?}", engine.worker_problems());
    engine
}
