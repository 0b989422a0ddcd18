//! The kernels as they are kept compiled find the bits that the processor does. An interpreter runs them; no GPU is
//! needed.

#![cfg(test)]

mod machine;
mod searches;
mod sharing;

use proptest::prelude::*;
use tithe_compute::forecast::{
    Adjustments, Found, Model, Request, SearchDevice, Searches, SeriesRef, forecast_batch,
};
use tithe_cuda::searches::{DeviceSearches, Kernel, PTX, Plan};

use machine::Interpreter;
use searches::{of_kernel, ordinary, searches, values};

/// More memory than any test needs.
const AMPLE: usize = 1 << 40;

fn interpreted(ptx: &str, budget: usize) -> DeviceSearches<Interpreter> {
    DeviceSearches::new(Interpreter::new(ptx), budget)
}

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
    fn kernels_find_the_bits_of_the_processor(
        searches in searches(600),
        budget in prop::sample::select(vec![0, 12_000, 60_000, AMPLE]),
    ) {
        let found = interpreted(PTX, budget).search(&searches).expect("the kernels run");
        prop_assert_eq!(words(&found), words(&searches.run()));
        let all = searches.smoothing.len() + searches.theta.len();
        if budget == 0 || budget == AMPLE {
            prop_assert_eq!(found.on_device, if budget == 0 { 0 } else { all });
        }
    }

    #[test]
    fn a_batch_on_the_kernels_is_each_series_alone(
        series in prop::collection::vec(values(80), 1..5),
        season in prop::sample::select(vec![1, 4, 12, 52]),
        model in prop::sample::select(Model::ALL.to_vec()),
    ) {
        let adjustments = Adjustments { drift: 0.0, holiday: None };
        let request = |values| Request { series: SeriesRef { values, season, horizon: 7 }, adjustments, model };
        let requests: Vec<_> = series.iter().map(|values| request(values.as_slice())).collect();
        let batch = forecast_batch(&requests, &interpreted(PTX, AMPLE)).expect("the kernels run");
        let alone: Vec<_> = requests.iter().map(Request::forecast).collect();
        prop_assert_eq!(format!("{batch:?}"), format!("{alone:?}"));
    }
}

#[test]
fn the_longest_seasons_have_room_for_a_warp() {
    for (season, warps) in [(48, 4), (49, 3), (96, 2), (97, 1), (192, 1)] {
        let searches = searches::seasonal(3 * season, season);
        let plan = Plan::new(&searches).expect("the kernels take it");
        assert!(
            plan.work()
                .launches()
                .iter()
                .all(|launch| { launch.kernel == Kernel::Theta || launch.geometry.warps == warps })
        );
        let found = interpreted(PTX, AMPLE).search(&searches).expect("the kernels run");
        assert_eq!(words(&found), words(&searches.run()));
        assert_eq!(found.on_device, searches.smoothing.len());
    }
    let searches = searches::seasonal(600, 193);
    let found = interpreted(PTX, AMPLE).search(&searches).expect("the processor runs them");
    assert_eq!((words(&found), found.on_device), (words(&searches.run()), 0));
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
        let agrees = |ptx: &str| {
            interpreted(ptx, AMPLE).search(&kernel.0).is_ok_and(|found| words(&found) == kernel.1)
        };
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
