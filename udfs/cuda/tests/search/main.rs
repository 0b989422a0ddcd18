//! The kernels as they are kept compiled find the bits that the processor does. An interpreter runs them; no GPU is
//! needed.

#![cfg(test)]

mod device;
mod searches;

use proptest::prelude::*;
use tithe_compute::forecast::{
    Adjustments, Found, Model, Request, Searches, SeriesRef, forecast_adjusted, forecast_batch,
};

use device::{Interpreted, PTX, of_kernel};
use searches::{ordinary, searches, values};

/// Every word of what was found. A NaN is a NaN: its sign and payload are not the same on every processor.
fn words(found: &Found) -> Vec<u64> {
    let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    let mut words = Vec::new();
    for one in &found.smoothing {
        words.push(u64::from(one.is_some()));
        if let Some(one) = one {
            let parameters = one.smoothing;
            words.extend([one.minus_two_log_likelihood, one.squared, one.level, one.slope].map(bits));
            words.extend(
                [parameters.level, parameters.slope, parameters.season, parameters.damping].map(bits),
            );
        }
    }
    words.extend(found.factors.iter().copied().map(bits));
    for theta in &found.theta {
        words.extend([theta.alpha, theta.line_weight, theta.level, theta.decay].map(bits));
    }
    words
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kernels_find_the_bits_of_the_processor(searches in searches(600), warps in 1..=4_u32) {
        let found = Interpreted::new(PTX, warps).run(&searches).expect("the kernels run");
        prop_assert_eq!(words(&found), words(&searches.run()));
    }

    #[test]
    fn a_batch_on_the_kernels_is_each_series_alone(
        series in prop::collection::vec(values(80), 1..5),
        season in prop::sample::select(vec![1, 4, 12, 52]),
        model in prop::sample::select(Model::ALL.to_vec()),
    ) {
        let adjustments = Adjustments { drift: 0.0, holiday: None };
        let request = |values| Request { series: SeriesRef { values, season, horizon: 7 }, adjustments };
        let requests: Vec<_> = series.iter().map(|values| request(values.as_slice())).collect();
        let batch = forecast_batch(&requests, model, &Interpreted::new(PTX, 2)).expect("the kernels run");
        let alone = |values: &Vec<f64>| forecast_adjusted(values, season, 7, model, &adjustments);
        prop_assert_eq!(format!("{batch:?}"), format!("{:?}", series.iter().map(alone).collect::<Vec<_>>()));
    }
}

/// The PTX with another text in one of its lines.
fn changed(line: usize, by: &str) -> String {
    let with = |(number, text): (usize, &str)| (if number == line { by } else { text }).to_owned() + "\n";
    PTX.lines().enumerate().map(with).collect()
}

/// An instruction that is an error wherever it runs.
const TRAP: &str = "ld.global.f64 %fd1, [0];";

#[test]
fn one_changed_instruction_is_noticed() {
    let searches = ordinary();
    let (mut noticed, mut unreached) = (0, 0);
    let mut kernel = (Searches::default(), Vec::new());
    for (line, text) in PTX.lines().enumerate() {
        let agrees =
            |ptx: &str| Interpreted::new(ptx, 2).run(&kernel.0).is_ok_and(|found| words(&found) == kernel.1);
        if let Some(name) = text.strip_prefix(".visible .entry ") {
            let searches = of_kernel(&searches, name.trim_end_matches('('));
            kernel = (searches.clone(), words(&searches.run()));
            continue;
        }
        let changes = [
            ("add.rn.f64", "sub.rn.f64"),
            ("sub.rn.f64", "add.rn.f64"),
            ("mul.rn.f64", "add.rn.f64"),
            ("div.rn.f64", "mul.rn.f64"),
            ("rcp.rn.f64", "mov.f64"),
            ("min.f64", "add.rn.f64"),
            ("setp.lt.f64", "setp.ge.f64"),
            ("setp.gt.f64", "setp.le.f64"),
            ("setp.ge.f64", "setp.lt.f64"),
            ("setp.le.f64", "setp.gt.f64"),
            ("setp.geu.f64", "setp.lt.f64"),
        ];
        let Some((from, to)) = changes.iter().find(|(from, _)| text.contains(from)) else { continue };
        if !agrees(&changed(line, &text.replace(from, to))) {
            noticed += 1;
        } else if agrees(&changed(line, TRAP)) {
            unreached += 1;
        } else {
            assert!(text.ends_with(", 0d0000000000000000;"), "line {}: {text}", line + 1);
        }
    }
    // The loop's body stands in the relative kernels four times over, and a product of eight forecasts can only be
    // complete in the last of them: three operations in each of three places are for nothing. A build of other
    // kernels has other numbers.
    assert_eq!((noticed, unreached), (1438, 4 * 3 * 3));
}
