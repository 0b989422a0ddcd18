//! How many creators a second the income estimator takes, all evidence given.
//!
//! ```text
//! cargo run --release -p tithe-compute --example income_speed -- [creators] [draws] [rows.tsv]
//! ```
//!
//! With a third argument it also writes the creators and its estimates, so that another implementation of the
//! model can be run on the same rows (`benches/income/numpy_model.py`).

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::fmt::Write as _;
use std::time::Instant;

use tithe_compute::income::{Category, Estimate, Evidence, Priors, estimate_all, simulate};

/// The best of so many runs counts: what else the machine does only ever makes one slower.
const RUNS: u32 = 3;
const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |position: usize, default: u32| -> u32 {
        arguments.get(position).and_then(|argument| argument.parse().ok()).unwrap_or(default)
    };
    let (creators, draws) = (number(0, 1000), number(1, 4096));
    let priors = Priors::default();
    let rows: Vec<Option<Evidence>> =
        (0..creators).map(|index| Some(simulate(&priors, 20_260_101, index).evidence)).collect();
    let cores = std::thread::available_parallelism()?.get();
    let mut estimates = Vec::new();
    for threads in [1, cores] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let mut best = f64::INFINITY;
        for _ in 0..RUNS {
            let started = Instant::now();
            estimates = pool.install(|| estimate_all(&rows, &priors, draws, SEED, false));
            best = best.min(started.elapsed().as_secs_f64());
        }
        println!("{threads} threads: {:.0} creators/s at {draws} draws", f64::from(creators) / best);
        if cores == 1 {
            break;
        }
    }
    if let Some(path) = arguments.get(2) {
        std::fs::write(path, table(&rows, &estimates, &priors)?)?;
    }
    Ok(())
}

/// Tab-separated: what the other implementation needs, and this one's quantiles.
fn table(
    rows: &[Option<Evidence>],
    estimates: &[Option<Estimate>],
    priors: &Priors,
) -> Result<String, std::fmt::Error> {
    let mut text =
        "followers\tviews\tads_factor\tsells_to_groups\tforeign\tposts\tdetected\tdonation_signal\t\
                    group_buy_signal\tremittance\tdeclared\tdeals\tp10\tp50\tp90\n"
            .to_owned();
    for (evidence, estimate) in rows.iter().zip(estimates) {
        let (Some(evidence), Some(estimate)) = (evidence, estimate) else { continue };
        let Some(amounts) = &estimate.amounts else { continue };
        let category = evidence.category.as_deref().and_then(Category::from_name);
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let truth = |value: Option<bool>| value.map(|value| u8::from(value).to_string()).unwrap_or_default();
        let deals: Vec<String> =
            evidence.seen_deal_amounts.iter().flatten().map(|amount| amount.to_string()).collect();
        writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            number(evidence.followers),
            number(evidence.annual_views),
            priors.ads_factor(category),
            u8::from(category.is_some_and(Category::sells_to_groups)),
            number(evidence.foreign_audience_share),
            number(evidence.posts),
            number(evidence.sponsored_posts),
            truth(evidence.donation_signal),
            truth(evidence.group_buy_signal),
            number(evidence.remittance),
            number(evidence.declared_income),
            deals.join(","),
            amounts.total.p10,
            amounts.total.p50,
            amounts.total.p90,
        )?;
    }
    Ok(text)
}
