//! Workers as processes of their own: they start, take parts of queries, die and fall silent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use tithe_engine::{ClusterOptions, Engine, EngineError, EngineOptions, ErrorKind, Principal, Session};
use tithe_testkit::{cluster_of, options_for, sample_lake};
use tokio::runtime::Runtime;

use crate::support::{Place, Service, ends, send};

/// Reads all invoices on all workers, and takes a while.
const LONG: &str = "SELECT a.period, sum((a.total_amount * b.n) % 97) AS x FROM invoice.header a \
                    CROSS JOIN (SELECT row_number() OVER (ORDER BY invoice_number) AS n FROM invoice.header \
                    LIMIT 1500) b GROUP BY a.period ORDER BY a.period";
const SHORT: &str = "SELECT period, sum(total_amount) AS x, count(*) AS n FROM invoice.header GROUP BY period ORDER BY period";

/// A worker at `listen`.
fn worker(place: &Place, listen: &str) -> Service {
    Service::start(place, ["worker", "--listen", listen])
}

fn coordinator(runtime: &Runtime, workers: &[&Service], change: impl Fn(&mut ClusterOptions)) -> Arc<Engine> {
    let addresses: Vec<_> =
        workers.iter().map(|worker| worker.address.parse().expect("an address")).collect();
    let mut cluster = cluster_of(&addresses);
    cluster.timeout = Duration::from_secs(2);
    cluster.interval = Duration::from_millis(500);
    change(&mut cluster);
    let options = EngineOptions { cluster: Some(cluster), ..options_for(&sample_lake()) };
    let engine = runtime.block_on(Engine::open(options)).expect("an engine");
    assert_eq!(engine.workers().len(), workers.len(), "{:?}", engine.worker_problems());
    engine
}

fn session(engine: &Arc<Engine>) -> Session {
    engine.session(Principal::local()).expect("a session")
}

fn embedded(runtime: &Runtime) -> Session {
    session(&runtime.block_on(Engine::open(options_for(&sample_lake()))).expect("an engine"))
}

async fn ask(session: &Session, sql: &str) -> Result<String, EngineError> {
    let rows = session.query(sql).await?.collect().await?;
    Ok(pretty_format_batches(&rows).expect("text").to_string())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

#[test]
fn the_shell_asks_workers_that_are_processes() {
    let place = Place::with_sample();
    let (one, two) = (worker(&place, "127.0.0.1:0"), worker(&place, "127.0.0.1:0"));
    let workers = format!("{},{}", one.address, two.address);
    place.write("tithe.toml", "[cluster]\nminimum = 0\nper_partition = 1\n");
    let on = place.run(["sql", "--workers", &workers, "--format", "csv", "-c", SHORT]).result();
    let here = place.run(["sql", "--format", "csv", "-c", SHORT]).result();
    assert_eq!(on, here);
    assert!(here.lines().count() > 1, "{here}");
    let plan = place.run(["sql", "--workers", &workers, "-c", &format!("EXPLAIN {SHORT}")]).result();
    assert!(plan.contains("Stage 1") && plan.contains(&one.address), "{plan}");
    // Nobody there: said, and answered all the same.
    let ran = place.run(["sql", "--workers", "127.0.0.1:1", "--format", "csv", "-c", SHORT]);
    assert_eq!((ran.code, ran.stdout()), (Some(0), here.as_str()));
    assert!(ran.stderr.starts_with("warning: the worker 127.0.0.1:1 cannot be reached"), "{}", ran.stderr);
}

#[test]
fn a_worker_ends_in_good_order_when_told() {
    for signal in ["TERM", "INT"] {
        let place = Place::with_sample();
        let mut alone = worker(&place, "127.0.0.1:0");
        send(signal, &alone.process);
        assert_eq!(ends(&mut alone.process), Some(0), "{signal}");
    }
}

#[test]
fn a_worker_refuses_what_is_unsafe_or_wrong() {
    let place = Place::with_sample();
    let told = place.run(["worker", "--listen", "0.0.0.0:0"]).failure(2);
    assert!(told.contains("refusing to listen on 0.0.0.0:0"), "{told}");
    assert!(told.contains("without TLS and a cluster secret"), "{told}");
    place.write("short", "short");
    let told = place.run(["worker", "--listen", "127.0.0.1:0", "--cluster-secret", "short"]).failure(2);
    assert!(told.contains("5 bytes, and 32 to 4096 are taken"), "{told}");
    let told = place.run(["worker", "--cluster-ca", "a.pem"]).failure(2);
    assert!(told.contains("--cluster-cert"), "{told}");
    let told = place.run(["sql", "--workers", "nowhere", "-c", "SELECT 1"]).failure(2);
    assert!(told.contains("write HOST:PORT"), "{told}");
    let told = Place::new().run(["worker", "--listen", "127.0.0.1:0"]).failure(2);
    assert!(told.contains("there is no lake to work on"), "{told}");
}

/// Kills a worker at some time in each of many queries: every answer is whole, or there is an error.
#[test]
fn killed_workers_cost_no_row() {
    let place = Place::with_sample();
    let runtime = runtime();
    let expected = runtime.block_on(ask(&embedded(&runtime), LONG)).expect("an answer");
    let began = Instant::now();
    let mut victim = worker(&place, "127.0.0.1:0");
    let others = [worker(&place, "127.0.0.1:0"), worker(&place, "127.0.0.1:0")];
    let engine = coordinator(&runtime, &[&victim, &others[0], &others[1]], |_cluster| ());
    let session = session(&engine);
    assert_eq!(runtime.block_on(ask(&session, LONG)).expect("an answer"), expected);
    let usual = began.elapsed();
    for attempt in 0..8_u32 {
        // From the first moment of the query to past its end.
        let after = usual * (attempt * 37 % 100) / 200;
        let address = victim.address.clone();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(after);
            drop(victim);
        });
        // Nothing has been delivered before the last stage: the query is run again.
        let answer = runtime.block_on(ask(&session, LONG)).expect("the answer of the workers that are left");
        assert_eq!(answer, expected, "killed after {after:?}");
        killer.join().expect("a killed worker");
        victim = worker(&place, &address);
        let since = Instant::now();
        while engine.workers().len() < 3 {
            assert!(since.elapsed() < Duration::from_secs(60), "{:?}", engine.worker_problems());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    assert!(metric(&engine, "cluster_queries_run_again_total") > 0, "no query was hit");
    assert_eq!(metric(&engine, "cluster_queries_lost_total"), 0);
}

fn metric(engine: &Arc<Engine>, name: &str) -> u64 {
    let mut registry = prometheus_client::registry::Registry::default();
    engine.register_metrics(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")).map(str::to_owned));
    line.expect(name).parse().expect("a number")
}

/// A stopped process keeps its connections open and says nothing.
#[test]
fn a_worker_that_falls_silent_is_left_behind() {
    let place = Place::with_sample();
    let runtime = runtime();
    let expected = runtime.block_on(ask(&embedded(&runtime), LONG)).expect("an answer");
    let (silent, other) = (worker(&place, "127.0.0.1:0"), worker(&place, "127.0.0.1:0"));
    let engine = coordinator(&runtime, &[&silent, &other], |cluster| {
        // Nobody but the query itself notices.
        cluster.interval = Duration::from_secs(3600);
    });
    let session = session(&engine);
    send("STOP", &silent.process);
    let answer =
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(120), ask(&session, LONG)).await });
    send("CONT", &silent.process);
    assert_eq!(answer.expect("an answer in time").expect("an answer"), expected);
    assert_eq!(metric(&engine, "cluster_queries_run_again_total"), 1);
}

