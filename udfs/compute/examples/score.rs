//! Forecasts every series of a benchmark file, for scoring.
//!
//! `cargo run --release -p tithe-compute --example score -- BENCH.csv [MODEL] > forecast.csv`
//!
//! BENCH.csv (`-` for standard input) has the columns `series_id, freq, split, t, value` in this order, `split`
//! being `train` or `test`; the number of test values is the horizon. Writes `series_id, freq, step, mean, unit,
//! lo95, hi95` to standard output, and the speed on one core to standard error.
use std::io::{Read, Write};
use std::time::Instant;

use tithe_compute::forecast::{Model, forecast_series};

mod series_file;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: score BENCH.csv [MODEL]")?;
    let name = arguments.get(1).map_or("auto", String::as_str);
    let model = Model::from_name(name).ok_or_else(|| format!("no model is called {name:?}"))?;
    let text = match path.as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
        path => std::fs::read_to_string(path)?,
    };
    let series = series_file::parse(&text)?;
    let start = Instant::now();
    let mut forecasts = Vec::with_capacity(series.len());
    for one in &series {
        forecasts.push(forecast_series(&one.train, one.season, one.test.len(), model)?);
    }
    let seconds = start.elapsed().as_secs_f64();
    eprintln!(
        "{}: {} series in {seconds:.3} s, {:.0} series a second on one core",
        model.name(),
        series.len(),
        series.len() as f64 / seconds
    );
    let mut out = String::from("series_id,freq,step,mean,unit,lo95,hi95\n");
    for (one, forecast) in series.iter().zip(&forecasts) {
        for (index, step) in forecast.steps.iter().enumerate() {
            out.push_str(&format!(
                "{},{},{},{:?},{:?},{:?},{:?}\n",
                one.id,
                one.frequency,
                index + 1,
                step.mean,
                step.unit,
                step.lo95,
                step.hi95
            ));
        }
    }
    std::io::stdout().lock().write_all(out.as_bytes())?;
    Ok(())
}
