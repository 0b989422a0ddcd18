//! What every forecast promises, whatever the series.

#![cfg(test)]

use proptest::prelude::*;
use tithe_compute::forecast::{
    Basis, Forecast, Model, SeriesError, SeriesRef, Step, forecast_many, forecast_series,
};

fn check(values: &[f64], season: usize, horizon: usize, model: Model) -> Forecast {
    let forecast = forecast_series(values, season, horizon, model).expect("the values are finite");
    assert_eq!(forecast.steps.len(), horizon);
    for step in &forecast.steps {
        let ordered = [step.lo95, step.lo80, step.mean, step.hi80, step.hi95];
        assert!(ordered.iter().all(|v| v.is_finite()), "{model:?} of {values:?}: {step:?}");
        assert!(ordered.is_sorted(), "{model:?} of {values:?}: {step:?}");
    }
    let again = forecast_series(values, season, horizon, model).expect("the values are finite");
    assert_eq!(format!("{forecast:?}"), format!("{again:?}"));
    forecast
}

/// Finite doubles of every size, and the awkward ones often.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1e6..1e6_f64,
        1 => any::<f64>().prop_filter("finite", |v| v.is_finite()),
        2 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e-12]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_finite_series_gives_ordered_finite_forecasts(
        values in prop::collection::vec(value(), 1..70),
        season in prop::sample::select(vec![0, 1, 2, 3, 4, 5, 7, 12, 24, 52, 1000, usize::MAX]),
        horizon in 0_usize..30,
        model in prop::sample::select(Model::ALL.to_vec()),
    ) {
        check(&values, season, horizon, model);
    }

    #[test]
    fn the_forecast_scales_with_the_series(
        values in prop::collection::vec(1.0..1e6_f64, 1..60),
        power in -200_i32..200,
        model in prop::sample::select(Model::ALL.to_vec()),
    ) {
        let factor = 2.0_f64.powi(power);
        let scaled: Vec<f64> = values.iter().map(|v| v * factor).collect();
        let plain = check(&values, 4, 6, model);
        let large = check(&scaled, 4, 6, model);
        for (a, b) in plain.steps.iter().zip(&large.steps) {
            prop_assert_eq!((a.mean * factor).to_bits(), b.mean.to_bits());
            prop_assert_eq!((a.hi95 * factor).to_bits(), b.hi95.to_bits());
        }
    }
}

/// Mean absolute errors of the default model and of the seasonal naive, over the season that follows four noisy ones.
fn errors_of_long_season(season: usize) -> (f64, f64) {
    let noise = |t: usize| (t * t * 31 % 101) as f64 / 101.0 - 0.5;
    let level = |t: usize| {
        let place = (t % season) as f64 / season as f64;
        100.0
            + 30.0 * (std::f64::consts::TAU * place).sin()
            + if t % season < season / 12 { 25.0 } else { 0.0 }
    };
    let at = |t: usize| level(t) + 12.0 * noise(t);
    let values: Vec<f64> = (0..4 * season).map(at).collect();
    let errors = |model| {
        let forecast = check(&values, season, season, model);
        assert_eq!(forecast.basis, Basis::Full);
        let error = |(step, found): (usize, &Step)| (found.mean - at(4 * season + step)).abs();
        forecast.steps.iter().enumerate().map(error).sum::<f64>() / season as f64
    };
    (errors(Model::Auto), errors(Model::Snaive))
}

#[test]
fn weeks_hours_and_hours_of_the_week_are_forecast_better_than_by_the_season_before() {
    for season in [24, 52, 168] {
        let (auto, naive) = errors_of_long_season(season);
        assert!(auto < 0.9 * naive, "season {season}: {auto} is no better than {naive}");
    }
}

#[test]
fn many_series_are_each_forecast_as_alone_on_any_number_of_threads() {
    let values: Vec<f64> = (0..400_u32).map(|t| f64::from(t * 7919 % 1013) - 200.0).collect();
    let mut series: Vec<SeriesRef<'_>> = (0..150)
        .map(|i| SeriesRef { values: &values[i..i + 1 + i % 90], season: [1, 4, 12][i % 3], horizon: i % 20 })
        .collect();
    series[7].values = &[];
    for model in [Model::Auto, Model::Dot] {
        let alone: Vec<_> =
            series.iter().map(|s| forecast_series(s.values, s.season, s.horizon, model)).collect();
        assert_eq!(alone[7], Err(SeriesError::Empty));
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
            assert_eq!(pool.install(|| forecast_many(&series, model)), alone, "{threads} threads");
        }
        let mut reversed = series.clone();
        reversed.reverse();
        let mut again = forecast_many(&reversed, model);
        again.reverse();
        assert_eq!(again, alone);
    }
}

#[test]
fn bad_series_are_errors() {
    for model in Model::ALL {
        assert_eq!(forecast_series(&[], 12, 3, model), Err(SeriesError::Empty));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(forecast_series(&[1.0, bad], 12, 3, model), Err(SeriesError::NotFinite { index: 1 }));
        }
    }
}