/// After the first row an answer that cannot be completed ends with an error, never early.
#[test]
fn after_the_first_row_a_lost_worker_is_an_error() {
    let place = Place::with_sample();
    let runtime = runtime();
    // Far more rows than fit into the buffers between the worker and this process.
    let rows = "SELECT a.invoice_number, repeat(a.invoice_number, 100) AS x, b.n FROM invoice.header a CROSS JOIN \
                (SELECT row_number() OVER (ORDER BY invoice_number) AS n FROM invoice.header LIMIT 2000) b";
    let (one, two) = (worker(&place, "127.0.0.1:0"), worker(&place, "127.0.0.1:0"));
    let engine = coordinator(&runtime, &[&one, &two], |_cluster| ());
    let session = session(&engine);
    let error = runtime.block_on(async move {
        let mut stream = session.query(rows).await.expect("a plan").execute().await.expect("a stream");
        let first = stream.try_next().await.expect("the first rows").expect("rows");
        assert!(first.num_rows() > 0);
        drop((one, two));
        loop {
            match stream.try_next().await {
                Ok(Some(_rows)) => {}
                Ok(None) => panic!("an answer without its end was called complete"),
                Err(error) => return EngineError::from(error),
            }
        }
    });
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    let told = error.to_string();
    assert!(told.contains("after the first rows had been delivered"), "{told}");
    assert!(told.contains("the answer is not complete, run the query again"), "{told}");
    assert_eq!(metric(&engine, "cluster_queries_lost_total"), 1);
}

/// When told to stop, a worker finishes what it has begun.
#[test]
fn a_stopping_worker_finishes_its_tasks() {
    let place = Place::with_sample();
    let runtime = runtime();
    let count = async |session: Session, sql: &str| {
        let mut stream = session.query(sql).await.expect("a plan").execute().await.expect("a stream");
        let mut rows = 0;
        while let Some(batch) = stream.try_next().await.expect("rows") {
            rows += batch.num_rows();
        }
        rows
    };
    let rows = "SELECT a.invoice_number, b.n FROM invoice.header a CROSS JOIN \
                (SELECT row_number() OVER (ORDER BY invoice_number) AS n FROM invoice.header LIMIT 200) b";
    let expected = runtime.block_on(count(embedded(&runtime), rows));
    let mut workers = [worker(&place, "127.0.0.1:0"), worker(&place, "127.0.0.1:0")];
    let engine = coordinator(&runtime, &workers.each_ref(), |cluster| cluster.retries = 0);
    let asking = session(&engine);
    let given = runtime.block_on(async {
        let mut stream = asking.query(rows).await.expect("a plan").execute().await.expect("a stream");
        let mut given = stream.try_next().await.expect("the first rows").expect("rows").num_rows();
        workers.iter().for_each(|worker| send("TERM", &worker.process));
        // It takes no more meanwhile.
        while !engine.workers().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        while let Some(batch) = stream.try_next().await.expect("rows") {
            given += batch.num_rows();
        }
        given
    });
    assert_eq!(given, expected);
    assert_eq!(metric(&engine, "cluster_queries_total"), 1);
    for worker in &mut workers {
        assert_eq!(ends(&mut worker.process), Some(0));
    }
}
