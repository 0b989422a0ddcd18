//! How much one query may ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_flight::FlightData;
use arrow_flight::utils::flight_data_to_batches;
use tithe_engine::{Engine, EngineOptions, QueryLimits};
use tithe_testkit::sample_lake;
use tonic::Code;

use crate::support::{Client, Server, ticket};

async fn engine(limits: QueryLimits, user_limits: BTreeMap<String, QueryLimits>) -> Arc<Engine> {
    let options = EngineOptions {
        lake: Some(sample_lake().to_str().unwrap().parse().unwrap()),
        target_partitions: Some(2),
        limits,
        user_limits,
        ..EngineOptions::default()
    };
    Engine::open(options).await.unwrap()
}

async fn limited(limits: QueryLimits) -> Server {
    Server::of(engine(limits, BTreeMap::new()).await, |_options| ()).await
}

/// The rows that came before the error, and the error.
async fn until_it_fails(client: &Client, sql: &str) -> (usize, Code, String) {
    let info = client.query_info(sql).await.unwrap();
    let mut answer = client.flight.clone().do_get(ticket(&info)).await.unwrap().into_inner();
    let mut messages: Vec<FlightData> = Vec::new();
    loop {
        match answer.message().await {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => panic!("{sql} ended well"),
            Err(status) => {
                let batches = flight_data_to_batches(&messages).unwrap();
                let rows = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
                return (rows, status.code(), status.message().to_owned());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_has_too_many_rows_is_stopped_while_it_is_sent() {
    let server = limited(QueryLimits { result_rows: Some(100_000), ..QueryLimits::default() }).await;
    let client = server.client().await;
    let (rows, code, message) =
        until_it_fails(&client, "SELECT value FROM generate_series(1, 1000000000000)").await;
    assert!(rows <= 100_000, "{rows} rows");
    assert_eq!(code, Code::ResourceExhausted);
    assert_eq!(
        message,
        "the result has more rows than max_result_rows allows (100000): aggregate it or filter it, or ask the operator to raise the limit"
    );
    let all = client.query("SELECT value FROM generate_series(1, 100000)").await.unwrap();
    assert_eq!(all.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_has_too_many_bytes_is_stopped_while_it_is_sent() {
    let server = limited(QueryLimits { result_bytes: Some(1_000_000), ..QueryLimits::default() }).await;
    let client = server.client().await;
    let text = "SELECT repeat('x', 1000) AS text FROM generate_series(1, 1000000000000)";
    let (rows, code, message) = until_it_fails(&client, text).await;
    assert!(rows <= 1_000, "{rows} rows");
    assert_eq!(code, Code::ResourceExhausted);
    assert!(
        message.starts_with("the result has more bytes than max_result_bytes allows (1000000)"),
        "{message}"
    );
    client.query("SELECT repeat('x', 1000) AS text FROM generate_series(1, 900)").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_reads_too_much_is_stopped_while_it_reads() {
    let server = limited(QueryLimits { scanned_bytes: Some(2_000), ..QueryLimits::default() }).await;
    let client = server.client().await;
    let expected = "the query reads more bytes than max_scanned_bytes allows (2000): name fewer columns, filter by those that the table is partitioned by, or ask the operator to raise the limit";
    for table in ["tax.vat_return", "third_party.channel_raw", "third_party.page_raw"] {
        // Sorting reads everything before it says anything.
        let refusal = client.refusal(&format!("SELECT * FROM {table} ORDER BY 1")).await;
        assert_eq!(refusal, (Code::ResourceExhausted, expected.to_owned()), "{table}");
    }
    // Each query counts for itself.
    for _ in 0..3 {
        assert_eq!(client.value("SELECT max(value) FROM generate_series(1, 100)").await, "100");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_counts_and_not_what_the_table_holds() {
    let server = limited(QueryLimits { scanned_bytes: Some(200_000), ..QueryLimits::default() }).await;
    let client = server.client().await;
    let (code, message) = client.refusal("SELECT * FROM tax.revenue_monthly ORDER BY 1, 2").await;
    assert_eq!(code, Code::ResourceExhausted, "{message}");
    client.query("SELECT count(*) AS n FROM tax.revenue_monthly").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_may_have_other_limits() {
    let own = QueryLimits { result_rows: Some(5), ..QueryLimits::default() };
    let general = QueryLimits { result_rows: Some(1), result_bytes: Some(1_000), ..QueryLimits::default() };
    let users = |name: &str| BTreeMap::from([(name.to_owned(), own)]);
    let server = Server::of(engine(general, users("local")).await, |_options| ()).await;
    let client = server.client().await;
    client.query("SELECT value FROM generate_series(1, 5)").await.unwrap();
    assert!(client.refusal("SELECT value FROM generate_series(1, 6)").await.1.contains("allows (5)"));
    // What is not set for the user is what holds for everybody.
    assert!(
        client.refusal("SELECT repeat('x', 1001) AS text").await.1.contains("max_result_bytes allows (1000)")
    );
    let server = Server::of(engine(general, users("lin")).await, |_options| ()).await;
    let client = server.client().await;
    assert!(client.refusal("SELECT value FROM generate_series(1, 2)").await.1.contains("allows (1)"));
}

/// A plan of about twice `levels` operators above each other.
fn chain(levels: usize) -> String {
    let steps: Vec<String> =
        (1..levels).map(|level| format!("t{level} AS (SELECT n FROM t{})", level - 1)).collect();
    format!("WITH t0 AS (SELECT 1 AS n), {} SELECT n FROM t{}", steps.join(", "), levels - 1)
}

/// Each step names the one before twice.
fn doubling(levels: usize) -> String {
    let step = |level: usize| format!("t{level} AS (SELECT a.n FROM t{0} a, t{0} b)", level - 1);
    let steps: Vec<String> = (1..levels).map(step).collect();
    format!("WITH t0 AS (SELECT 1 AS n), {} SELECT count(*) AS n FROM t{}", steps.join(", "), levels - 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_too_deep_or_too_large() {
    let server = Server::start().await;
    let client = server.client().await;
    assert_eq!(client.value(&chain(190)).await, "1");
    assert_eq!(client.value(&doubling(5)).await, "1");
    let joins = |tables: usize| {
        let tables: Vec<String> =
            (0..tables).map(|table| format!("(VALUES (1)) AS t{table}(x{table})")).collect();
        format!("SELECT x0 AS n FROM {}", tables.join(" CROSS JOIN "))
    };
    assert_eq!(client.value(&joins(120)).await, "1");
    let (code, message) = client.refusal(&chain(900)).await;
    assert_eq!(code, Code::ResourceExhausted);
    assert_eq!(
        message,
        "the plan has more operators above each other than max_plan_depth allows (400): nest less, or ask the operator to raise the limit"
    );
    let (code, message) = client.refusal(&doubling(60)).await;
    assert_eq!(code, Code::ResourceExhausted);
    assert!(message.contains("more operators than the planner allows (50000)"), "{message}");
    for sql in
        [chain(20_000), joins(20_000), format!("SELECT 1 FROM {}", vec!["ref.county"; 50_000].join(", "))]
    {
        let (code, message) = client.refusal(&sql).await;
        assert_eq!(code, Code::InvalidArgument, "{message}");
        assert!(message.contains("more than 1000 operators in a row"), "{message}");
    }
    assert_eq!(client.value("SELECT 1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_may_set_how_deep_a_plan_is() {
    let server = limited(QueryLimits { plan_depth: Some(10), ..QueryLimits::default() }).await;
    let client = server.client().await;
    assert_eq!(client.value(&chain(3)).await, "1");
    let (code, message) = client.refusal(&chain(10)).await;
    assert_eq!(code, Code::ResourceExhausted);
    assert!(message.contains("max_plan_depth allows (10)"), "{message}");
    // What is nested in a condition counts as well.
    let mut nested = "SELECT 1".to_owned();
    for _ in 0..10 {
        nested = format!("SELECT 1 WHERE 1 IN ({nested})");
    }
    assert_eq!(client.refusal(&nested).await.0, Code::ResourceExhausted);
}
