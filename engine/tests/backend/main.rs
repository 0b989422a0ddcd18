//! The setting `tithe.compute.backend`, with the kernels that a GPU would run in an interpreter: no GPU is needed.

#![cfg(test)]

#[path = "../../../udfs/cuda/tests/search/machine.rs"]
mod machine;
#[path = "../engine/support.rs"]
#[expect(dead_code, reason = "these tests use a part of it")]
mod support;

use std::error::Error;
use std::io::Write;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use machine::Interpreter;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use support::{message, table};
use tithe_compute::forecast::{Found, SearchDevice, Searches};
use tithe_compute::income::{DrawDevice, Rows};
use tithe_cuda::searches::{DeviceSearches, PTX};
use tithe_engine::{Engine, EngineOptions, Principal, Session};
use tokio::sync::{Mutex as Turn, MutexGuard};

/// Bytes of the device that all partitions share: less than the batches of a few of them together.
const BUDGET: usize = 100_000;

/// The interpreter, which fails when told to.
struct TestDevice {
    kernels: DeviceSearches<Interpreter>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Batches until it fails, and all after.
    good: Option<usize>,
    searches: usize,
    /// Draws of single rows.
    draws: usize,
}

impl TestDevice {
    fn good_batches(&self, good: Option<usize>) {
        self.state.lock().expect("no thread panics").good = good;
    }

    /// Searches since the last call.
    fn searches(&self) -> usize {
        std::mem::take(&mut self.state.lock().expect("no thread panics").searches)
    }
}

impl SearchDevice for TestDevice {
    fn search(&self, searches: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>> {
        if let Some(good) = &mut self.state.lock().expect("no thread panics").good {
            *good = good.checked_sub(1).ok_or("it fell off the bus")?;
        }
        let found = self.kernels.search(searches)?;
        self.state.lock().expect("no thread panics").searches += found.on_device;
        Ok(found)
    }

    fn most_bytes(&self) -> usize {
        self.kernels.most_bytes()
    }
}

impl TestDevice {
    /// Draws since the last call.
    fn draws(&self) -> usize {
        std::mem::take(&mut self.state.lock().expect("no thread panics").draws)
    }
}

impl DrawDevice for TestDevice {
    fn draw(&self, rows: &Rows, draws: Range<u32>) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
        if let Some(good) = &mut self.state.lock().expect("no thread panics").good {
            *good = good.checked_sub(1).ok_or("it fell off the bus")?;
        }
        let found = self.kernels.draw(rows, draws.clone())?;
        self.state.lock().expect("no thread panics").draws += rows.count() * draws.len();
        Ok(found)
    }
}

/// What is logged as a warning.
#[derive(Clone, Copy)]
struct Log;

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().expect("no thread panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logged() -> String {
    let bytes = std::mem::take(&mut *LOGGED.lock().expect("no thread panics"));
    String::from_utf8(bytes).expect("text")
}

/// The device of this process, for one test at a time.
async fn device() -> (&'static TestDevice, MutexGuard<'static, ()>) {
    static DEVICE: OnceLock<Arc<TestDevice>> = OnceLock::new();
    static TURN: Turn<()> = Turn::const_new(());
    let turn = TURN.lock().await;
    let device = DEVICE.get_or_init(|| {
        let filter = tracing_subscriber::EnvFilter::new("tithe_udfs=warn");
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Log).init();
        let kernels = DeviceSearches::new(Interpreter::new(PTX), BUDGET);
        let device = Arc::new(TestDevice { kernels, state: Mutex::default() });
        assert!(tithe_udfs::bring_device(Arc::<TestDevice>::clone(&device)));
        device
    });
    device.good_batches(None);
    device.searches();
    device.draws();
    logged();
    (device, turn)
}

