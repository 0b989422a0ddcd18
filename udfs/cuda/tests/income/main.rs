//! The income kernel as it is kept compiled makes the bits that the processor does. An interpreter runs it; no GPU is
//! needed.

#![cfg(test)]

mod device;
#[path = "../search/machine.rs"]
mod machine;

use proptest::prelude::*;
use tithe_compute::income::{Evidence, Priors, Rows, estimate_all, estimate_batch, simulate};

use device::{Interpreted, PTX};
use machine::Interpreter;
use tithe_compute::income::DrawDevice;
use tithe_cuda::searches::{self, DeviceSearches};

fn bits(found: &[f64]) -> Vec<u64> {
    found.iter().map(|value| value.to_bits()).collect()
}

/// What is observed of a number, if anything: what makes sense, and what does not.
fn amount(most: f64) -> impl Strategy<Value = Option<f64>> {
    let any = prop_oneof![
        6 => (0.0..most.ln()).prop_map(f64::exp),
        1 => Just(0.0),
        1 => 0.0..3.0,
    ];
    prop::option::weighted(0.7, any)
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let category = prop::sample::select(vec![None, Some("food"), Some("gaming")]);
    let counts = prop_oneof![5 => Just(30.0), 1 => Just(400.0), 1 => Just(1e6)];
    let deals = prop_oneof![4 => 0..8_usize, 1 => 0..90_usize];
    let deals = (deals, 2_000.0..90_000.0_f64).prop_map(|(count, amount)| vec![amount; count]);
    (
        (0..1_000_000_u32, amount(5e6), amount(1e9), category, amount(300.0)),
        (counts, 0.0..1.0_f64, prop::bool::weighted(0.7)),
        (prop::option::of(prop::bool::ANY), prop::option::of(prop::bool::ANY)),
        (prop::option::weighted(0.7, deals), amount(1e7), amount(1e7), prop::option::of(0.0..1.0_f64)),
    )
        .prop_map(|(reach, (most, share, shown), signals, payers)| Evidence {
            channel_id: Some(format!("UC{}", reach.0)),
            year: Some(2025),
            followers: reach.1,
            annual_views: reach.2,
            category: reach.3.map(str::to_owned),
            posts: reach.4,
            sponsored_posts: shown.then_some(most * share),
            donation_signal: signals.0,
            group_buy_signal: signals.1,
            seen_deal_amounts: payers.0,
            remittance: payers.1,
            declared_income: payers.2,
            foreign_audience_share: payers.3,
            minor: None,
        })
}

