//! Whatever the rows and the options, `forecast` through SQL gives ordered finite bounds or a status that says why not.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use datafusion::common::Result;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokio::runtime::Runtime;

use crate::session::{ask, session};

/// What `status` says with a forecast, and without one; `:n` stands for a number.
const WITH: [&str; 7] =
    ["ok", "gaps_filled:n", "short_history", "constant", "too_short", "calendar_unused", "overflow"];
const WITHOUT: [&str; 5] = ["no_data", "duplicate_period", "non_finite", "irregular", "gaps:n"];

const ORDERED: [&str; 5] = ["lo95", "lo80", "forecast_value", "hi80", "hi95"];

/// A period as months and days after the beginning of 2020, or NULL, and a value.
type Row = (Option<(i64, i64)>, Option<f64>);

#[derive(Debug, Clone)]
struct Case {
    rows: Vec<Row>,
    period: DataType,
    horizon: usize,
    model: &'static str,
    season: Option<i64>,
    gaps: &'static str,
    calendar: &'static str,
    drift: &'static str,
}

/// Values of a series: noise of any magnitude and sign, a constant, growth, and awkward doubles among them or alone.
fn values() -> impl Strategy<Value = Vec<Option<f64>>> {
    let awkward = [0.0, -0.0, f64::MAX, f64::MIN, 5e-324, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let scale = prop::sample::select(vec![1e-300, 1e-12, 1.0, 1.0, 1e6, 1e150, 1e300]);
    let noise = (prop::collection::vec(-10.0..10.0_f64, 0..60), scale.clone())
        .prop_map(|(values, scale)| values.into_iter().map(|value| Some(value * scale)).collect());
    let positive = (prop::collection::vec(1.0..10.0_f64, 20..60), scale, 1.0..1.3_f64).prop_map(
        |(values, scale, growth)| {
            let grown = |(step, value)| Some(value * scale * growth.powi(step));
            (0..).zip(values).map(grown).collect()
        },
    );
    let constant = (any::<f64>(), 0..40_usize).prop_map(|(value, length)| vec![Some(value); length]);
    let sizes = prop::collection::vec(any::<f64>().prop_map(Some), 0..40);
    let base = prop_oneof![4 => noise, 3 => positive, 1 => constant, 1 => sizes];
    let change = prop_oneof![2 => Just(None), 1 => prop::sample::select(awkward.to_vec()).prop_map(Some)];
    let changes = prop_oneof![
        2 => Just(Vec::new()),
        1 => prop::collection::vec((any::<prop::sample::Index>(), change), 1..4),
    ];
    (base, changes).prop_map(|(mut values, changes): (Vec<Option<f64>>, _)| {
        for (place, value) in changes {
            if !values.is_empty() {
                let place = place.index(values.len());
                values[place] = value;
            }
        }
        values
    })
}

/// Successive periods, of which some are missing; a few rows of any other time, of none, or once more.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let steps = prop::sample::select(vec![(1_i64, 0_i64), (3, 0), (12, 0), (0, 1), (0, 7)]);
    let missing = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let regular = (values(), steps, missing).prop_map(|(values, (months, days), missing)| -> Vec<Row> {
        let place = |(index, value)| (Some((months * index, days * index)), value);
        let mut rows: Vec<Row> = (0..).zip(values).map(place).collect();
        for place in missing {
            if rows.len() > 1 {
                rows.remove(place.index(rows.len()));
            }
        }
        rows
    });
    let anywhere = prop_oneof![
        4 => (-40..40_i64, -40..40_i64).prop_map(Some),
        2 => (-600_000..600_000_i64, Just(0)).prop_map(Some),
        1 => prop::sample::select(vec![(i64::MIN, 0), (i64::MAX, 0)]).prop_map(Some),
        1 => Just(None),
    ];
    let value = (-10.0..10.0_f64).prop_map(Some);
    let others = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((anywhere, value), 1..4)];
    (regular, others).prop_map(|(mut rows, others)| {
        rows.extend(others);
        rows.reverse();
        rows
    })
}

fn case() -> impl Strategy<Value = Case> {
    let timestamp = |unit, zone: Option<&str>| DataType::Timestamp(unit, zone.map(Into::into));
    let periods = vec![
        DataType::Date32,
        DataType::Date64,
        timestamp(TimeUnit::Second, None),
        timestamp(TimeUnit::Millisecond, Some("Asia/Taipei")),
        timestamp(TimeUnit::Microsecond, Some("Europe/Berlin")),
        timestamp(TimeUnit::Nanosecond, None),
        DataType::Int8,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt64,
    ];
    let models = vec!["auto", "auto", "auto", "snaive", "dot", "ets", "hw", "ar", "smedian"];
    let options = (
        prop_oneof![8 => 1..20_usize, 1 => Just(1000)],
        prop::sample::select(models),
        prop::option::of(prop::sample::select(vec![1_i64, 2, 4, 12, 24, 52, 168, 1000])),
        prop::sample::select(vec!["interpolate", "zero", "previous", "null", "error"]),
        prop::sample::select(vec!["none", "lunar_new_year"]),
        prop::sample::select(vec!["false", "0.3", "true"]),
    );
    (rows(), prop::sample::select(periods), options).prop_map(
        |(rows, period, (horizon, model, season, gaps, calendar, drift))| Case {
            rows,
            period,
            horizon,
            model,
            season,
            gaps,
            calendar,
            drift,
        },
    )
}

