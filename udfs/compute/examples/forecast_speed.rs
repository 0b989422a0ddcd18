//! Measures how many series a second are forecast, on one thread and on all.
//!
//! `cargo run --release -p tithe-compute --example forecast_speed -- BENCH.csv [MODEL]`
//!
//! BENCH.csv as for the example `score`. Every figure is the best of twenty runs. On Linux the mean processor time of
//! the thread is told too, which other programs on the machine disturb less than the time on the clock.
#![expect(clippy::print_stdout, reason = "the figures are the output of this program")]

use std::time::Instant;

use tithe_compute::forecast::{Model, SeriesRef, forecast_many, forecast_series};

mod processor_time;
mod series_file;

use processor_time::processor_seconds;

const RUNS: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: forecast_speed BENCH.csv [MODEL]")?;
    let name = arguments.get(1).map_or("auto", String::as_str);
    let model = Model::from_name(name).ok_or_else(|| format!("no model is called {name:?}"))?;
    let mut by_frequency: Vec<(String, Vec<series_file::Series>)> = Vec::new();
    for one in series_file::parse(&std::fs::read_to_string(path)?)? {
        match by_frequency.last_mut() {
            Some((frequency, series)) if *frequency == one.frequency => series.push(one),
            _ => by_frequency.push((one.frequency.clone(), vec![one])),
        }
    }
    for (frequency, series) in &by_frequency {
        let count = series.len() as f64;
        let requests: Vec<SeriesRef<'_>> = series
            .iter()
            .map(|one| SeriesRef { values: &one.train, season: one.season, horizon: one.test.len() })
            .collect();
        let (mut alone, mut together, mut processor) = (f64::INFINITY, f64::INFINITY, None);
        for _ in 0..RUNS {
            let (start, before) = (Instant::now(), processor_seconds());
            for one in series {
                let forecast = forecast_series(&one.train, one.season, one.test.len(), model);
                std::hint::black_box(forecast.map_err(|error| format!("{}: {error}", one.id))?);
            }
            alone = alone.min(start.elapsed().as_secs_f64());
            if let (Some(before), Some(after)) = (before, processor_seconds()) {
                processor = Some(processor.unwrap_or(0.0) + after - before);
            }
            let start = Instant::now();
            std::hint::black_box(forecast_many(&requests, model));
            together = together.min(start.elapsed().as_secs_f64());
        }
        println!(
            "{} {frequency}: {count} series; a second: {:.0} on one thread{}, {:.0} on {} threads",
            model.name(),
            count / alone,
            processor
                .map(|s| format!(" ({:.0} by processor time)", count * RUNS as f64 / s))
                .unwrap_or_default(),
            count / together,
            rayon::current_num_threads()
        );
    }
    Ok(())
}
