//! Times `forecast` over many groups, from Arrow to Arrow, on the CPU and on this machine's GPU; says so where there is
//! none. The rows are in memory, two years and more of months for each series.
//!
//! `cargo run --release -p tithe-benches --bin forecast_backend -- [SERIES [MONTHS [RUNS]]]`

use std::error::Error;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use tithe_benches as _;
use tithe_engine::{Engine, EngineOptions, Principal, Session};

const FORECAST: &str = "SELECT k, forecast(t, v, 12, season => 12) AS f FROM series GROUP BY k ORDER BY k";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<usize> =
        std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let argument = |place: usize, usual| arguments.get(place).copied().unwrap_or(usual);
    let (series, months, runs) = (argument(0, 2000), argument(1, 120), argument(2, 5));
    let session = Engine::open(EngineOptions::default()).await?.session(Principal::local())?;
    let rows = format!(
        "SELECT k.value AS k, t.value AS t, 200.0 + t.value + 30 * ((t.value + k.value) % 12) \
         + (k.value * 7919 + t.value * 104729) % 1009 / 10.0 AS v \
         FROM generate_series(1, {series}) k, generate_series(1, {months}) t"
    );
    ask(&session, &format!("CREATE TABLE series AS {rows}")).await?;
    let cpu = time(&session, "cpu", series, runs).await?;
    if let Err(error) = ask(&session, "SET tithe.compute.backend = cuda").await {
        println!("nothing was measured on a GPU: {error}");
        return Ok(());
    }
    if time(&session, "cuda", series, runs).await? == cpu {
        println!("the answers are the same");
        Ok(())
    } else {
        Err("the GPU and the CPU disagree".into())
    }
}

/// Prints the speed of the best run and gives the answer.
async fn time(
    session: &Session,
    backend: &str,
    series: usize,
    runs: usize,
) -> Result<String, Box<dyn Error>> {
    ask(session, &format!("SET tithe.compute.backend = {backend}")).await?;
    let (mut best, mut answer) = (f64::INFINITY, Vec::new());
    for _run in 0..runs.max(1) {
        let start = Instant::now();
        answer = ask(session, FORECAST).await?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{backend}: {:.0} series a second", series as f64 / best);
    Ok(pretty_format_batches(&answer)?.to_string())
}

async fn ask(session: &Session, sql: &str) -> Result<Vec<RecordBatch>, Box<dyn Error>> {
    Ok(session.query(sql).await?.collect().await?)
}
