//! How well the income estimator knows what it does not know.
//!
//! Invents creators, estimates each, and compares with the truth: with more and more evidence; in worlds that
//! depart from what the estimator believes; by tier, category and bureau; for every component (simulation-based
//! calibration); and as a selection of whom to look at.
//!
//! ```text
//! cargo run --release -p tithe-compute --example income_calibration -- [creators] [draws] [world]
//! ```

#![expect(clippy::print_stdout, reason = "the tables are the result")]

mod bureau;
mod concentration;
mod score;
mod selection;
mod worlds;

use rayon::prelude::*;
use tithe_compute::income::{Category, Evidence, Flag, Posterior, Priors, Quantity, posterior, simulate};

use self::bureau::{BUREAUS, Bureau};
use self::concentration::print_concentration;
use self::score::{Score, kolmogorov_smirnov, limit_of_5_percent, mean, median, rank_among, share};
use self::selection::{Candidate, audited_gap, precision};
use self::worlds::worlds;

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

const TIERS: [(&str, f64); 5] = [
    ("below 10,000", 10_000.0),
    ("10,000 to 30,000", 30_000.0),
    ("30,000 to 100,000", 100_000.0),
    ("100,000 to 300,000", 300_000.0),
    ("from 300,000", f64::INFINITY),
];

const COMPONENTS: [(&str, Quantity); 6] = [
    ("total", Quantity::Total),
    ("ads", Quantity::Ads),
    ("sponsorship", Quantity::Sponsorship),
    ("donations", Quantity::Donations),
    ("group_buy", Quantity::GroupBuy),
    ("other", Quantity::Other),
];

/// One creator, estimated.
struct Case {
    score: Score,
    candidate: Candidate,
    category: Category,
    /// Its place among the bureaus.
    bureau: usize,
    ranks: [f64; 6],
    tempered: bool,
    more_draws: bool,
}

fn case(truth: &Priors, world: u64, index: u32, draws: u32, hide: Hide) -> Case {
    let simulated = simulate(truth, world, index);
    let declared = simulated.evidence.declared_income.unwrap_or_default();
    let mut evidence = simulated.evidence;
    let followers = evidence.followers.unwrap_or_default();
    let category = evidence.category.as_deref().and_then(Category::from_name).unwrap_or(Category::Vlog);
    hide(&mut evidence);
    let posterior: Posterior = posterior(&evidence, &Priors::default(), draws, 1);
    let truths = simulated.truth;
    let values =
        [truths.total, truths.ads, truths.sponsorship, truths.donations, truths.group_buy, truths.other];
    let ranks = std::array::from_fn(|i| {
        rank_among(&posterior, COMPONENTS[i].1, values[i], chance(u64::from(index) * 8 + i as u64))
    });
    Case {
        score: Score::of(&posterior, truths.total, f64::from(draws)),
        candidate: Candidate {
            followers,
            expected_gap: posterior.mean_of(Quantity::Total, |total| (total - declared).max(0.0)),
            true_gap: (truths.total - declared).max(0.0),
            chance: chance(u64::from(index) * 8 + 7),
        },
        category,
        bureau: Bureau::of(followers, category, chance(u64::from(index) * 8 + 6)),
        ranks,
        tempered: posterior.flags().has(Flag::Tempered),
        more_draws: posterior.flags().has(Flag::MoreDraws),
    }
}

/// A number in 0..1 that looks random (the finalizer of SplitMix64).
fn chance(number: u64) -> f64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn cases(truth: &Priors, world: u64, creators: u32, draws: u32, hide: Hide) -> Vec<Case> {
    (0..creators).into_par_iter().map(|index| case(truth, world, index, draws, hide)).collect()
}

fn line(name: &str, cases: &[Case]) {
    let scores = || cases.iter().map(|case| &case.score);
    let gap = |pick: fn(&Candidate) -> f64| cases.iter().map(|case| pick(&case.candidate)).sum::<f64>();
    println!(
        "{name:18} {:.3} {:.3} {:.3} {:.3} {:5.1}x  {:.3}  {:.4} {:.2}  {:4.1} % {:.1} %",
        share(scores().map(|score| score.inside_80)),
        share(scores().map(|score| score.inside_50)),
        kolmogorov_smirnov(scores().map(|score| score.rank)),
        mean(scores().map(|score| score.crps)),
        median(scores().map(|score| score.ln_width)).exp(),
        median(scores().map(|score| score.effective)),
        scores().map(|score| score.effective).fold(f64::INFINITY, f64::min),
        gap(|candidate| candidate.expected_gap) / gap(|candidate| candidate.true_gap),
        100.0 * share(cases.iter().map(|case| case.more_draws)),
        100.0 * share(cases.iter().map(|case| case.tempered)),
    );
}