async fn session(partitions: usize) -> Session {
    let options = EngineOptions { target_partitions: Some(partitions), ..EngineOptions::default() };
    let session =
        Engine::open(options).await.expect("it opens").session(Principal::local()).expect("a session");
    // Some groups have a gap, some a NULL, one is constant, one is of a single row.
    let rows = "SELECT k.value AS k, t.value AS t, CASE WHEN k.value = 3 THEN 7.0 \
                WHEN t.value = 8 AND k.value % 5 = 2 THEN NULL \
                ELSE 100.1 + (k.value * 31 + t.value * 17) % 101 + 20 * (t.value % 4) END AS v \
                FROM generate_series(1, 220) k, generate_series(1, 26) t \
                WHERE NOT (k.value % 7 = 3 AND t.value = 11) AND NOT (k.value = 4 AND t.value > 1)";
    table(&session, &format!("CREATE TABLE series AS {rows}")).await;
    session
}

async fn on(session: &Session, backend: &str, sql: &str) -> String {
    table(session, &format!("SET tithe.compute.backend = {backend}")).await;
    table(session, sql).await
}

const FORECAST: &str =
    "SELECT k, forecast(t, v, 3, season => 4) AS f FROM series WHERE k <= 24 GROUP BY k ORDER BY k";
const FORECAST_ALL: &str =
    "SELECT k, forecast(t, v, 2, season => 4, model => 'hw') AS f FROM series GROUP BY k ORDER BY k";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_gives_the_same_bits_on_every_backend() {
    let (device, _turn) = device().await;
    for partitions in [1, 4] {
        let session = session(partitions).await;
        for sql in [
            FORECAST,
            "SELECT k, forecast(t, v, 3, season => 30) AS f FROM series WHERE k <= 6 GROUP BY k ORDER BY k",
            "SELECT forecast(t, v, 3, season => 4) AS f FROM series WHERE k = 1",
            "SELECT k, t, forecast(t, v, 1, season => 4) OVER (PARTITION BY k ORDER BY t) AS f FROM series \
             WHERE k = 2 ORDER BY t",
            "SELECT k, backtest(t, v, 2, 3, season => 4, drift => 0.5) AS b FROM series WHERE k <= 8 GROUP BY k \
             ORDER BY k",
            "SELECT k, nowcast(t, CASE WHEN t < 26 THEN v END, 0.3 * v, season => 4) AS n FROM series WHERE k <= 5 \
             GROUP BY k ORDER BY k",
            "SELECT k, forecast_explain(t, v, 2, season => 4) AS e FROM series WHERE k <= 8 GROUP BY k ORDER BY k",
            "SELECT * FROM ai_forecast((SELECT * FROM series WHERE k <= 8), data_col => 'v', timestamp_col => 't', \
             id_cols => ['k'], horizon => 2) ORDER BY k, forecast_timestamp",
        ] {
            let cpu = on(&session, "cpu", sql).await;
            assert!(cpu.contains('.') && device.searches() == 0, "{sql}");
            let cuda = on(&session, "cuda", sql).await;
            assert_eq!(cuda, cpu, "{sql}");
            assert!(device.searches() > 0, "{sql}");
        }
    }
}

#[tokio::test]
async fn auto_uses_the_device_for_many_groups_alone() {
    let (device, _turn) = device().await;
    let session = session(1).await;
    let cpu = on(&session, "cpu", FORECAST_ALL).await;
    let before = tithe_udfs::computed();
    assert_eq!(on(&session, "auto", FORECAST_ALL).await, cpu);
    let searches = device.searches();
    let after = tithe_udfs::computed();
    // One of `hw` for each group, but for the constant and the single row.
    assert_eq!(searches, 220 - 2);
    assert_eq!(after.searches_on_device - before.searches_on_device, 220 - 2);
    assert_eq!(after.series_on_device - before.series_on_device, 220);
    assert_eq!(after.series_on_processor, before.series_on_processor);
    let (mut registry, mut metrics) = (Registry::default(), String::new());
    session.engine().register_metrics(&mut registry);
    encode(&mut metrics, &registry).expect("it encodes");
    assert!(
        metrics.contains(&format!("\nforecast_searches_gpu_total {}\n", after.searches_on_device)),
        "{metrics}"
    );
    on(&session, "auto", FORECAST).await;
    assert_eq!(device.searches(), 0);
    assert_eq!(tithe_udfs::computed().series_on_processor - after.series_on_processor, 24);
}

