//! Forecasts every series of a benchmark file, for scoring.
//!
//! `cargo run --release -p tithe-compute --example score -- BENCH.csv [MODEL [pooled]] > forecast.csv`
//!
//! BENCH.csv (`-` for standard input) has the columns `series_id, freq, split, t, value` in this order, `split`
//! being `train` or `test`; the number of test values is the horizon. Writes `series_id, freq, step, mean, unit,
//! lo95, hi95` to standard output, and the speed on one core to standard error. With `pooled` the 95 % bounds are calibrated
//! as `ai_forecast` does, by the held-out errors of the train parts of all series of the same frequency.
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Instant;

use tithe_compute::forecast::{Adjustments, Model, forecast_series, held_out};

mod series_file;

/// As in `ai_forecast`.
const FOLDS: usize = 2;
/// As in `ai_forecast`: series that are taken for no stretch.
const DOUBT: f64 = 20.0;

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
    let stretch = if arguments.get(2).is_some_and(|word| word == "pooled") {
        stretches(&series, model)?
    } else {
        BTreeMap::new()
    };
    let mut out = String::from("series_id,freq,step,mean,unit,lo95,hi95\n");
    for (one, forecast) in series.iter().zip(&forecasts) {
        let stretch = stretch.get(&one.frequency).copied().unwrap_or(1.0);
        for (index, step) in forecast.steps.iter().enumerate() {
            out.push_str(&format!(
                "{},{},{},{:?},{:?},{:?},{:?}\n",
                one.id,
                one.frequency,
                index + 1,
                step.mean,
                step.unit,
                step.mean + stretch * (step.lo95 - step.mean),
                step.mean + stretch * (step.hi95 - step.mean)
            ));
        }
    }
    std::io::stdout().lock().write_all(out.as_bytes())?;
    Ok(())
}

/// By frequency, what the 95 % intervals are stretched by.
fn stretches(
    series: &[series_file::Series],
    model: Model,
) -> Result<BTreeMap<String, f64>, Box<dyn std::error::Error>> {
    let mut pools: BTreeMap<String, (f64, Vec<f64>)> = BTreeMap::new();
    for one in series {
        let found = held_out(&one.train, one.season, one.test.len(), FOLDS, model, &Adjustments::none())?;
        let (count, pool) = pools.entry(one.frequency.clone()).or_default();
        *count += found.len() as f64 / (FOLDS * one.test.len()) as f64;
        pool.extend(found.iter().map(|reach| reach.of95));
    }
    let stretch = |(frequency, (count, mut pool)): (String, (f64, Vec<f64>))| {
        pool.sort_by(f64::total_cmp);
        let hundredths = 95 * pool.len().saturating_sub(1);
        let at = |index: usize| pool.get(index).or(pool.last()).copied().unwrap_or(1.0);
        let (below, above) = (at(hundredths / 100), at(hundredths.div_ceil(100)));
        let quantile = below + (hundredths % 100) as f64 / 100.0 * (above - below);
        let stretch = 1.0 + (quantile - 1.0) * count / (count + DOUBT);
        eprintln!("{frequency}: {count:.0} series, 95 % intervals stretched by {stretch:.4}");
        (frequency, stretch)
    };
    Ok(pools.into_iter().map(stretch).collect())
}
