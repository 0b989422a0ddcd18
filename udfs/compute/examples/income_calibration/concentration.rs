//! How unequal invented creators are, beside what tax statistics say of real ones.

use rayon::prelude::*;
use tithe_compute::income::{Priors, simulate};

/// Creators whose truth alone is needed.
const MANY: u32 = 100_000;

/// What is published of creators who file in Korea: the receipts they declare, of those alone who declare.
struct Statistics {
    name: &'static str,
    /// Half of them declare at least so much, NT$.
    median: f64,
    /// Shares of the largest hundredth and tenth and of the smaller half, as far as they are published.
    shares: &'static str,
}

const STATISTICS: [Statistics; 2] = [
    Statistics { name: "main business, 2024", median: 800_000.0, shares: "18.2 %, 46.9 %, 17.3 %" },
    Statistics { name: "all who file, 2021", median: 125_000.0, shares: "28.4 %, not published" },
];

/// An invented creator, of whom all is known.
struct Known {
    views: f64,
    receipts: f64,
    declared: f64,
}

/// Prints shares of views, receipts and declared receipts: of all, and of those who would be in the statistics. Who files is
/// not told by the statistics; those from the amount on that makes half of them declare as much as half in Korea do
/// stand for them. Nothing else is fitted.
pub(crate) fn print_concentration(believed: &Priors, world: u64) {
    // The views of the prototype that the model was tried with: as many as followers each month, e^±1.2.
    let of_prototype =
        Priors { views_intercept: 0.0, views_slope: 1.0, views_spread: 1.2, ..believed.clone() };
    let vtubers = "  Taiwan's virtual streamers, whose views the priors are of: 59 %, 91 %";
    for (name, priors, beside) in
        [("as believed", believed, vtubers), ("views of the prototype", &of_prototype, "")]
    {
        println!(
            "\n{MANY} creators, {name}: shares of the largest 1 % and 10 % and of the smaller half, Pareto"
        );
        let creators: Vec<Known> = (0..MANY)
            .into_par_iter()
            .map(|index| {
                let simulated = simulate(priors, world, index);
                Known {
                    views: simulated.evidence.annual_views.unwrap_or_default(),
                    receipts: simulated.truth.total,
                    declared: simulated.evidence.declared_income.unwrap_or_default(),
                }
            })
            .collect();
        let values = |value: fn(&Known) -> f64| creators.iter().map(value).collect::<Vec<_>>();
        line("views", values(|creator| creator.views), beside);
        line("receipts", values(|creator| creator.receipts), "");
        line("declared", values(|creator| creator.declared), "");
        for statistics in STATISTICS {
            let declared = with_median(values(|creator| creator.declared), statistics.median);
            let least = declared.last().copied().unwrap_or_default();
            let name = format!("{}, from {least:.0}", statistics.name);
            line(&name, declared, &format!("  Korea: {}", statistics.shares));
        }
    }
}

fn line(name: &str, values: Vec<f64>, beside: &str) {
    let count = values.len();
    let [top_1, top_10, lower_half] = shares(values);
    // Of a Pareto tail the largest p have p^(1 - 1/alpha) of all.
    let alpha = 1.0 / (1.0 - (top_10 / top_1).log10());
    let [top_1, top_10, lower_half] = [top_1, top_10, lower_half].map(|share| 100.0 * share);
    println!("{name:34} {count:6}  {top_1:.1} % {top_10:.1} % {lower_half:.1} %  {alpha:.2}{beside}");
}

/// The largest values, from the largest on, of which half are at least `median`.
fn with_median(mut values: Vec<f64>, median: f64) -> Vec<f64> {
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    let above = values.partition_point(|value| *value >= median);
    values.truncate(2 * above);
    values
}

/// Shares of the total that the largest hundredth and tenth and the smaller half have.
fn shares(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    let all: f64 = values.iter().sum();
    let largest = |count: usize| values.iter().take(count).sum::<f64>() / all;
    let count = values.len();
    [largest(count / 100), largest(count / 10), 1.0 - largest(count.div_ceil(2))]
}
