//! Times every query of the library on a lake, in this process: minimum and median of several runs.
//!
//! `cargo run --release -p tithe-benches --bin library -- LAKE [RUNS]`

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use tithe_benches as _;
use tithe_engine::{Engine, EngineOptions, Principal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let lake = arguments.next().ok_or("usage: library LAKE [RUNS]")?;
    let runs: usize = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let engine =
        Engine::open(EngineOptions { lake: Some(lake.parse()?), ..EngineOptions::default() }).await?;

    println!("{:<44} {:>9} {:>11} {:>11}", "query", "rows", "minimum ms", "median ms");
    for query in tithe_queries::library() {
        let sql = query.bind(&BTreeMap::new())?;
        let mut rows = 0;
        let mut times: Vec<Duration> = Vec::with_capacity(runs);
        for _run in 0..runs.max(1) {
            let start = Instant::now();
            let session = engine.session(Principal::local())?;
            rows = session
                .query(&sql)
                .await?
                .collect()
                .await?
                .iter()
                .map(arrow::array::RecordBatch::num_rows)
                .sum();
            times.push(start.elapsed());
        }
        times.sort_unstable();
        let milliseconds = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1000.0);
        println!(
            "{:<44} {rows:>9} {:>11.1} {:>11.1}",
            query.name,
            milliseconds(times.first()),
            milliseconds(times.get(times.len() / 2)),
        );
    }
    Ok(())
}
