//! Whatever is said of creators, `influencer_income` through SQL gives ordered finite amounts or none and a flag that says
//! why, and the same ones whatever the partitions.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder, Int64Array, ListBuilder,
    RecordBatch, StringArray, StructArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use tokio::runtime::Runtime;

use crate::session::{ask, session};

const FLAGS: [&str; 10] = [
    "bad_evidence",
    "unknown_category",
    "conflicting_evidence",
    "minor_excluded",
    "nothing_declared",
    "declared_below_reported",
    "prior_dominated",
    "more_draws",
    "tempered",
    "low_ess",
];
const COMPONENTS: [&str; 5] = ["ads", "sponsorship", "donations", "group_buy", "other"];
const NUMBERS: [&str; 7] = [
    "followers",
    "annual_views",
    "posts",
    "sponsored_posts",
    "remittance_twd",
    "declared_income",
    "foreign_audience_share",
];
/// Most that each of them can mean.
const BOUNDS: [f64; 7] = [1e10, 1e13, 1e13, 1e13, 1e14, 1e14, 1.0];

#[derive(Debug, Clone)]
struct Creator {
    channel: Option<String>,
    year: Option<i64>,
    category: Option<String>,
    numbers: [Option<f64>; 7],
    deals: Option<Vec<Option<f64>>>,
    truths: [Option<bool>; 3],
}

#[derive(Debug, Clone)]
struct Case {
    creators: Vec<Creator>,
    draws: u32,
    seed: i64,
    explain: bool,
    /// Rows of a batch, and partitions.
    cut: (usize, usize),
}

/// Amounts and counts: none, of any plausible size, at the bounds, and nonsense.
fn number(plausible: std::ops::Range<f64>) -> BoxedStrategy<Option<f64>> {
    let nonsense = vec![
        0.0,
        -0.0,
        0.5,
        1.0,
        -1.0,
        -1e12,
        5e-324,
        1e10,
        1e13,
        1e14,
        1.1e14,
        1e300,
        f64::MAX,
        f64::MIN,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    prop_oneof![
        3 => Just(None),
        4 => plausible.prop_map(|exponent| Some(10_f64.powf(exponent))),
        2 => prop::sample::select(nonsense).prop_map(Some),
        1 => any::<f64>().prop_map(Some),
    ]
    .boxed()
}

fn creator() -> impl Strategy<Value = Creator> {
    let text = |known: Vec<&'static str>| {
        prop_oneof![
            2 => Just(None),
            3 => prop::sample::select(known).prop_map(|known| Some(known.to_owned())),
            1 => any::<String>().prop_map(Some),
        ]
    };
    let numbers = [0.0..8.0, 0.0..10.0, 0.0..4.0, 0.0..3.0, 2.0..9.0, 2.0..9.0, -3.0..0.0].map(number);
    let deals = prop_oneof![
        2 => Just(None),
        2 => prop::collection::vec(number(2.0..7.0), 0..6).prop_map(Some),
        1 => (number(2.0..7.0), 0..10_000_usize).prop_map(|(deal, count)| Some(vec![deal; count])),
    ];
    let year = prop_oneof![
        1 => Just(None),
        3 => (2015..2030_i64).prop_map(Some),
        1 => any::<i64>().prop_map(Some),
    ];
    (
        text(vec!["", "UC1", "UC2", "頻道"]),
        year,
        text(vec!["food", "美食", "20", "no such", " ", "遊戲"]),
        numbers,
        deals,
        [
            prop::option::of(any::<bool>()),
            prop::option::of(any::<bool>()),
            prop::option::weighted(0.3, any::<bool>()),
        ],
    )
        .prop_map(|(channel, year, category, numbers, deals, truths)| Creator {
            channel,
            year,
            category,
            numbers,
            deals,
            truths,
        })
}

