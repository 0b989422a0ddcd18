//! A server and three workers as processes, to which something happens while queries run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::TryStreamExt;
use tithe_testkit::{open, tpch_lake};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use crate::cluster_proxy::{Line, Proxy};
use crate::support::{Place, send, wait_until};

/// Each orders its rows in full.
const QUERIES: [&str; 5] = [
    // Many rows, which come while others are still computed.
    "SELECT l_orderkey, l_linenumber, l_quantity, o_comment FROM tpch.lineitem JOIN tpch.orders \
     ON l_orderkey = o_orderkey WHERE l_partkey % 4 = 0 ORDER BY l_orderkey, l_linenumber",
    "SELECT l_returnflag, l_linestatus, sum(l_extendedprice * (1 - l_discount)) AS x, avg(l_quantity) AS a, \
     count(DISTINCT l_partkey) AS n FROM tpch.lineitem GROUP BY l_returnflag, l_linestatus ORDER BY 1, 2",
    "SELECT n_name, o_orderpriority, sum(l_extendedprice) AS x, count(*) AS n FROM tpch.customer JOIN tpch.orders \
     ON c_custkey = o_custkey JOIN tpch.lineitem ON l_orderkey = o_orderkey JOIN tpch.nation ON c_nationkey = n_nationkey \
     GROUP BY n_name, o_orderpriority ORDER BY 1, 2",
    "SELECT l_partkey, l_orderkey, l_linenumber, sum(l_quantity) OVER (PARTITION BY l_partkey ORDER BY l_orderkey, \
     l_linenumber) AS x FROM tpch.lineitem WHERE l_suppkey % 5 = 0 ORDER BY 1, 2, 3",
    // Sorts more than a starved worker's memory.
    "SELECT g, sum(length(t) % 89 * n) AS x FROM (SELECT o_custkey % 7 AS g, repeat(o_comment, 80) AS t, row_number() OVER \
     (PARTITION BY o_custkey % 7 ORDER BY o_orderdate, o_orderkey) AS n FROM tpch.orders) GROUP BY g ORDER BY g",
];

/// The one of them that sorts most.
const SORTS: usize = 4;

/// What can happen to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Killed,
    /// Does nothing more, and its connections stay.
    Stopped,
    /// Told to end, and started again.
    Restarted,
    /// All of its connections end; it lives.
    Cut,
    /// Nothing reaches it or leaves it.
    Unreachable,
    /// Its connections are slow.
    Slow,
    /// Little memory, and a disk that takes nothing.
    Starved,
}

const FAULTS: [Fault; 7] = [
    Fault::Killed,
    Fault::Stopped,
    Fault::Restarted,
    Fault::Cut,
    Fault::Unreachable,
    Fault::Slow,
    Fault::Starved,
];

fn faults() -> usize {
    std::env::var("TITHE_TEST_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(30)
}

/// Numbers that scatter, the same in every run.
struct Scatter(u64);

impl Scatter {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("an index")]
    }
}

/// A process of the cluster with a port for metrics.
struct Node {
    process: Child,
    address: SocketAddr,
    operations: SocketAddr,
}

