//! What carrying growth on does to the errors of nominal series.
//!
//! `cargo run --release -p tithe-compute --example drift -- BENCH.csv [TEXT]`
//!
//! BENCH.csv is that of the example `score`; TEXT chooses the series whose id holds it. Printed are, by frequency and
//! for several shares of growth, the geometric mean of the absolute error against that without growth, and the
//! median bias in percent of what came (below 0: forecasts too low). Series that are forecast without error are left out.
use std::collections::BTreeMap;
use std::io::Write;

use tithe_compute::forecast::{Adjustments, Model, forecast_adjusted};

mod series_file;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: drift BENCH.csv [TEXT]")?;
    let text = std::env::args().nth(2).unwrap_or_default();
    let mut series = series_file::parse(&std::fs::read_to_string(path)?)?;
    let mut out = std::io::stdout().lock();
    series.retain(|one| one.id.contains(&text));
    for drift in [0.25, 0.5, 0.75, 1.0] {
        let mut found: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
        for one in &series {
            let season = one.season;
            let errors = |drift: f64| -> Result<(f64, f64), Box<dyn std::error::Error>> {
                let adjustments = Adjustments { drift, holiday: None };
                let forecast =
                    forecast_adjusted(&one.train, season, one.test.len(), Model::Auto, &adjustments)?;
                let errors = || forecast.steps.iter().zip(&one.test).map(|(step, value)| step.mean - value);
                Ok((errors().map(f64::abs).sum(), errors().sum()))
            };
            let size: f64 = one.test.iter().map(|value| value.abs()).sum();
            let (flat, _) = errors(0.0)?;
            let (error, bias) = errors(drift)?;
            if flat > 0.0 && error > 0.0 && size > 0.0 {
                found
                    .entry(one.frequency.as_str())
                    .or_default()
                    .push(((error / flat).ln(), 100.0 * bias / size));
            }
        }
        for (frequency, mut series) in found {
            let count = series.len();
            let mean = series.iter().map(|(ratio, _)| ratio).sum::<f64>() / count as f64;
            series.sort_by(|a, b| a.1.total_cmp(&b.1));
            writeln!(
                out,
                "drift {drift:.2} {frequency}: error {:.3} of that without, median bias {:+.2} % ({count} series)",
                mean.exp(),
                series[count / 2].1
            )?;
        }
    }
    Ok(())
}