fn case() -> impl Strategy<Value = Case> {
    let draws = prop::sample::select(vec![64_u32, 65, 128, 300]);
    (prop::collection::vec(creator(), 1..6), draws, any::<i64>(), any::<bool>(), (1..4_usize, 1..4_usize))
        .prop_map(|(creators, draws, seed, explain, cut)| Case { creators, draws, seed, explain, cut })
}

fn rows(creators: &[Creator]) -> Result<RecordBatch> {
    let texts = |of: fn(&Creator) -> &Option<String>| -> ArrayRef {
        Arc::new(creators.iter().map(|creator| of(creator).as_deref()).collect::<StringArray>())
    };
    let mut deals = ListBuilder::new(Float64Builder::new());
    for creator in creators {
        deals.append_option(creator.deals.clone());
    }
    let places = (0..).take(creators.len());
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from_iter_values(places))),
        ("channel_id", texts(|creator| &creator.channel)),
        ("year", Arc::new(creators.iter().map(|creator| creator.year).collect::<Int64Array>())),
        ("category", texts(|creator| &creator.category)),
        ("seen_deal_amounts", Arc::new(deals.finish())),
    ];
    for (place, name) in NUMBERS.into_iter().enumerate() {
        let values = creators.iter().map(|creator| creator.numbers[place]);
        columns.push((name, Arc::new(values.collect::<Float64Array>())));
    }
    for (place, name) in ["donation_signal", "group_buy_signal", "is_minor"].into_iter().enumerate() {
        let values = creators.iter().map(|creator| creator.truths[place]);
        columns.push((name, Arc::new(values.collect::<BooleanArray>())));
    }
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

/// The estimates in the creators' order, from batches and partitions of these numbers.
async fn estimates(session: &SessionContext, case: &Case, cut: (usize, usize)) -> Result<StructArray> {
    let (of_a_batch, partitions) = cut;
    let all = rows(&case.creators)?;
    let mut parts = vec![Vec::new(); partitions];
    for (place, start) in (0..all.num_rows()).step_by(of_a_batch).enumerate() {
        parts[place % partitions].push(all.slice(start, of_a_batch.min(all.num_rows() - start)));
    }
    session.deregister_table("creators")?;
    session.register_table("creators", Arc::new(MemTable::try_new(all.schema(), parts)?))?;
    let fields = all
        .schema()
        .fields()
        .iter()
        .skip(1)
        .map(|field| format!("'{0}', {0}", field.name()))
        .collect::<Vec<_>>();
    let sql = format!(
        "SELECT n, influencer_income(named_struct({}), draws => {}, seed => {}, explain => {}) AS e FROM creators ORDER BY n",
        fields.join(", "),
        case.draws,
        // The smallest number has no literal.
        case.seed.max(-i64::MAX),
        case.explain
    );
    let batches = ask(session, &sql).await?.collect().await?;
    let found = concat_batches(&batches[0].schema(), &batches)?;
    Ok(found.column(1).as_struct().clone())
}

fn double(of: &StructArray, name: &str, row: usize) -> Option<f64> {
    let column = of.column_by_name(name).expect("a field").as_primitive::<Float64Type>();
    column.is_valid(row).then(|| column.value(row))
}