impl Node {
    /// Waits until it says where it listens.
    fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("tithe starts");
        let mut said = BufReader::new(process.stderr.take().expect("standard error"));
        let (mut address, mut operations) = (None, None);
        while address.is_none() || operations.is_none() {
            let mut line = String::new();
            assert!(said.read_line(&mut line).expect("a line") > 0, "it ended without its addresses");
            let told =
                line.trim_end().rsplit_once(" at ").map(|(_what, at)| at.rsplit('/').next().expect(at));
            let told = told.and_then(|at| at.parse().ok());
            match line.starts_with("health") {
                true => operations = told,
                false => address = address.or(told),
            }
        }
        // What nobody reads would keep it from saying more.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { process, address: address.expect("an address"), operations: operations.expect("an address") }
    }

    fn metric(&self, name: &str) -> u64 {
        let mut stream = std::net::TcpStream::connect(self.operations).expect("the port for metrics");
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("metrics");
        let found = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        found.unwrap_or_else(|| panic!("no {name} in {answer}"))
    }

    /// Entries of a folder that the system keeps of the process.
    fn count(&self, folder: &str) -> usize {
        fs::read_dir(format!("/proc/{}/{folder}", self.process.id())).expect(folder).count()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

struct Cluster {
    place: Place,
    runtime: Runtime,
    server: Node,
    workers: Vec<Node>,
    proxies: Vec<Proxy>,
    channel: Channel,
    starts: u32,
}

const WORKERS: usize = 3;

impl Cluster {
    fn start() -> Self {
        let place = Place::on(tpch_lake());
        place.write("tithe.toml", "[cluster]\nminimum = 0\nper_partition = 1\ntimeout_seconds = 1\n");
        fs::create_dir(place.path("tmp")).expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let mut starts = 0;
        let workers: Vec<Node> =
            (0..WORKERS).map(|_worker| worker(&place, &mut starts, Fault::Restarted)).collect();
        let proxies: Vec<Proxy> =
            workers.iter().map(|worker| Proxy::start(&runtime, worker.address)).collect();
        let addresses: Vec<String> = proxies.iter().map(|proxy| proxy.address.to_string()).collect();
        let mut command = place.command(["serve", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0"]);
        command.args(["--result-cache", "0", "--workers", &addresses.join(",")]);
        command.env("TMPDIR", place.path("tmp"));
        let server = Node::start(command);
        let address = format!("http://{}", server.address);
        let endpoint = Endpoint::from_shared(address).expect("an address").tcp_nodelay(true);
        let channel = runtime.block_on(endpoint.connect()).expect("a connection");
        Self { place, runtime, server, workers, proxies, channel, starts }
    }

    /// An answer as text, or the error.
    fn ask(&self, sql: &'static str) -> JoinHandle<Result<String, String>> {
        let channel = self.channel.clone();
        self.runtime.spawn(async move {
            let answer = async {
                let mut client = FlightSqlServiceClient::new(channel);
                let info = client.execute(sql.to_owned(), None).await.map_err(|error| error.to_string())?;
                let mut rows: Vec<RecordBatch> = Vec::new();
                for endpoint in info.endpoint {
                    let stream = client.do_get(endpoint.ticket.expect("a ticket")).await;
                    let stream = stream.map_err(|error| error.to_string())?;
                    rows.extend(stream.try_collect::<Vec<_>>().await.map_err(told)?);
                }
                Ok(pretty_format_batches(&rows).expect("text").to_string())
            };
            let answer = tokio::time::timeout(Duration::from_secs(90), answer).await;
            answer.unwrap_or_else(|_elapsed| panic!("no answer and no error: {sql}"))
        })
    }

    fn strike(&mut self, fault: Fault, victim: usize) {
        match fault {
            Fault::Killed => {
                let worker = &mut self.workers[victim].process;
                worker.kill().expect("a process");
                worker.wait().expect("its end");
            }
            Fault::Stopped => send("STOP", &self.workers[victim].process),
            Fault::Restarted => send("TERM", &self.workers[victim].process),
            Fault::Cut => self.proxies[victim].cut(),
            Fault::Unreachable => self.proxies[victim].set(Line::Dead),
            Fault::Slow => self.proxies[victim].set(Line::Slow),
            Fault::Starved => self.replace(victim, Fault::Starved),
        }
    }

    fn heal(&mut self, fault: Fault, victim: usize) {
        match fault {
            Fault::Killed | Fault::Restarted | Fault::Starved => self.replace(victim, Fault::Restarted),
            Fault::Stopped => send("CONT", &self.workers[victim].process),
            Fault::Cut => {}
            Fault::Unreachable | Fault::Slow => self.proxies[victim].set(Line::Clear),
        }
    }

    fn replace(&mut self, victim: usize, fault: Fault) {
        self.workers[victim] = worker(&self.place, &mut self.starts, fault);
        self.proxies[victim].lead_to(self.workers[victim].address);
    }

    fn wait_for_workers(&self, least: usize) {
        wait_until("workers", || self.server.metric("tithe_cluster_workers") >= least as u64);
    }

    /// Files of queries that the nodes have not removed.
    fn spilled(&self) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), vec![self.place.path("tmp")]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    _ => files.push(entry.path()),
                }
            }
        }
        files
    }
}

