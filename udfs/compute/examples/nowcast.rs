//! Compares nowcasts of a running period with the forecasts that ignore what was received of it.
//!
//! `cargo run --release -p tithe-compute --example nowcast -- SERIES.csv [UNSEEN]`
//!
//! SERIES.csv is what `benches/forecast/real_series.py` writes: real monthly revenue. A quarter or a year is the
//! period, its first months are what was received to date, which is known of every past period. The last 24 months
//! of every series are nowcast, period by period, from what came before; with UNSEEN = 24 months are cut off first,
//! which is the part that the constants were chosen on. Errors are in units of the seasonal naive error of all that
//! is known; `typical` is the geometric mean over the series of the ratio of both errors, which no wild series decides;
//! `worse` is the share of series whose nowcasts were worse than the forecasts; `plain95` is the share of periods
//! within the forecast's own bounds.
#![expect(clippy::print_stdout, reason = "the table is the output of this program")]
#![expect(dead_code, reason = "of a series only its values are looked at")]

use tithe_compute::forecast::{Adjustments, Model, Receipts, forecast_series, nowcast};
use tithe_compute::random::{exp, ln};

mod series_file;

/// Months in a period, periods in a season, months received.
const CASES: [(usize, usize, usize); 6] =
    [(3, 4, 1), (3, 4, 2), (6, 2, 3), (12, 1, 3), (12, 1, 6), (12, 1, 9)];
/// Months at the end that are nowcast.
const MONTHS: usize = 24;
/// Series with a larger share of zeros say nothing about revenue that flows.
const MOST_ZEROS: f64 = 0.1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: nowcast SERIES.csv [UNSEEN]")?;
    let unseen: usize = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let series = series_file::parse(&std::fs::read_to_string(path)?)?;
    println!(
        "months received series periods   plain extrapolated nowcast nowcast/plain typical   worse within95 plain95 width"
    );
    for (months, season, received) in CASES {
        let mut totals = Totals::default();
        for one in &series {
            let mut whole = one.train.clone();
            whole.extend(&one.test);
            whole.truncate(whole.len().saturating_sub(unseen));
            totals.add(&whole, months, season, received)?;
        }
        totals.print(months, received);
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Totals {
    series: usize,
    worse: usize,
    compared: usize,
    log_ratio: f64,
    periods: usize,
    within: usize,
    plain_within: usize,
    plain: f64,
    extrapolated: f64,
    nowcast: f64,
    width: f64,
}

impl Totals {
    fn add(
        &mut self,
        whole: &[f64],
        months: usize,
        season: usize,
        received: usize,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let blocks: Vec<&[f64]> = whole[whole.len() % months..].chunks_exact(months).collect();
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        let all: Vec<f64> = blocks.iter().map(|block| sum(block)).collect();
        let partial: Vec<Option<f64>> = blocks.iter().map(|block| Some(sum(&block[..received]))).collect();
        let ahead = MONTHS / months;
        let zeros = whole.iter().filter(|value| **value == 0.0).count() as f64 / whole.len().max(1) as f64;
        if all.len() < ahead + 2 * season + 8 || zeros >= MOST_ZEROS {
            return Ok(());
        }
        let (mut plain, mut extrapolated, mut nowcasts) = (0.0, 0.0, 0.0);
        for at in all.len() - ahead..all.len() {
            let known = &all[..at];
            let differences = known.iter().zip(&known[season..]).map(|(a, b)| (b - a).abs());
            let unit = differences.sum::<f64>() / (known.len() - season) as f64;
            if unit <= 0.0 {
                return Ok(());
            }
            let receipts = Receipts { totals: known, received: &partial[..=at], season };
            let found = nowcast(receipts, Model::Auto, &Adjustments::none())?;
            plain += (found.plain - all[at]).abs() / unit;
            extrapolated += (found.extrapolated.unwrap_or(found.plain) - all[at]).abs() / unit;
            nowcasts += (found.step.mean - all[at]).abs() / unit;
            self.within += usize::from((found.step.lo95..=found.step.hi95).contains(&all[at]));
            let forecast = forecast_series(known, season, 1, Model::Auto)?.steps[0];
            self.plain_within += usize::from((forecast.lo95..=forecast.hi95).contains(&all[at]));
            self.width += (found.step.hi95 - found.step.lo95) / unit;
        }
        self.series += 1;
        self.periods += ahead;
        self.worse += usize::from(nowcasts > plain);
        if nowcasts > 0.0 && plain > 0.0 {
            self.compared += 1;
            self.log_ratio += ln(nowcasts / plain);
        }
        self.plain += plain;
        self.extrapolated += extrapolated;
        self.nowcast += nowcasts;
        Ok(())
    }

    fn print(&self, months: usize, received: usize) {
        let periods = self.periods.max(1) as f64;
        println!(
            "{months:>6} {received:>8} {:>6} {:>7} {:>7.4} {:>12.4} {:>7.4} {:>13.4} {:>7.4} {:>7.3} {:>8.3} {:>7.3} {:>5.2}",
            self.series,
            self.periods,
            self.plain / periods,
            self.extrapolated / periods,
            self.nowcast / periods,
            self.nowcast / self.plain,
            exp(self.log_ratio / self.compared.max(1) as f64),
            self.worse as f64 / self.series.max(1) as f64,
            self.within as f64 / periods,
            self.plain_within as f64 / periods,
            self.width / periods,
        );
    }
}
