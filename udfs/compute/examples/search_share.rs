//! Measures what share of the time of a forecast its parameter searches are: what a device can take over.
//!
//! `cargo run --release -p tithe-compute --example search_share -- BENCH.csv [MODEL]`
//!
//! BENCH.csv as for the example `score`. One thread, processor time where the system tells, the mean of a hundred runs.
#![expect(clippy::print_stdout, reason = "the figures are the output of this program")]

use std::error::Error;
use std::sync::Mutex;
use std::time::Instant;

use tithe_compute::forecast::{
    Adjustments, Found, Model, Request, SearchDevice, Searches, SeriesRef, forecast_batch,
};

mod series_file;

/// So many that the system's clock, which moves by milliseconds, tells.
const RUNS: u32 = 100;

/// Runs searches on the processor and keeps them.
#[derive(Default)]
struct Keeper(Mutex<Searches>);

impl SearchDevice for Keeper {
    fn search(&self, searches: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>> {
        *self.0.lock().map_err(|error| error.to_string())? = searches.clone();
        Ok(searches.run())
    }

    fn most_bytes(&self) -> usize {
        usize::MAX
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: search_share BENCH.csv [MODEL]")?;
    let name = arguments.get(1).map_or("auto", String::as_str);
    let model = Model::from_name(name).ok_or_else(|| format!("no model is called {name:?}"))?;
    let all = series_file::parse(&std::fs::read_to_string(path)?).map_err(|error| error.to_string())?;
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    for frequency in all.chunk_by(|one, other| one.frequency == other.frequency) {
        let series = frequency.iter().map(|one| SeriesRef {
            values: &one.train,
            season: one.season,
            horizon: one.test.len(),
        });
        let requests: Vec<Request<'_>> =
            series.map(|series| Request { series, adjustments: Adjustments::none(), model }).collect();
        let keeper = Keeper::default();
        for (one, forecast) in frequency.iter().zip(forecast_batch(&requests, &keeper)?) {
            forecast.map_err(|error| format!("{}: {error}", one.id))?;
        }
        let searches = keeper.0.into_inner().map_err(|error| error.to_string())?;
        let (whole, searched) = one_thread.install(|| {
            let whole = seconds(|| requests.iter().map(Request::forecast).collect::<Vec<_>>());
            (whole, seconds(|| searches.run()))
        });
        let count = searches.smoothing.len() + searches.theta.len();
        println!(
            "{} {}: {} series, {count} searches, {:.1} % of the time of {:.1} ms",
            model.name(),
            frequency.first().map_or("", |one| one.frequency.as_str()),
            requests.len(),
            100.0 * searched / whole,
            1e3 * whole
        );
    }
    Ok(())
}

/// For one of [`RUNS`] runs; of this thread where the system tells, of the clock otherwise.
fn seconds<T>(work: impl Fn() -> T) -> f64 {
    let (start, before) = (Instant::now(), processor_seconds());
    for _ in 0..RUNS {
        std::hint::black_box(work());
    }
    let whole = match (before, processor_seconds()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed().as_secs_f64(),
    };
    whole / f64::from(RUNS)
}

/// Time this thread has run, where the system tells.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? * 1e-9)
}