/// The periods as `period`; what does not fit the type is NULL. Plain numbers count months and days alike.
fn periods(rows: &[Row], period: &DataType) -> ArrayRef {
    let milliseconds = |(months, days): (i64, i64)| -> Option<i64> {
        let start = chrono::NaiveDate::from_ymd_opt(2020, 1, 1)?;
        let distance = chrono::Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        let month =
            if months < 0 { start.checked_sub_months(distance) } else { start.checked_add_months(distance) }?;
        let day = month.checked_add_signed(chrono::TimeDelta::days(days))?;
        Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
    };
    let safe = |array: &ArrayRef, to: &DataType| cast(array, to).expect("casts of times give NULL, no error");
    if period.is_integer() {
        let number = |(months, days): (i64, i64)| months.saturating_add(days);
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter(rows.iter().map(|(at, _)| at.map(number))));
        return safe(&numbers, period);
    }
    let times: ArrayRef =
        Arc::new(Int64Array::from_iter(rows.iter().map(|(at, _)| at.and_then(milliseconds))));
    let times = safe(&times, &DataType::Timestamp(TimeUnit::Millisecond, None));
    safe(&times, period)
}

/// The forecast of the rows with its explanation; `None` for a NULL.
async fn forecast(session: &SessionContext, case: &Case) -> Result<Option<(StructArray, StructArray)>> {
    let values: ArrayRef = Arc::new(Float64Array::from_iter(case.rows.iter().map(|(_, value)| *value)));
    let columns = [("d", periods(&case.rows, &case.period), true), ("v", values, true)];
    session.deregister_table("series")?;
    session.register_batch("series", RecordBatch::try_from_iter_with_nullable(columns)?)?;
    let season = case.season.map_or("NULL".to_owned(), |season| season.to_string());
    let Case { horizon, model, gaps, calendar, drift, .. } = case;
    let arguments = format!(
        "d, v, {horizon}, model => '{model}', season => {season}, gaps => '{gaps}', calendar => '{calendar}', \
         drift => {drift}"
    );
    let sql = format!("SELECT forecast({arguments}) AS f, forecast_explain({arguments}) AS e FROM series");
    let batches = ask(session, &sql).await?.collect().await?;
    let (forecast, explanation) = (batches[0].column(0).as_list::<i32>(), batches[0].column(1).as_struct());
    let steps = (!forecast.is_null(0)).then(|| forecast.value(0).as_struct().clone());
    assert_eq!(steps.is_none(), explanation.is_null(0), "{case:?}");
    Ok(steps.map(|steps| (steps, explanation.clone())))
}

/// `gaps:3` as `gaps:n`.
fn without_number(word: &str) -> String {
    word.trim_end_matches(|letter: char| letter.is_ascii_digit()).replace(':', ":n")
}

fn doubles<'a>(steps: &'a StructArray, name: &str) -> &'a Float64Array {
    steps.column_by_name(name).expect("a column").as_primitive::<Float64Type>()
}

fn texts<'a>(steps: &'a StructArray, name: &str) -> &'a StringArray {
    steps.column_by_name(name).expect("a column").as_string()
}

fn check(case: &Case, steps: &StructArray) {
    assert_eq!(steps.len(), case.horizon, "{case:?}");
    let (statuses, models) = (texts(steps, "status"), texts(steps, "model"));
    let columns = ORDERED.map(|name| doubles(steps, name));
    for step in 0..steps.len() {
        let words: Vec<String> = statuses.value(step).split(';').map(without_number).collect();
        if words.len() == 1 && WITHOUT.contains(&words[0].as_str()) {
            assert!(columns.iter().all(|column| column.is_null(step)) && models.is_null(step), "{case:?}");
            continue;
        }
        assert!(words.iter().all(|word| WITH.contains(&word.as_str())), "{words:?} of {case:?}");
        assert!(!words.contains(&"ok".to_owned()) || words.len() == 1, "{words:?} of {case:?}");
        assert!(columns.iter().all(|column| column.is_valid(step)), "step {step} of {case:?}");
        let ordered = columns.map(|column| column.value(step));
        assert!(ordered.iter().all(|value| value.is_finite()), "{ordered:?} at step {step} of {case:?}");
        assert!(ordered.is_sorted(), "{ordered:?} at step {step} of {case:?}");
        assert!(models.is_valid(step), "{case:?}");
    }
}