fn of_group(name: &str, cases: &[Case], belongs: impl Fn(&Case) -> bool) {
    let group = || cases.iter().filter(|case| belongs(case));
    let count = group().count();
    println!(
        "{name:18} {count:5}  {:.3}  {:.3}  {:.3}",
        share(group().map(|case| case.score.inside_80)),
        kolmogorov_smirnov(group().map(|case| case.score.rank)),
        limit_of_5_percent(count),
    );
}

fn mix(name: &str, cases: &[Case], bureau: usize) {
    let here = || cases.iter().filter(|case| case.bureau == bureau);
    let shares =
        Category::ALL.map(|category| (share(here().map(|case| case.category == category)), category));
    let (most, category) =
        shares.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, Category::Vlog));
    let followers = median(here().map(|case| case.candidate.followers));
    println!("{name:18} {followers:7.0}  {:4.1} % {category:?}", 100.0 * most);
}

fn main() {
    let arguments: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let argument = |position: usize, default: u32| arguments.get(position).copied().unwrap_or(default);
    let (creators, draws, world) = (argument(0, 3000), argument(1, 4096), argument(2, 20_260_101));
    let believed = Priors::default();
    let limit = limit_of_5_percent(creators as usize);
    println!("{creators} creators, {draws} draws, world {world}; 5 % limit of KS {limit:.3}\n");

    println!("evidence           cov80 cov50 KS    CRPS  p90/p10 ESS/K  min    gap  more draws tempered");
    let mut all = Vec::new();
    for (name, hide) in MODES {
        all = cases(&believed, u64::from(world), creators, draws, hide);
        line(name, &all);
    }

    println!("\nall evidence       count  cov80  KS     5 % limit");
    let mut least = 0.0;
    for (name, below) in TIERS {
        of_group(name, &all, |case| (least..below).contains(&case.candidate.followers));
        least = below;
    }
    for category in Category::ALL {
        of_group(&format!("{category:?}"), &all, |case| case.category == category);
    }
    for (place, bureau) in BUREAUS.iter().enumerate() {
        of_group(bureau.name, &all, |case| case.bureau == place);
    }

    println!("\nbureau             median of followers, share of its most frequent category");
    for (place, bureau) in BUREAUS.iter().enumerate() {
        mix(bureau.name, &all, place);
    }

    println!("\nranks of the truth, all evidence: KS (5 % limit {limit:.3})");
    for (place, (name, _)) in COMPONENTS.iter().enumerate() {
        println!("{name:18} {:.3}", kolmogorov_smirnov(all.iter().map(|case| case.ranks[place])));
    }

    println!("\nworld              cov80 cov50 KS    CRPS  p90/p10 ESS/K  min    gap  more draws tempered");
    let mut selections = Vec::new();
    for departed in worlds() {
        let found = cases(&departed.truth, u64::from(world) + 1, creators, draws, |_| {});
        line(departed.name, &found);
        selections.push((departed, found));
    }

    println!(
        "\nthe first tenth by: expected gap, followers, chance: precision and share of the true gap found;"
    );
    println!(
        "and the total gap over the true one from audits of that tenth and of a random tenth of the rest"
    );
    for (departed, found) in &selections {
        let candidates: Vec<Candidate> = found.iter().map(|case| case.candidate).collect();
        let [by_gap, by_followers, by_chance] = precision(&candidates);
        let (audited, error) = audited_gap(&candidates);
        println!(
            "{:18} {:.2} {:.2}   {:.2} {:.2}   {:.2} {:.2}   {audited:.2} ± {error:.2}",
            departed.name, by_gap.0, by_gap.1, by_followers.0, by_followers.1, by_chance.0, by_chance.1,
        );
    }

    print_concentration(&believed, u64::from(world) + 2);
}
