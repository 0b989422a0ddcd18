//! Makes the calibration table of the forecast intervals from real monthly revenue series.
//!
//! `cargo run --release -p tithe-compute --example calibrate -- SERIES.csv > udfs/compute/src/forecast/calibration.rs`
//!
//! SERIES.csv has the columns `series_id, freq, split, t, value` in this order; `freq` is `monthly` and the part of
//! `series_id` before the first `/` names the source. Every source counts the same however many series it has.
//! Sums of 2, 3 and 12 months give the other season classes. The last 24 months of a series are not
//! looked at, so that the table can be checked on them; of the rest up to eight origins a year apart are held
//! back and the errors after them, divided by their unit, are pooled over series and origins at each step: a single
//! origin would carry its year's shocks into every interval.
#![expect(clippy::print_stdout, reason = "the table is the output of this program")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tithe_compute::forecast::{Model, forecast_series};

mod series_file;

/// Months at the end of a series that are kept for checking.
const UNSEEN_MONTHS: usize = 24;
/// Origins of a series, a year apart.
const ORIGINS: usize = 8;
/// Series with a larger share of zeros say nothing about revenue that flows.
const MOST_ZEROS: f64 = 0.1;

/// Months summed into one value, season, steps in the table.
const CLASSES: [(usize, usize, usize); 4] = [(12, 1, 4), (3, 4, 8), (2, 6, 12), (1, 12, 24)];

/// Scaled errors of one source at one step.
type ErrorsBySource = BTreeMap<String, Vec<f64>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: calibrate SERIES.csv")?;
    let series = series_file::parse(&std::fs::read_to_string(path)?)?;
    let mut table = String::new();
    for model in Model::ALL {
        table.push_str("    [\n");
        for (months, season, steps) in CLASSES {
            let (errors, count) = scaled_errors(&series, model, months, season, steps)?;
            eprintln!("{} season {season}: {count} series", model.name());
            let near =
                isotonic(&errors.iter().map(|by_source| quantile(by_source, 0.80)).collect::<Vec<_>>());
            let far = isotonic(&errors.iter().map(|by_source| quantile(by_source, 0.95)).collect::<Vec<_>>());
            writeln!(table, "        Quantiles {{ q80: &{}, q95: &{} }},", row(&near), row(&far))?;
        }
        table.push_str("    ],\n");
    }
    println!("{HEADER}{table}];");
    Ok(())
}

const HEADER: &str = "\
//! Quantiles of scaled absolute forecast errors. Generated, do not edit.
//!
//! Data: the monthly revenue series of Taiwan (by tax), Brazil (federal receipts by state, by tax and by both) and
//! Philadelphia (wage tax by industry) of the schema `real`, without their last 24 months.
//! `python3 benches/forecast/real_series.py > SERIES.csv` writes them.
//! Command: `cargo run --release -p tithe-compute --example calibrate -- SERIES.csv`.

use super::interval::Quantiles;

/// By model (in the order of `Model::ALL`) and season class (1, 4, 6, 12).
#[rustfmt::skip]
pub(crate) const CALIBRATION: [[Quantiles; 4]; 7] = [
";

/// Errors in units at each step, by source, and the number of series.
fn scaled_errors(
    series: &[series_file::Series],
    model: Model,
    months: usize,
    season: usize,
    steps: usize,
) -> Result<(Vec<ErrorsBySource>, usize), Box<dyn std::error::Error>> {
    let mut errors = vec![ErrorsBySource::new(); steps];
    let mut count = 0;
    for one in series {
        if one.season != 12 {
            return Err(format!("series {} is {}, not monthly", one.id, one.frequency).into());
        }
        let mut whole = one.train.clone();
        whole.extend(&one.test);
        whole.truncate(whole.len().saturating_sub(UNSEEN_MONTHS));
        let values = block_sums(&whole, months);
        let source = one.id.trim_matches('"').split('/').next().unwrap_or_default();
        let mut used = false;
        for origin in 0..ORIGINS {
            let end = values.len().saturating_sub(origin * season);
            if end < steps + (2 * season + 2).max(8) {
                break;
            }
            let (history, future) = values[..end].split_at(end - steps);
            let zeros = history.iter().filter(|v| **v == 0.0).count() as f64 / history.len() as f64;
            if zeros >= MOST_ZEROS {
                continue;
            }
            let forecast = forecast_series(history, season, steps, model)?;
            used = true;
            for ((step, value), by_source) in forecast.steps.iter().zip(future).zip(&mut errors) {
                if step.unit > 0.0 {
                    let scaled = (value - step.mean).abs() / step.unit;
                    by_source.entry(source.to_owned()).or_default().push(scaled);
                }
            }
        }
        count += usize::from(used);
    }
    Ok((errors, count))
}

/// Sums of whole blocks, counted from the end.
fn block_sums(values: &[f64], block: usize) -> Vec<f64> {
    values[values.len() % block..].chunks_exact(block).map(|months| months.iter().sum()).collect()
}

/// Quantile of the pool in which every source weighs the same.
fn quantile(by_source: &ErrorsBySource, level: f64) -> f64 {
    let mut pool: Vec<(f64, f64)> = by_source
        .values()
        .flat_map(|errors| errors.iter().map(|e| (*e, 1.0 / errors.len() as f64)))
        .collect();
    pool.sort_by(|a, b| a.0.total_cmp(&b.0));
    let target = level * by_source.len() as f64;
    let mut weight = 0.0;
    for (error, share) in &pool {
        weight += share;
        if weight >= target {
            return *error;
        }
    }
    pool.last().map_or(0.0, |(error, _)| *error)
}

/// The closest sequence that never falls (pool adjacent violators).
fn isotonic(values: &[f64]) -> Vec<f64> {
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for value in values {
        blocks.push((*value, 1));
        while let [.., (before, n), (after, m)] = blocks[..] {
            if before <= after {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push(((before * n as f64 + after * m as f64) / (n + m) as f64, n + m));
        }
    }
    blocks.iter().flat_map(|(value, n)| std::iter::repeat_n(*value, *n)).collect()
}

fn row(values: &[f64]) -> String {
    let numbers: Vec<String> = values.iter().map(|v| format!("{v:.4}")).collect();
    format!("[{}]", numbers.join(", "))
}
