//! The HTTP port for health and metrics.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tithe_engine::ClusterIdentity;
use tithe_flight_server::{ServeError, ServeOptions, WorkerListens, WorkerOptions, serve, serve_worker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{ENDLESS, Server, engine, on_a_free_port, ticket};

/// Status line and body of `GET path`.
async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

async fn metric(address: SocketAddr, line: &str) -> Option<u64> {
    let (_status, text) = get(address, "/metrics").await;
    text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
}

/// Waits until the metric has the value.
async fn becomes(address: SocketAddr, line: &str, expected: u64) {
    for _ in 0..500 {
        if metric(address, line).await == Some(expected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{line} is {:?}", get(address, "/metrics").await);
}

fn with_operations(options: &mut ServeOptions) {
    options.operations = Some(([127, 0, 0, 1], 0).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_counted_without_saying_what_they_ask() {
    let server = Server::with(with_operations).await;
    let operations = server.operations.unwrap();
    let client = server.client().await;
    client.query("SELECT county_code FROM ref.county WHERE '王小明' IS NOT NULL LIMIT 3").await.unwrap();
    client.refusal("SELECT 王小明 FROM ref.county").await;
    client.refusal("SELECT 1 / (value - value) FROM generate_series(1, 3)").await;
    becomes(operations, "tithe_queries_total{outcome=\"done\"}", 1).await;
    becomes(operations, "tithe_queries_total{outcome=\"refused\"}", 1).await;
    becomes(operations, "tithe_queries_total{outcome=\"failed\"}", 1).await;
    assert_eq!(metric(operations, "tithe_rows_total").await, Some(3));
    assert_eq!(metric(operations, "tithe_query_seconds_count").await, Some(3));
    assert!(metric(operations, "tithe_memory_limit_bytes").await > Some(1 << 20));
    assert_eq!(metric(operations, "tithe_memory_reserved_bytes").await, Some(0));
    // Of the process, whose other tests may forecast.
    for name in ["series_cpu", "series_gpu", "searches_gpu", "gpu_failures"] {
        assert!(metric(operations, &format!("tithe_forecast_{name}_total")).await.is_some(), "{name}");
    }
    let (status, text) = get(operations, "/metrics").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(!text.contains("王小明") && !text.contains("county") && !text.contains("local"), "{text}");
    assert_eq!(get(operations, "/else").await.0, "HTTP/1.1 404 Not Found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let server = Server::with(with_operations).await;
    let operations = server.operations.unwrap();
    let client = server.client().await;
    // One that computes, one that holds memory, and one whose client reads a little.
    let sorts = "SELECT value FROM generate_series(1, 1000000000000) ORDER BY value % 7919, value";
    for sql in [ENDLESS, sorts, "SELECT value FROM generate_series(1, 1000000000000)"] {
        let info = client.query_info(sql).await.unwrap();
        let other = server.client().await;
        let reading = tokio::spawn(async move {
            let mut answer = other.flight.clone().do_get(ticket(&info)).await.unwrap().into_inner();
            answer.message().await.unwrap();
            std::future::pending::<()>().await;
        });
        becomes(operations, "tithe_queries_running", 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The connection ends, without a word.
        reading.abort();
        let since = Instant::now();
        becomes(operations, "tithe_queries_running", 0).await;
        becomes(operations, "tithe_memory_reserved_bytes", 0).await;
        println!("{sql}: free after {:?}", since.elapsed());
    }
    becomes(operations, "tithe_queries_total{outcome=\"cancelled\"}", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_is_alive_and_not_ready() {
    let server = Server::with(with_operations).await;
    let operations = server.operations.unwrap();
    assert_eq!(get(operations, "/healthz").await, ("HTTP/1.1 200 OK".to_owned(), "alive\n".to_owned()));
    assert_eq!(get(operations, "/readyz").await, ("HTTP/1.1 200 OK".to_owned(), "ready\n".to_owned()));
    let client = server.client().await;
    let info = client.query_info(ENDLESS).await.unwrap();
    let running = tokio::spawn(async move { client.messages(ticket(&info)).await });
    becomes(operations, "tithe_queries_running", 1).await;
    let stopping = tokio::spawn(server.stop());
    let mut draining = None;
    for _ in 0..200 {
        draining = Some(get(operations, "/readyz").await);
        if draining.as_ref().is_some_and(|(status, _)| status.contains("503")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(draining.unwrap().1, "the server is stopping\n");
    assert_eq!(get(operations, "/healthz").await.1, "alive\n");
    // The client goes away, and nothing is left to wait for.
    running.abort();
    stopping.await.unwrap().0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_is_gone_makes_it_not_ready() {
    let lake = TempDir::new().unwrap();
    let root = lake.path().join("lake");
    std::fs::create_dir(&root).unwrap();
    let server = Server::on(&root, with_operations).await;
    let operations = server.operations.unwrap();
    assert_eq!(get(operations, "/readyz").await.1, "ready\n");
    std::fs::remove_dir(&root).unwrap();
    let (status, body) = get(operations, "/readyz").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(body, "the lake cannot be read: see the server's log\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_of_its_tasks() {
    let options = |operations: [u8; 4]| WorkerOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        identity: ClusterIdentity::default(),
        timeout: Duration::from_secs(10),
        operations: Some((operations, 0).into()),
        drain_timeout: Duration::from_secs(1),
    };
    let lake = tithe_testkit::sample_lake();
    let (ready, listens) = tokio::sync::oneshot::channel::<WorkerListens>();
    let serving =
        serve_worker(engine(&lake, None).await, options([127, 0, 0, 1]), std::future::pending(), |listens| {
            ready.send(listens).unwrap();
        });
    let worker = tokio::spawn(serving);
    let operations = listens.await.unwrap().operations.unwrap();
    assert_eq!(metric(operations, "tithe_tasks_running").await, Some(0));
    assert_eq!(metric(operations, "tithe_memory_reserved_bytes").await, Some(0));
    assert_eq!(get(operations, "/readyz").await.1, "ready\n");
    worker.abort();
    let ready = |listens: WorkerListens| panic!("{listens:?}");
    let refused =
        serve_worker(engine(&lake, None).await, options([0, 0, 0, 0]), std::future::pending(), ready).await;
    assert!(matches!(refused, Err(ServeError::ExposedOperations { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_machine_reaches_it() {
    let engine = engine(&tithe_testkit::sample_lake(), None).await;
    let options = ServeOptions { operations: Some(([0, 0, 0, 0], 0).into()), ..on_a_free_port() };
    let started =
        serve(engine, options, std::future::pending(), |addresses| panic!("listens on {addresses:?}"));
    let error = started.await.unwrap_err();
    assert!(matches!(error, ServeError::ExposedOperations { .. }), "{error}");
    assert!(
        error.to_string().starts_with("refusing to listen on 0.0.0.0:0 for health and metrics"),
        "{error}"
    );
}
