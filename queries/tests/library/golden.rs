//! Every query of the library on the sample lake: its columns, its answer, its plan.
//!
//! `INSTA_UPDATE=always cargo test --workspace --test library golden` writes the snapshots anew.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::datatypes::{DataType, TimeUnit};
use tithe_queries::{LibraryQuery, library};
use tithe_testkit::{answer, optimized_plan, sample_lake, sample_session};

/// Rows shown in full; of longer answers so many are shown, and a hash stands for the rest.
const ROWS: usize = 40;

/// Runs `check` for every query and reports all that fail.
fn for_every_query(check: impl Fn(&'static LibraryQuery)) {
    let failed: Vec<&str> = library()
        .iter()
        .filter(|query| catch_unwind(AssertUnwindSafe(|| check(query))).is_err())
        .map(|query| query.name)
        .collect();
    assert!(failed.is_empty(), "{} queries failed: {}", failed.len(), failed.join(", "));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

fn with_defaults(query: &LibraryQuery) -> String {
    query.bind(&BTreeMap::new()).expect("defaults for every parameter")
}

fn snapshot(folder: &str, query: &LibraryQuery, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(query.title.clone());
    settings.bind(|| insta::assert_snapshot!(query.name.replace('/', "."), text));
}

/// The word for a column's type in a query's head.
fn sql_type(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => "integer",
        DataType::Decimal128(..) => "decimal",
        DataType::Float64 => "double",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Dictionary(_keys, values) => sql_type(values),
        DataType::Date32 => "date",
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp",
        DataType::Boolean => "boolean",
        other => panic!("no answer should have a column of type {other}"),
    }
}

#[test]
fn columns_are_the_described_ones() {
    let runtime = runtime();
    let session = runtime.block_on(sample_session());
    for_every_query(|query| {
        let planned = runtime.block_on(session.query(&with_defaults(query))).expect(query.name).schema();
        let planned: Vec<(String, String)> = planned
            .fields()
            .iter()
            .map(|field| (field.name().clone(), sql_type(field.data_type()).to_owned()))
            .collect();
        let described: Vec<(String, String)> =
            query.columns.iter().map(|column| (column.name.clone(), column.sql_type.clone())).collect();
        assert_eq!(planned, described, "{}", query.name);
    });
}

#[test]
fn answers_are_the_golden_ones() {
    let runtime = runtime();
    let session = runtime.block_on(sample_session());
    for_every_query(|query| {
        let rows = runtime.block_on(async {
            session.query(&with_defaults(query)).await.expect(query.name).collect().await.expect(query.name)
        });
        snapshot("golden/answers", query, &answer(&rows, ROWS));
    });
}

#[test]
fn plans_are_the_golden_ones() {
    let runtime = runtime();
    let session = runtime.block_on(sample_session());
    let lake = sample_lake();
    for_every_query(|query| {
        let plan = runtime.block_on(optimized_plan(&session, &with_defaults(query), &lake));
        snapshot("golden/plans", query, &plan);
    });
}

#[test]
fn the_library_covers_every_domain() {
    let mut counts = BTreeMap::new();
    for query in library() {
        *counts.entry(query.domain).or_insert(0) += 1;
    }
    let domains: Vec<&str> = counts.keys().copied().collect();
    let expected = ["creators", "data_quality", "income", "local_taxes", "privacy", "revenue", "vat"];
    assert_eq!(domains, expected);
    assert!(library().len() >= 28, "{counts:?}");
}