#[test]
fn the_basis_tells_how_much_history_there_was() {
    let check_basis = |values: &[f64], season, basis| {
        assert_eq!(check(values, season, 3, Model::Auto).basis, basis, "{} values", values.len());
    };
    let values: Vec<f64> = (0..60_u32).map(|t| f64::from(t * 31 % 17)).collect();
    check_basis(&values[..1], 12, Basis::SingleValue);
    check_basis(&values[..2], 12, Basis::ShortHistory);
    check_basis(&values[..25], 12, Basis::ShortHistory);
    check_basis(&values[..26], 12, Basis::Full);
    check_basis(&values[..7], 1, Basis::ShortHistory);
    check_basis(&values[..8], 1, Basis::Full);
    check_basis(&[3.0; 40], 12, Basis::Constant);
    check_basis(&[0.0, -0.0, 0.0], 1, Basis::Constant);
}

#[test]
fn a_constant_series_stays_and_a_single_value_is_repeated() {
    for model in Model::ALL {
        let flat = check(&[7.5; 30], 12, 4, model);
        assert!(flat.steps.iter().all(|s| s.mean == 7.5 && s.lo95 == 7.5 && s.hi95 == 7.5));
        assert_eq!(flat.model, model);
        let single = check(&[-7.5], 12, 4, model);
        assert!(single.steps.iter().all(|s| s.mean == -7.5 && s.lo95 < -14.9 && s.hi95 > -0.1));
        assert_eq!(single.model, Model::Snaive);
    }
}

#[test]
fn what_is_too_large_for_a_double_is_cut_and_said_so() {
    let forecast = check(&[f64::MAX, -f64::MAX, f64::MAX, -f64::MAX, f64::MAX], 1, 3, Model::Auto);
    assert!(forecast.clamped);
    assert!(!check(&[1.0, 2.0, 3.0], 1, 3, Model::Auto).clamped);
}

/// International airline passengers in thousands, 1949-01 to 1960-12 (Box and Jenkins, series G).
const AIRLINE: [f64; 144] = [
    112.0, 118.0, 132.0, 129.0, 121.0, 135.0, 148.0, 148.0, 136.0, 119.0, 104.0, 118.0, 115.0, 126.0, 141.0,
    135.0, 125.0, 149.0, 170.0, 170.0, 158.0, 133.0, 114.0, 140.0, 145.0, 150.0, 178.0, 163.0, 172.0, 178.0,
    199.0, 199.0, 184.0, 162.0, 146.0, 166.0, 171.0, 180.0, 193.0, 181.0, 183.0, 218.0, 230.0, 242.0, 209.0,
    191.0, 172.0, 194.0, 196.0, 196.0, 236.0, 235.0, 229.0, 243.0, 264.0, 272.0, 237.0, 211.0, 180.0, 201.0,
    204.0, 188.0, 235.0, 227.0, 234.0, 264.0, 302.0, 293.0, 259.0, 229.0, 203.0, 229.0, 242.0, 233.0, 267.0,
    269.0, 270.0, 315.0, 364.0, 347.0, 312.0, 274.0, 237.0, 278.0, 284.0, 277.0, 317.0, 313.0, 318.0, 374.0,
    413.0, 405.0, 355.0, 306.0, 271.0, 306.0, 315.0, 301.0, 356.0, 348.0, 355.0, 422.0, 465.0, 467.0, 404.0,
    347.0, 305.0, 336.0, 340.0, 318.0, 362.0, 348.0, 363.0, 435.0, 491.0, 505.0, 404.0, 359.0, 310.0, 337.0,
    360.0, 342.0, 406.0, 396.0, 420.0, 472.0, 548.0, 559.0, 463.0, 407.0, 362.0, 405.0, 417.0, 391.0, 419.0,
    461.0, 472.0, 535.0, 622.0, 606.0, 508.0, 461.0, 390.0, 432.0,
];

#[test]
fn golden_airline_passengers() {
    let (history, future) = AIRLINE.split_at(132);
    let golden = |model: Model| {
        let forecast = check(history, 12, 12, model);
        let error: f64 =
            forecast.steps.iter().zip(future).map(|(s, y)| (s.mean - y).abs() / y).sum::<f64>() / 12.0;
        let first: Vec<String> = forecast.steps[..3].iter().map(|s| format!("{:.3}", s.mean)).collect();
        format!("{} {} {:.1}%", model.name(), first.join(" "), 100.0 * error)
    };
    let lines: Vec<String> = Model::ALL.into_iter().map(golden).collect();
    assert_eq!(lines, EXPECTED_AIRLINE);
}

const EXPECTED_AIRLINE: [&str; 7] = [
    "auto 412.851 396.955 458.919 3.1%",
    "snaive 360.000 342.000 406.000 10.0%",
    "dot 413.179 396.307 458.988 3.2%",
    "ets 413.886 406.693 469.761 3.4%",
    "hw 415.092 397.830 458.401 2.6%",
    "ar 424.117 407.059 470.831 4.2%",
    "smedian 392.894 374.836 431.805 9.4%",
];

#[test]
fn golden_bimonthly_filing_with_negative_refunds() {
    let values: Vec<f64> = (0..36_u32)
        .map(|t| if t % 2 == 0 { 200.0 + f64::from(t) } else { -3.0 + f64::from(t % 5) })
        .collect();
    let steps = check(&values, 12, 4, Model::Auto).steps;
    for (step, expected) in steps.iter().zip([236.0, -1.0, 238.0, -1.0]) {
        assert!((step.mean - expected).abs() < 12.0, "{} for {expected}", step.mean);
    }
}
