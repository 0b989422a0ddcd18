//! Workers and whom they work for: identity, membership, refusals.

use std::future::poll_fn;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tithe_engine::{
    ClusterIdentity, ClusterOptions, ClusterTls, Engine, EngineOptions, ErrorKind, Principal, WorkerAddresses,
};
use tithe_flight_server::{WorkerListens, WorkerOptions, serve_worker};
use tithe_testkit::{TestWorker, cluster_of, options_for, sample_lake};
use tokio::io::AsyncWriteExt;
use tonic::codegen::{Service, http};

use crate::support::tests_folder;

const COUNT: &str = "SELECT count(DISTINCT invoice_number) FROM invoice.header";

fn secret(folder: &Path, byte: u8) -> Option<PathBuf> {
    let path = folder.join(format!("secret-{byte}"));
    std::fs::write(&path, [byte; 32]).unwrap();
    Some(path)
}

fn tls() -> Option<ClusterTls> {
    let file = |name: &str| tests_folder().join("tls").join(name);
    Some(ClusterTls {
        authority: file("node-authority.pem"),
        certificate: file("node-certificate.pem"),
        key: file("node-key.pem"),
    })
}

/// A certificate that another authority has signed.
fn strange_tls() -> Option<ClusterTls> {
    let file = |name: &str| tests_folder().join("tls").join(name);
    Some(ClusterTls {
        authority: file("node-authority.pem"),
        certificate: file("client-certificate.pem"),
        key: file("client-key.pem"),
    })
}

async fn coordinator(workers: &str, identity: ClusterIdentity) -> Arc<Engine> {
    let workers: WorkerAddresses = workers.parse().unwrap();
    let cluster = Some(ClusterOptions {
        minimum_bytes: 0,
        bytes_per_partition: 1,
        timeout: Duration::from_secs(2),
        interval: Duration::from_millis(200),
        ..ClusterOptions::new(workers, identity)
    });
    Engine::open(EngineOptions { cluster, ..options_for(&sample_lake()) }).await.unwrap()
}

/// The one problem of a coordinator that may use no worker.
async fn problem(workers: &str, identity: ClusterIdentity) -> String {
    let engine = coordinator(workers, identity).await;
    assert_eq!(engine.workers(), Vec::<String>::new());
    let problems = engine.worker_problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    // Nothing is lost but the workers.
    assert!(!rows(&engine).await.is_empty());
    problems[0].clone()
}

async fn rows(engine: &Arc<Engine>) -> String {
    let session = engine.session(Principal::local()).unwrap();
    let rows = session.query(COUNT).await.unwrap().collect().await.unwrap();
    arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string()
}

/// The plan shows the stages, the tasks and the workers, or why there are none.
async fn explained(engine: &Arc<Engine>) -> String {
    explained_sql(engine, COUNT).await
}

async fn explained_sql(engine: &Arc<Engine>, sql: &str) -> String {
    let session = engine.session(Principal::local()).unwrap();
    let rows = session.query(&format!("EXPLAIN {sql}")).await.unwrap().collect().await.unwrap();
    arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string()
}