fn flags(of: &StructArray, row: usize) -> Vec<String> {
    let list = of.column_by_name("flags").expect("flags").as_list::<i32>().value(row);
    list.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

/// Median, mean: of finite amounts in order.
fn check_amounts(of: &StructArray, row: usize, case: &Case) -> (f64, f64) {
    let amounts = ["p10", "p50", "p90", "mean"].map(|name| double(of, name, row).expect("an amount"));
    assert!(amounts.iter().all(|amount| amount.is_finite() && *amount >= 0.0), "{amounts:?} of {case:?}");
    assert!(amounts[..3].is_sorted(), "{amounts:?} of {case:?}");
    (amounts[1], amounts[3])
}

fn check(case: &Case, row: usize, found: &StructArray) {
    let creator = &case.creators[row];
    let flags = flags(found, row);
    let has = |flag: &str| flags.iter().any(|found| found == flag);
    assert!(flags.iter().all(|flag| FLAGS.contains(&flag.as_str())), "{flags:?} of {case:?}");
    assert_eq!(has("minor_excluded"), creator.truths[2] == Some(true), "{case:?}");
    if has("minor_excluded") {
        for name in ["p10", "p50", "p90", "mean", "taxable_p50", "undeclared_mean", "p_month_50k"] {
            assert_eq!(double(found, name, row), None, "{name} of {case:?}");
        }
        return;
    }
    let good = |value: f64, most: f64| (0.0..=most).contains(&value);
    let bad =
        creator.numbers.iter().zip(BOUNDS).any(|(value, most)| value.is_some_and(|value| !good(value, most)))
            || creator.deals.iter().flatten().flatten().any(|deal| !good(*deal, 1e14))
            || creator.year.is_some_and(|year| !(2000..=2200).contains(&year));
    assert_eq!(has("bad_evidence"), bad, "{case:?}");

    let (median, mean) = check_amounts(found, row, case);
    assert!(median > 0.0, "a silent zero of {case:?}");
    let components = found.column_by_name("components").expect("components").as_struct();
    let means = COMPONENTS.map(|name| {
        check_amounts(components.column_by_name(name).expect("a component").as_struct(), row, case).1
    });
    assert!((means.iter().sum::<f64>() - mean).abs() <= 1e-9 * mean, "{means:?} and {mean} of {case:?}");
    let taxable = double(found, "taxable_p50", row).expect("an amount");
    assert!(taxable.is_finite() && taxable >= 0.0, "{taxable} of {case:?}");
    let declared = creator.numbers[5].is_some_and(|declared| good(declared, BOUNDS[5]));
    let undeclared =
        ["undeclared_p10", "undeclared_mean", "undeclared_p90"].map(|name| double(found, name, row));
    for amount in undeclared {
        assert_eq!(amount.is_some(), declared, "{undeclared:?} of {case:?}");
        assert!(
            amount.is_none_or(|amount| amount.is_finite() && amount >= 0.0),
            "{undeclared:?} of {case:?}"
        );
    }
    assert!(undeclared[0] <= undeclared[2], "{undeclared:?} of {case:?}");
    let months = ["p_month_200k", "p_month_50k"].map(|name| double(found, name, row).expect("a probability"));
    assert!(months.is_sorted() && months.iter().all(|one| good(*one, 1.0)), "{months:?} of {case:?}");
    let size = double(found, "effective_sample_size", row).expect("a size");
    assert!(size >= 1.0 && size <= 8.0 * f64::from(case.draws) + 1e-6, "{size} of {case:?}");
    let contributions = found.column_by_name("contributions").expect("contributions").as_list::<i32>();
    assert_eq!(contributions.is_valid(row), case.explain, "{case:?}");
    if case.explain {
        let list = contributions.value(row);
        for name in ["shift", "narrowing", "p10_without", "p50_without", "p90_without"] {
            let values =
                list.as_struct().column_by_name(name).expect("a field").as_primitive::<Float64Type>();
            assert!(values.iter().flatten().all(f64::is_finite), "{name} {values:?} of {case:?}");
        }
    }
}

#[test]
fn any_evidence_gives_ordered_amounts_or_a_reason_in_any_partitions() {
    let config = ProptestConfig {
        cases: 250,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_251_125),
        max_shrink_time: 60_000,
        ..ProptestConfig::default()
    };
    let runtime = Runtime::new().expect("a runtime");
    let session = session();
    let one = |case: Case| {
        let asked = |cut| {
            let found = runtime.block_on(estimates(&session, &case, cut));
            found.unwrap_or_else(|error| panic!("{error} of {case:?}"))
        };
        let found = asked((case.creators.len(), 1));
        for row in 0..case.creators.len() {
            check(&case, row, &found);
        }
        assert_eq!(asked(case.cut), found, "{case:?}");
        Ok(())
    };
    TestRunner::new(config).run(&case(), one).expect("every case holds");
}