#[tokio::test]
async fn a_device_that_fails_is_done_without_or_told() {
    let (device, _turn) = device().await;
    let session = session(1).await;
    let cpu = on(&session, "cpu", FORECAST_ALL).await;
    for good in [0, 1] {
        device.good_batches(Some(good));
        let failures = tithe_udfs::computed().device_failures;
        assert_eq!(on(&session, "auto", FORECAST_ALL).await, cpu);
        let warnings = logged();
        assert_eq!(warnings.lines().count(), 1, "{warnings}");
        assert!(
            warnings
                .contains("forecast: the GPU failed, and the CPU goes on without it: it fell off the bus"),
            "{warnings}"
        );
        assert_eq!(tithe_udfs::computed().device_failures - failures, 1);
        device.good_batches(Some(good));
        assert_eq!(
            {
                on(&session, "cuda", "SELECT 1").await;
                message(&session, FORECAST_ALL).await
            },
            "forecast: the compute backend cuda failed (it fell off the bus); `SET tithe.compute.backend = cpu` computes \
             without a GPU"
        );
        assert_eq!(logged(), "");
    }
}

/// Creators with all evidence, and fewer and worse of it: every seventh is none, some are minors.
async fn creators(session: &Session, count: u32) {
    let rows = format!(
        "SELECT i, CASE WHEN i % 7 <> 3 THEN named_struct('channel_id', 'UC' || i, 'year', 2025, \
         'followers', 1000 * i * i, 'annual_views', CASE WHEN i % 5 <> 0 THEN 90000.0 * i END, \
         'category', CASE WHEN i % 4 = 0 THEN 'food' ELSE 'gaming' END, 'sponsored_posts', i % 6, \
         'seen_deal_amounts', CASE WHEN i % 3 = 0 THEN [20000.0 + i, 31000.0] END, \
         'remittance_twd', CASE WHEN i % 4 = 1 THEN 5000.0 * i END, \
         'declared_income', CASE WHEN i % 2 = 0 THEN 3000.0 * i WHEN i % 9 = 0 THEN -1 END, \
         'is_minor', i % 11 = 0) END AS e FROM generate_series(1, {count}) AS t(i)"
    );
    table(session, &format!("CREATE TABLE creators AS {rows}")).await;
}

const INCOME: &str = "SELECT i, influencer_income(e, draws => 96, seed => 5) AS r FROM creators ORDER BY i";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomes_are_the_same_bits_on_every_backend() {
    let (device, _turn) = device().await;
    for partitions in [1, 4] {
        let session = session(partitions).await;
        creators(&session, 24).await;
        for sql in [
            INCOME,
            "SELECT i, influencer_income(e, draws => 64, explain => true) AS r FROM creators WHERE i < 6 ORDER BY i",
            "SELECT influencer_income(named_struct('channel_id', 'UC1', 'followers', 80000), draws => 64)['p50'] AS p50",
            "SELECT i, influencer_income(e, draws => 64, priors => CASE WHEN i % 2 = 0 THEN [named_struct('version', \
             'trial', 'name', 'ads_per_thousand', 'key', '', 'value', 63.0, 'unit', 'NT$ per 1000 views')] END) AS r \
             FROM creators WHERE i < 8 ORDER BY i",
            "SELECT max(influencer_income(e, draws => 64)['mean']) AS m FROM creators \
             WHERE influencer_income(e, draws => 64)['p50'] > 1000",
        ] {
            let cpu = on(&session, "cpu", sql).await;
            assert!(cpu.contains('.') && device.draws() == 0, "{sql}: {cpu}");
            assert_eq!(on(&session, "cuda", sql).await, cpu, "{sql}");
            assert!(device.draws() > 0, "{sql}");
        }
    }
}