fn priors() -> impl Strategy<Value = Priors> {
    let priors = Priors::default();
    prop::sample::select(vec![
        priors.clone(),
        priors.clone(),
        Priors { deal_price_spread: 0.9, campaign_spread: 0.5, ..priors.clone() },
        Priors { deals_shape: 0.4, campaigns: 40.0, membership_share: 1.0, donation_share: 0.9, ..priors },
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_kernel_makes_the_bits_of_the_processor(
        evidence in prop::collection::vec(evidence(), 1..5),
        priors in priors(),
        first in prop::sample::select(vec![0, 128, 4096, u32::MAX - 400]),
        count in 1..200_u32,
        warps in 1..=4_u32,
    ) {
        let rows = Rows::new(&evidence, &priors, 7);
        let draws = first..first + count;
        let found = Interpreted::new(PTX, warps).run(&rows, draws.clone()).expect("the kernel runs");
        prop_assert_eq!(bits(&found), bits(&rows.run(draws)));
    }
}

/// Few draws, so that most rows need more than were asked for.
#[test]
fn estimates_on_the_kernel_are_each_row_alone() {
    let priors = Priors::default();
    let rows: Vec<Option<Evidence>> =
        (0..12).map(|i| (i % 5 != 3).then(|| simulate(&priors, 3, i).evidence)).collect();
    let device = Interpreted::new(PTX, 2);
    let batch = estimate_batch(&rows, &priors, 96, 1, true, &device).expect("the kernel runs");
    assert_eq!(batch, estimate_all(&rows, &priors, 96, 1, true));
}

/// Rows and draws are cut into as many launches as the memory asks for.
#[test]
fn launches_within_a_budget_make_the_bits_of_the_processor() {
    for (rows, budgets) in ordinary().iter().zip([[200_000, 400_000], [60_000, 1 << 30]]) {
        for draws in [0..150, 4000..4001, 0..0] {
            let expected = bits(&rows.run(draws.clone()));
            for budget in budgets {
                let device = DeviceSearches::new(Interpreter::new(searches::PTX), budget);
                assert_eq!(bits(&device.draw(rows, draws.clone()).expect("the kernel runs")), expected);
            }
        }
        let small = DeviceSearches::new(Interpreter::new(searches::PTX), 2_000);
        let refused = small.draw(rows, 0..64).expect_err("there is no room").to_string();
        assert!(refused.contains("more than the 2000 that may be used"), "{refused}");
    }
}

/// Creators with every kind of evidence and without, of every size.
fn ordinary() -> Vec<Rows> {
    let priors = Priors::default();
    let wide = Priors { deal_price_spread: 0.9, campaign_spread: 0.5, ..priors.clone() };
    let full: Vec<Evidence> = (0..6).map(|index| simulate(&priors, 77, index).evidence).collect();
    let mut evidence = full.clone();
    for one in &full {
        evidence.push(Evidence { followers: None, declared_income: None, ..one.clone() });
        evidence.push(Evidence { annual_views: None, remittance: None, ..one.clone() });
        evidence.push(Evidence { followers: Some(400.0), seen_deal_amounts: None, ..one.clone() });
        evidence.push(Evidence {
            donation_signal: Some(true),
            group_buy_signal: Some(true),
            remittance: Some(200_000.0),
            ..one.clone()
        });
        evidence.push(Evidence { annual_views: Some(0.0), remittance: None, ..one.clone() });
    }
    evidence.push(Evidence::default());
    vec![Rows::new(&evidence, &priors, 5), Rows::new(&full[..3], &wide, 5)]
}

/// The PTX with another text in one of its lines.
fn changed(line: usize, by: &str) -> String {
    let with = |(number, text): (usize, &str)| (if number == line { by } else { text }).to_owned() + "\n";
    PTX.lines().enumerate().map(with).collect()
}

/// An instruction that is an error wherever it runs.
const TRAP: &str = "ld.global.f64 %fd1, [0];";

/// What a line could be instead.
const CHANGES: [(&str, &str); 20] = [
    ("add.rn.f64", "sub.rn.f64"),
    ("sub.rn.f64", "add.rn.f64"),
    ("mul.rn.f64", "add.rn.f64"),
    ("div.rn.f64", "mul.rn.f64"),
    ("sqrt.rn.f64", "mov.f64"),
    ("add.rn.f32", "sub.rn.f32"),
    ("sub.rn.f32", "add.rn.f32"),
    ("mul.rn.f32", "add.rn.f32"),
    ("div.rn.f32", "mul.rn.f32"),
    ("sqrt.rn.f32", "mov.f32"),
    ("neg.f32", "mov.f32"),
    ("setp.eq.f64", "setp.gt.f64"),
    ("setp.lt.f64", "setp.ge.f64"),
    ("setp.le.f64", "setp.gt.f64"),
    ("setp.gt.f64", "setp.le.f64"),
    ("setp.ge.f64", "setp.lt.f64"),
    ("setp.geu.f64", "setp.lt.f64"),
    ("setp.leu.f64", "setp.gt.f64"),
    ("setp.lt.u32", "setp.ge.u32"),
    ("setp.ge.u32", "setp.lt.u32"),
];

/// Of so many lines that could be changed one is: all of them take minutes.
const EVERY: usize = 16;

#[test]
fn one_changed_instruction_is_noticed() {
    let rows = ordinary();
    let draws = 0..64;
    let expected: Vec<Vec<u64>> = rows.iter().map(|rows| bits(&rows.run(draws.clone()))).collect();
    let agrees = |ptx: &str| {
        let kernel = Interpreted::new(ptx, 2);
        let same = |(rows, expected): (&Rows, &Vec<u64>)| {
            kernel.run(rows, draws.clone()).is_ok_and(|found| bits(&found) == *expected)
        };
        rows.iter().zip(&expected).all(same)
    };
    assert!(agrees(PTX));
    let (mut noticed, mut unreached, mut without_effect) = (0, 0, Vec::new());
    let changeable = PTX.lines().enumerate().filter_map(|(line, text)| {
        let change = CHANGES.iter().find(|(from, _)| text.contains(from))?;
        Some((line, text, change))
    });
    for (line, text, (from, to)) in changeable.step_by(EVERY) {
        if !agrees(&changed(line, &text.replace(from, to))) {
            noticed += 1;
        } else if agrees(&changed(line, TRAP)) {
            unreached += 1;
        } else {
            without_effect.push(format!("line {}: {}", line + 1, text.trim()));
        }
    }
    // Unreached are above all logarithms of numbers too small to occur, whose body stands in several places. Without
    // effect is what single precision drops (the half that puts a word in the middle of its cell), and a bound of the
    // highest month, which only saves drawing months.
    assert!(noticed > 4 * unreached && noticed > 90, "{noticed} {unreached}");
    assert!(noticed > 15 * without_effect.len(), "{noticed} {without_effect:#?}");
}