async fn worker(identity: ClusterIdentity) -> TestWorker {
    TestWorker::start(options_for(&sample_lake()), identity).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_the_clusters_identity_is_worked_for() {
    let folder = TempDir::new().unwrap();
    let identity = ClusterIdentity { secret_file: secret(folder.path(), 1), tls: tls() };
    let (one, two) = (worker(identity.clone()).await, worker(identity.clone()).await);
    let engine = coordinator(&format!("{},{}", one.address, two.address), identity.clone()).await;
    assert_eq!(engine.workers().len(), 2, "{:?}", engine.worker_problems());
    let plan = explained(&engine).await;
    assert!(plan.contains("Stage 1") && plan.contains("tasks=2"), "{plan}");
    assert!(plan.contains(&one.address.to_string()) && plan.contains(&two.address.to_string()), "{plan}");
    let embedded = Engine::open(options_for(&sample_lake())).await.unwrap();
    assert_eq!(rows(&engine).await, rows(&embedded).await);
    // By name: the certificate is for the name, and the addresses are numbers.
    let named = coordinator(&format!("dns:localhost:{}", one.address.port()), identity).await;
    assert!(!named.workers().is_empty(), "{:?}", named.worker_problems());
    assert_eq!(rows(&named).await, rows(&embedded).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_the_identity_gets_anything() {
    let folder = TempDir::new().unwrap();
    let identity = ClusterIdentity { secret_file: secret(folder.path(), 1), tls: tls() };
    let worker = worker(identity.clone()).await;
    let address = format!("localhost:{}", worker.address.port());
    let other_secret = ClusterIdentity { secret_file: secret(folder.path(), 2), ..identity.clone() };
    let no_secret = ClusterIdentity { secret_file: None, ..identity.clone() };
    for stranger in [other_secret, no_secret] {
        let told = problem(&address, stranger).await;
        assert!(told.contains("refuses this node: the cluster secret is missing or another"), "{told}");
    }
    let no_tls = ClusterIdentity { tls: None, ..identity.clone() };
    let strange = ClusterIdentity { tls: strange_tls(), ..identity.clone() };
    for stranger in [no_tls, strange] {
        let told = problem(&address, stranger).await;
        assert!(told.contains("cannot be reached"), "{told}");
    }
}

/// Every call of the service is refused before it is read.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_passes_without_the_secret() {
    let folder = TempDir::new().unwrap();
    let identity = ClusterIdentity { secret_file: secret(folder.path(), 1), tls: None };
    let worker = worker(identity).await;
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", worker.address)).unwrap();
    let channel = endpoint.connect().await.unwrap();
    for method in ["GetWorkerInfo", "CoordinatorChannel", "ExecuteTask", "Anything"] {
        for sent in [None, Some("00".repeat(32))] {
            let mut request =
                http::Request::post(format!("http://{}/worker.WorkerService/{method}", worker.address));
            request = request.header("content-type", "application/grpc");
            if let Some(sent) = sent {
                request = request.header("tithe-cluster-secret", sent);
            }
            let mut channel = channel.clone();
            poll_fn(|context| channel.poll_ready(context)).await.unwrap();
            let answer = channel.call(request.body(tonic::body::Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.headers().get("grpc-status").unwrap(), "16", "{method}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_loopback_both_are_needed() {
    let folder = TempDir::new().unwrap();
    let both = ClusterIdentity { secret_file: secret(folder.path(), 1), tls: tls() };
    for (identity, missing) in [
        (ClusterIdentity::default(), "without TLS and a cluster secret"),
        (ClusterIdentity { tls: None, ..both.clone() }, "without TLS"),
        (ClusterIdentity { secret_file: None, ..both.clone() }, "without a cluster secret"),
    ] {
        let options = WorkerOptions {
            listen: ([0, 0, 0, 0], 0).into(),
            identity,
            timeout: Duration::from_secs(1),
            operations: None,
            drain_timeout: Duration::from_secs(1),
        };
        let engine = Engine::open(options_for(&sample_lake())).await.unwrap();
        let ready = |listens: WorkerListens| panic!("{listens:?}");
        let error = serve_worker(engine, options, std::future::pending(), ready).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_other_parts_is_refused() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir_all(folder.path().join("lake/a/b")).unwrap();
    std::fs::write(folder.path().join("lake/a/b/c.txt"), "text").unwrap();
    let elsewhere =
        TestWorker::start(options_for(&folder.path().join("lake")), ClusterIdentity::default()).await;
    let told = problem(&elsewhere.address.to_string(), ClusterIdentity::default()).await;
    assert!(told.contains("is refused: its lake is file://"), "{told}");

    let key = folder.path().join("key");
    std::fs::write(&key, [3; 32]).unwrap();
    let options = EngineOptions { pseudonym_key_file: Some(key), ..options_for(&sample_lake()) };
    let keyed = TestWorker::start(options, ClusterIdentity::default()).await;
    let told = problem(&keyed.address.to_string(), ClusterIdentity::default()).await;
    assert!(told.contains("is refused: it has another key for pseudonyms"), "{told}");
}

fn address_of_nobody() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap()
}

/// A worker may have another clock: what the time is was said before a part of the query leaves.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_is_that_of_the_node_that_was_asked() {
    let (one, two) = (worker(ClusterIdentity::default()).await, worker(ClusterIdentity::default()).await);
    let workers = format!("{},{}", one.address, two.address);
    let engine = coordinator(&workers, ClusterIdentity::default()).await;
    for time in ["now()", "current_timestamp", "current_date", "current_time", "today()"] {
        let sql = format!(
            "SELECT period, count(*) AS n FROM invoice.header WHERE CAST(invoice_date AS VARCHAR) < CAST({time} AS VARCHAR) \
             GROUP BY period"
        );
        let plan = explained_sql(&engine, &sql).await;
        assert!(
            plan.contains("workers: ") && plan.contains("Stage 1") && plan.contains("invoice_date"),
            "{plan}"
        );
        for function in ["now(", "current_", "today("] {
            assert!(!plan.contains(function), "{plan}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_lead_to_no_worker() {
    // Nobody.
    let address = address_of_nobody();
    let told = problem(&address.to_string(), ClusterIdentity::default()).await;
    assert!(told.starts_with(&format!("the worker {address} cannot be reached (")), "{told}");

    // A server of something else.
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _from)) = other.accept().await {
            client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await.ok();
        }
    });
    let told = problem(&address.to_string(), ClusterIdentity::default()).await;
    assert!(told.contains(&address.to_string()) && !told.contains('\n'), "{told}");

    // A Flight SQL server, which speaks gRPC.
    let server = crate::support::Server::start().await;
    let told = problem(&server.address.to_string(), ClusterIdentity::default()).await;
    assert!(told.contains("answers, but not as a worker of Tithe"), "{told}");

    // One that takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let told = problem(&silent.local_addr().unwrap().to_string(), ClusterIdentity::default()).await;
    assert!(told.contains("has not answered within 2 s"), "{told}");

    // A name that leads where no worker is any more.
    let told =
        problem(&format!("dns:127.0.0.1:{}", address_of_nobody().port()), ClusterIdentity::default()).await;
    assert!(told.contains("(of dns:127.0.0.1:") && told.contains("cannot be reached ("), "{told}");

    // A name that is gone.
    let told = problem("dns:no-such-name.invalid:9", ClusterIdentity::default()).await;
    assert!(told.starts_with("the name no-such-name.invalid of workers cannot be resolved"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn small_queries_stay_and_say_so() {
    let worker = worker(ClusterIdentity::default()).await;
    let cluster = Some(ClusterOptions { minimum_bytes: 1 << 40, ..cluster_of(&[worker.address]) });
    let engine = Engine::open(EngineOptions { cluster, ..options_for(&sample_lake()) }).await.unwrap();
    let plan = explained(&engine).await;
    assert!(plan.contains("in this process: its files have"), "{plan}");
    assert!(plan.contains("and workers are asked from 1099511627776 bytes on"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_come_and_go_are_noticed() {
    let first = worker(ClusterIdentity::default()).await;
    let address = first.address;
    let engine = coordinator(&address.to_string(), ClusterIdentity::default()).await;
    assert_eq!(engine.workers().len(), 1);
    first.stop().await;
    wait_until("the worker is missed", || engine.workers().is_empty()).await;
    assert!(engine.worker_problems()[0].contains("cannot be reached"), "{:?}", engine.worker_problems());
    let options = WorkerOptions {
        listen: address,
        identity: ClusterIdentity::default(),
        timeout: Duration::from_secs(2),
        operations: None,
        drain_timeout: Duration::from_secs(2),
    };
    let again = Engine::open(options_for(&sample_lake())).await.unwrap();
    tokio::spawn(serve_worker(again, options, std::future::pending(), |_address| ()));
    wait_until("the worker is back", || engine.workers().len() == 1).await;
}

async fn wait_until(what: &str, happens: impl Fn() -> bool) {
    let since = std::time::Instant::now();
    while !happens() {
        assert!(since.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
