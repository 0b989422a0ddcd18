//! Compares the forecasts of a benchmark file with the seasonal naive, kind by kind of series.
//!
//! `cargo run --release -p tithe-compute --example long_seasons -- LONG.csv [MODEL]`
//!
//! LONG.csv as for the example `score` (`benches/forecast/long_seasons.py` writes one); what stands before the `/` of a
//! series id is its kind. Of every kind: the MASE of the forecast and of the seasonal naive, their ratio, the coverage
//! of the 95 % interval, and the series a second of one thread, the best of three runs.
#![expect(clippy::print_stdout, reason = "the figures are the output of this program")]

use std::collections::BTreeMap;
use std::time::Instant;

use tithe_compute::forecast::{Model, forecast_series};

mod series_file;

const RUNS: usize = 3;

/// Sums over series.
#[derive(Default)]
struct Score {
    count: f64,
    forecast: f64,
    naive: f64,
    covered: f64,
    seconds: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: long_seasons LONG.csv [MODEL]")?;
    let name = arguments.get(1).map_or("auto", String::as_str);
    let model = Model::from_name(name).ok_or_else(|| format!("no model is called {name:?}"))?;
    let mut scores: BTreeMap<(usize, String, String), Score> = BTreeMap::new();
    for one in series_file::parse(&std::fs::read_to_string(path)?)? {
        let Some(scale) = seasonal_naive_error(&one.train, one.season) else { continue };
        let kind = one.id.split_once('/').map_or(one.id.as_str(), |(kind, _)| kind);
        let score = scores.entry((one.season, one.frequency.clone(), kind.to_owned())).or_default();
        let mut seconds = f64::INFINITY;
        let mut steps = Vec::new();
        for _ in 0..RUNS {
            let start = Instant::now();
            steps = forecast_series(&one.train, one.season, one.test.len(), model)?.steps;
            seconds = seconds.min(start.elapsed().as_secs_f64());
        }
        let horizon = one.test.len() as f64;
        let last_season = &one.train[one.train.len() - one.season..];
        for ((actual, step), naive) in one.test.iter().zip(&steps).zip(last_season.iter().cycle()) {
            score.forecast += (actual - step.mean).abs() / scale / horizon;
            score.naive += (actual - naive).abs() / scale / horizon;
            score.covered += f64::from(u8::from((step.lo95..=step.hi95).contains(actual))) / horizon;
        }
        score.count += 1.0;
        score.seconds += seconds;
    }
    println!(
        "season frequency      kind           series   MASE  naive  relative  coverage  series a second ({})",
        model.name()
    );
    for ((season, frequency, kind), score) in scores {
        let Score { count, forecast, naive, covered, seconds } = score;
        println!(
            "{season:>6} {frequency:<14} {kind:<14} {count:>6} {:>6.3} {:>6.3} {:>9.3} {:>9.3} {:>9.0}",
            forecast / count,
            naive / count,
            forecast / naive,
            covered / count,
            count / seconds
        );
    }
    Ok(())
}

/// Mean absolute difference of a season; `None` where it is zero or there is none.
fn seasonal_naive_error(values: &[f64], season: usize) -> Option<f64> {
    let differences = values.iter().zip(values.get(season..)?).map(|(before, after)| (after - before).abs());
    let error = differences.sum::<f64>() / values.len().checked_sub(season)? as f64;
    (error > 0.0).then_some(error)
}