#[tokio::test]
async fn auto_uses_the_device_for_many_creators_alone() {
    let (device, _turn) = device().await;
    let session = session(1).await;
    creators(&session, 70).await;
    let cpu = on(&session, "cpu", INCOME).await;
    let before = tithe_udfs::computed();
    assert_eq!(on(&session, "auto", INCOME).await, cpu);
    let after = tithe_udfs::computed();
    assert_eq!(after.creators_on_device - before.creators_on_device, 60);
    assert_eq!(after.creators_on_processor, before.creators_on_processor);
    // Of 60 six are minors, and some need more draws than were asked for.
    assert!(device.draws() >= 96 * 54);
    let (mut registry, mut metrics) = (Registry::default(), String::new());
    session.engine().register_metrics(&mut registry);
    encode(&mut metrics, &registry).expect("it encodes");
    assert!(
        metrics.contains(&format!("\nincome_creators_gpu_total {}\n", after.creators_on_device)),
        "{metrics}"
    );
    on(&session, "auto", &INCOME.replace("ORDER", "WHERE i <= 40 ORDER")).await;
    assert_eq!(device.draws(), 0);
    assert_eq!(tithe_udfs::computed().creators_on_processor - after.creators_on_processor, 34);
}

#[tokio::test]
async fn incomes_do_without_a_device_that_fails_or_tell_of_it() {
    let (device, _turn) = device().await;
    let session = session(1).await;
    creators(&session, 70).await;
    let cpu = on(&session, "cpu", INCOME).await;
    for good in [0, 1] {
        device.good_batches(Some(good));
        let failures = tithe_udfs::computed().draw_failures;
        assert_eq!(on(&session, "auto", INCOME).await, cpu);
        assert_eq!(
            logged()
                .lines()
                .filter(|line| line.contains("influencer_income: the GPU failed, and the CPU goes on"))
                .count(),
            1
        );
        assert_eq!(tithe_udfs::computed().draw_failures - failures, 1);
        device.good_batches(Some(good));
        on(&session, "cuda", "SELECT 1").await;
        assert_eq!(
            message(&session, INCOME).await,
            "influencer_income: the compute backend cuda failed (it fell off the bus); `SET tithe.compute.backend = cpu` \
             computes without a GPU"
        );
        assert_eq!(logged(), "");
    }
}

#[tokio::test]
async fn a_prepared_plan_runs_where_the_session_says_when_it_runs() {
    let (device, _turn) = device().await;
    let session = session(2).await;
    on(&session, "cpu", &format!("PREPARE f AS {FORECAST}")).await;
    let cpu = on(&session, "cpu", "EXECUTE f").await;
    assert_eq!(device.searches(), 0);
    assert_eq!(on(&session, "cuda", "EXECUTE f").await, cpu);
    assert!(device.searches() > 0);
    on(&session, "cuda", &format!("PREPARE g AS {FORECAST}")).await;
    assert_eq!(on(&session, "cpu", "EXECUTE g").await, cpu);
    assert_eq!(device.searches(), 0);
}

#[tokio::test]
async fn the_backend_is_no_part_of_the_plan() {
    let (_device, _turn) = device().await;
    let session = session(2).await;
    let mut plans = Vec::new();
    for backend in ["cpu", "auto", "cuda"] {
        plans.push(on(&session, backend, &format!("EXPLAIN {FORECAST}")).await);
    }
    assert!(plans[0].contains("forecast(") && plans.iter().all(|plan| *plan == plans[0]));
    creators(&session, 9).await;
    let mut plans = Vec::new();
    for backend in ["cpu", "auto", "cuda"] {
        plans.push(on(&session, backend, &format!("EXPLAIN {INCOME}")).await);
    }
    assert!(plans[0].contains("influencer_income(") && plans.iter().all(|plan| *plan == plans[0]));
}