fn worker(place: &Place, starts: &mut u32, fault: Fault) -> Node {
    *starts += 1;
    let arguments =
        ["worker", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--drain-timeout", "1"];
    let mut command = match fault {
        // Files of more than 4 KiB cannot be written, as on a full disk.
        Fault::Starved => {
            let starter = ["sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""];
            place.command_by(&starter, arguments.into_iter().chain(["--memory", "16MiB"]))
        }
        _ => place.command(arguments),
    };
    command.env("TMPDIR", place.path("tmp"));
    Node::start(command)
}

/// What the server said, without the words of the client's library.
fn told(error: FlightError) -> String {
    match error {
        FlightError::Tonic(status) => status.message().to_owned(),
        other => other.to_string(),
    }
}

/// One sentence that a user can do something with.
fn is_clear(error: &str) -> bool {
    !error.contains('\n') && !error.contains("defect") && !error.contains("code: '") && error.len() < 900
}

#[test]
fn faults_cost_no_row_and_leave_nothing_behind() {
    let count = faults();
    let mut cluster = Cluster::start();
    let expected = cluster.runtime.block_on(embedded_answers());
    let mut usual = Duration::ZERO;
    for (sql, expected) in QUERIES.iter().zip(&expected) {
        // A busy machine may let one seem silent, and a query without workers would run where it was asked.
        cluster.wait_for_workers(WORKERS);
        let began = Instant::now();
        let answer = cluster.runtime.block_on(cluster.ask(sql)).expect("a task");
        assert_eq!(answer.as_ref(), Ok(expected), "{sql}");
        usual = usual.max(began.elapsed());
    }
    assert_eq!(cluster.server.metric("tithe_cluster_queries_total"), QUERIES.len() as u64);
    let level = |node: &Node| (node.count("fd"), node.count("task"));
    let (server_before, worker_before) = (level(&cluster.server), level(&cluster.workers[0]));

    let mut scatter = Scatter(7);
    let mut struck: BTreeMap<Fault, u32> = BTreeMap::new();
    let mut errors: BTreeMap<String, u32> = BTreeMap::new();
    let (mut right, mut done) = (0_u32, 0);
    // On a busy machine all of them may pass between the queries.
    let hit = |cluster: &Cluster| cluster.server.metric("tithe_cluster_queries_run_again_total") > 0;
    while done < count || (done < 4 * count && !hit(&cluster)) {
        let mut which: [usize; 2] = std::array::from_fn(|_query| scatter.one(&[0, 1, 2, 3, 4]));
        // One or two faults, each to another worker, from the first moment of the queries to past their end.
        let first = scatter.one(&[0, 1, 2]);
        let victims = [first, (first + 1) % WORKERS].into_iter().take(1 + done % 2);
        let faults: Vec<(Fault, usize)> = victims.map(|victim| (scatter.one(&FAULTS), victim)).collect();
        let mut open = Vec::new();
        if let Some((fault, victim)) = faults.iter().find(|(fault, _victim)| *fault == Fault::Starved) {
            // It must be there before the queries, or nobody gives it anything to do.
            cluster.strike(*fault, *victim);
            cluster.wait_for_workers(WORKERS);
            which[0] = SORTS;
            open.push((*fault, *victim));
            *struck.entry(*fault).or_default() += 1;
            done += 1;
        }
        let asked = which.map(|query| cluster.ask(QUERIES[query]));
        for (fault, victim) in faults.into_iter().filter(|(fault, _victim)| *fault != Fault::Starved) {
            std::thread::sleep(usual * u32::try_from(scatter.below(100)).expect("a few") / 80);
            cluster.strike(fault, victim);
            *struck.entry(fault).or_default() += 1;
            done += 1;
            // Some pass by themselves, others last until the queries have found their way.
            match scatter.below(2) {
                0 => {
                    std::thread::sleep(Duration::from_millis(scatter.below(300)));
                    cluster.heal(fault, victim);
                }
                _ => open.push((fault, victim)),
            }
        }
        for (query, asked) in which.into_iter().zip(asked) {
            match cluster.runtime.block_on(asked).expect("a task") {
                Ok(answer) if answer == expected[query] => right += 1,
                Ok(answer) => panic!("a wrong answer was called complete: {}\n{answer}", QUERIES[query]),
                Err(error) => *errors.entry(error).or_default() += 1,
            }
        }
        for (fault, victim) in open {
            cluster.heal(fault, victim);
        }
        // One worker alone would say little.
        cluster.wait_for_workers(2);
    }

    let mut report = format!("{done} faults {struck:?}: {right} right answers");
    for (error, times) in &errors {
        write!(report, "\n{times} × {error}").expect("text");
    }
    report_of(&report);
    assert!(errors.keys().all(|error| is_clear(error)), "{report}");
    assert!(right >= errors.values().sum(), "most queries can be answered: {report}");
    assert!(hit(&cluster), "no query was hit: {report}");

    cluster.wait_for_workers(WORKERS);
    for (sql, expected) in QUERIES.iter().zip(&expected) {
        let answer = cluster.runtime.block_on(cluster.ask(sql)).expect("a task");
        assert_eq!(answer.as_ref(), Ok(expected), "{sql}");
    }
    wait_until("the end of all queries", || cluster.server.metric("tithe_queries_running") == 0);
    for node in cluster.workers.iter().chain([&cluster.server]) {
        wait_until("memory given back", || node.metric("tithe_memory_reserved_bytes") == 0);
    }
    for node in &cluster.workers {
        wait_until("the end of all tasks", || node.metric("tithe_tasks_running") == 0);
    }
    wait_until("no file of a query", || cluster.spilled().is_empty());
    let folders = fs::read_dir(cluster.place.path("tmp")).expect("a folder").count();
    assert_eq!(folders, WORKERS + 1, "those of killed workers are gone");
    // Connections to those that are gone, and threads without work, end by themselves after a while.
    for (node, before) in
        cluster.workers.iter().map(|worker| (worker, worker_before)).chain([(&cluster.server, server_before)])
    {
        wait_until(&format!("files and threads like {before:?}"), || {
            let (files, threads) = level(node);
            files <= before.0 + 8 && threads <= before.1 + 8
        });
    }
}

async fn embedded_answers() -> Vec<String> {
    let session = open(&tpch_lake()).await;
    let mut answers = Vec::new();
    for sql in QUERIES {
        let rows = session.query(sql).await.expect("a plan").collect().await.expect("an answer");
        answers.push(pretty_format_batches(&rows).expect("text").to_string());
    }
    answers
}

/// Said even when the test passes: the figure that the documentation gives.
fn report_of(report: &str) {
    writeln!(std::io::stderr(), "{report}").ok();
}