/// The explanation is of that forecast, and nothing in it is NaN or infinite.
fn check_explanation(case: &Case, forecast: &StructArray, explanation: &StructArray) {
    assert_eq!(texts(explanation, "status").value(0), texts(forecast, "status").value(0), "{case:?}");
    let list = explanation.column_by_name("steps").expect("steps").as_list::<i32>().value(0);
    let steps = list.as_struct();
    for name in ORDERED {
        let bits = |of: &StructArray| -> Vec<_> {
            doubles(of, name).iter().map(|value| value.map(f64::to_bits)).collect()
        };
        assert_eq!(bits(steps), bits(forecast), "{name} of {case:?}");
    }
    for name in ["snaive", "dot", "ets", "hw", "ar", "smedian", "seasonal_factor", "seasonal_amount"] {
        assert!(doubles(steps, name).iter().flatten().all(f64::is_finite), "{name} of {case:?}");
    }
    let parameters = explanation.column_by_name("parameters").expect("parameters").as_list::<i32>();
    if parameters.is_valid(0) {
        let parameters = parameters.value(0);
        let values = doubles(parameters.as_struct(), "value");
        assert!(values.iter().flatten().all(f64::is_finite), "parameters {values:?} of {case:?}");
    }
}

#[test]
fn any_rows_give_ordered_bounds_or_a_documented_status() {
    let config = ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_251_125),
        max_shrink_time: 60_000,
        ..ProptestConfig::default()
    };
    let runtime = Runtime::new().expect("a runtime");
    let session = session();
    let one = |case: Case| {
        match runtime.block_on(forecast(&session, &case)) {
            Ok(Some((steps, explanation))) => {
                check(&case, &steps);
                check_explanation(&case, &steps, &explanation);
            }
            Ok(None) => assert!(case.rows.is_empty(), "{case:?}"),
            Err(error) => {
                let wanted = case.gaps == "error" && error.to_string().contains("periods are missing");
                assert!(wanted, "{error} of {case:?}");
            }
        }
        Ok(())
    };
    proptest::test_runner::TestRunner::new(config).run(&case(), one).expect("every case holds");
}

/// Every word of these lists stands in the documentation.
#[test]
fn every_status_is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/functions.md");
    let documents = std::fs::read_to_string(path).expect("the documentation of the functions");
    for word in WITH.into_iter().chain(WITHOUT) {
        assert!(documents.contains(&format!("`{word}`")), "{word} is not in docs/functions.md");
    }
}

#[tokio::test]
async fn wrong_options_are_one_sentence_before_any_row_is_read() {
    let session = session();
    let wrong = [
        ("n, n, 0", "horizon"),
        ("n, n, -1", "horizon"),
        ("n, n, 1001", "horizon"),
        ("n, n, 9223372036854775807", "horizon"),
        ("n, n, 18446744073709551615", "horizon"),
        ("n, n, NULL", "horizon"),
        ("n, n, 2.5", "horizon"),
        ("n, n, 'x'", "horizon"),
        ("n, n, n", "horizon"),
        ("n, n, 2, model => 'arima'", "model"),
        ("n, n, 2, model => 7", "model"),
        ("n, n, 2, season => 0", "season"),
        ("n, n, 2, season => 1001", "season"),
        ("n, n, 2, season => 1.5", "season"),
        ("n, n, 2, gaps => 'skip'", "gaps"),
        ("n, n, 2, calendar => 'easter'", "calendar"),
        ("n, n, 2, drift => -0.1", "drift"),
        ("n, n, 2, drift => 1.5", "drift"),
        ("n, n, 2, drift => 'NaN'", "drift"),
        ("n, n, 2, drift => CAST('NaN' AS DOUBLE)", "drift"),
        ("n, 'x', 2", "value"),
        ("1.5, n, 2", "period"),
    ];
    for (arguments, named) in wrong {
        // A row that is read divides by zero.
        let sql = format!(
            "SELECT forecast({arguments}) FROM (SELECT 1 / (m - m) AS n FROM generate_series(1, 9) AS g(m))"
        );
        let planned = async { ask(&session, &sql).await?.create_physical_plan().await };
        let error = planned.await.err().unwrap_or_else(|| panic!("{arguments} was planned"));
        let error = error.find_root().to_string();
        assert!(error.contains(&format!("`{named}`")), "{arguments}: {error}");
        assert!(!error.contains('\n') && !error.to_lowercase().contains("divide"), "{arguments}: {error}");
    }
}
