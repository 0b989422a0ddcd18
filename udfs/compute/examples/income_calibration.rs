//! How well the income estimator knows what it does not know.
//!
//! Invents creators from the model, estimates each with more and more evidence, and prints one line a mode:
//!
//! ```text
//! cargo run --release -p tithe-compute --example income_calibration -- [creators] [draws] [world]
//! ```

#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::time::Instant;

use tithe_compute::income::{Evidence, Posterior, Priors, Quantity, posterior, simulate};

/// What a mode hides of the evidence.
type Hide = fn(&mut Evidence);

const MODES: [(&str, Hide); 5] = [
    ("covariates", |evidence| {
        hide_payers(evidence);
        evidence.sponsored_posts = None;
        evidence.donation_signal = None;
        evidence.group_buy_signal = None;
    }),
    ("+ public signals", hide_payers),
    ("+ reported deals", |evidence| {
        evidence.remittance = None;
        evidence.declared_income = None;
    }),
    ("+ remittances", |evidence| evidence.declared_income = None),
    ("+ declared", |_| {}),
];

fn hide_payers(evidence: &mut Evidence) {
    evidence.seen_deal_amounts = None;
    evidence.remittance = None;
    evidence.declared_income = None;
}

#[derive(Default)]
struct Score {
    inside_80: f64,
    inside_50: f64,
    ranks: Vec<f64>,
    crps: f64,
    ln_width: Vec<f64>,
    effective: Vec<f64>,
    gap: f64,
    true_gap: f64,
}

impl Score {
    fn add(&mut self, posterior: &Posterior, truth: f64, declared: f64, draws: f64) {
        let percents: [u64; 19] = std::array::from_fn(|i| 5 * (i as u64 + 1));
        let quantiles = posterior.quantiles(Quantity::Total, percents);
        let [p10, p25, p75, p90] = [quantiles[1], quantiles[4], quantiles[14], quantiles[17]];
        self.inside_80 += f64::from(u8::from((p10..=p90).contains(&truth)));
        self.inside_50 += f64::from(u8::from((p25..=p75).contains(&truth)));
        self.ranks.push(posterior.probability_at_most(Quantity::Total, truth));
        let logs = quantiles.map(|quantile| quantile.max(1.0).ln());
        let ln_truth = truth.max(1.0).ln();
        let distance = logs.iter().map(|log| (log - ln_truth).abs()).sum::<f64>() / 19.0;
        let spread = logs.iter().flat_map(|a| logs.iter().map(move |b| (a - b).abs())).sum::<f64>() / 361.0;
        self.crps += distance - 0.5 * spread;
        self.ln_width.push((p90.max(1.0) / p10.max(1.0)).ln());
        self.effective.push(posterior.effective_sample_size() / draws);
        self.gap += posterior.mean_of(Quantity::Total, |total| (total - declared).max(0.0));
        self.true_gap += (truth - declared).max(0.0);
    }

    fn kolmogorov_smirnov(&mut self) -> f64 {
        self.ranks.sort_unstable_by(f64::total_cmp);
        let count = self.ranks.len() as f64;
        let distance = |(i, rank): (usize, &f64)| {
            let below = i as f64 / count;
            (rank - below).max(below + 1.0 / count - rank)
        };
        self.ranks.iter().enumerate().map(distance).fold(0.0, f64::max)
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let arguments: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let argument = |position: usize, default: u32| arguments.get(position).copied().unwrap_or(default);
    let (creators, draws, world) = (argument(0, 600), argument(1, 4096), argument(2, 20_260_101));
    let priors = Priors::default();
    println!(
        "{creators} creators, {draws} draws, world {world}; 5 % limit of KS {:.3}",
        1.36 / f64::from(creators).sqrt()
    );
    println!("evidence           cov80 cov50 KS    CRPS  p90/p10 ESS/K  min    gap   creators/s");
    for (name, hide) in MODES {
        let mut score = Score::default();
        let started = Instant::now();
        let mut spent = 0.0;
        for index in 0..creators {
            let simulated = simulate(&priors, u64::from(world), index);
            let declared = simulated.evidence.declared_income.unwrap_or_default();
            let mut evidence = simulated.evidence;
            hide(&mut evidence);
            let before = started.elapsed().as_secs_f64();
            let posterior = posterior(&evidence, &priors, draws, 1);
            spent += started.elapsed().as_secs_f64() - before;
            score.add(&posterior, simulated.truth.total, declared, f64::from(draws));
        }
        let count = f64::from(creators);
        println!(
            "{name:18} {:.3} {:.3} {:.3} {:.3} {:5.1}x  {:.3}  {:.4} {:.2}  {:.0}",
            score.inside_80 / count,
            score.inside_50 / count,
            score.kolmogorov_smirnov(),
            score.crps / count,
            median(&mut score.ln_width).exp(),
            median(&mut score.effective),
            score.effective.first().copied().unwrap_or_default(),
            score.gap / score.true_gap,
            count / spent,
        );
    }
}
