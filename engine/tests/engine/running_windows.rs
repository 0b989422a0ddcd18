//! Windows that are carried on from row to row: the same answers, a column at a time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use tithe_engine::{Principal, Session};
use tithe_testkit::{coordinator, options_for, workers};

use crate::support::{TestLake, message, mixed, plan, queries_on_workers, table, value};

/// Rows `from..to`: `n` is their number, and any other column has NULLs.
fn write(lake: &TestLake, name: &str, from: i64, to: i64) {
    let rows = || from..to;
    let number = |salt: i64, most: i64| {
        move |row: i64| (mixed(row, salt) % 7 != 0).then(|| mixed(row, salt) % most - most / 2)
    };
    let small: Int64Array = rows().map(number(1, 12)).collect();
    let large: Int64Array = rows().map(number(2, 1_000_000)).collect();
    let text: StringArray =
        rows().map(|row| number(3, 40)(row).map(|key| format!("稅目 {key:03}"))).collect();
    let day: Date32Array =
        rows().map(|row| number(4, 30)(row).map(|day| i32::try_from(day).unwrap())).collect();
    let money: Decimal128Array = rows().map(|row| number(6, 50_000)(row).map(i128::from)).collect();
    let money = money.with_precision_and_scale(12, 2).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let float: Float64Array = rows().map(|row| number(7, 100)(row).map(|value| value as f64 / 3.0)).collect();
    let columns: [(&str, ArrayRef); 7] = [
        ("n", Arc::new(Int64Array::from_iter_values(rows()))),
        ("small", Arc::new(small)),
        ("large", Arc::new(large)),
        ("text", Arc::new(text)),
        ("day", Arc::new(day)),
        ("money", Arc::new(money)),
        ("float", Arc::new(float)),
    ];
    lake.nullable(name, &columns);
}

fn lake() -> TestLake {
    let lake = TestLake::new();
    write(&lake, "s/t/a.parquet", 0, 1_200);
    write(&lake, "s/t/b.parquet", 1_200, 1_500);
    lake
}

/// In batches of so many rows.
async fn session(lake: &TestLake, partitions: usize, batch: usize) -> Session {
    let session = lake.session_within(partitions, None).await;
    table(&session, &format!("SET datafusion.execution.batch_size = {batch}")).await;
    session
}

const PARTITIONS: [&str; 6] = ["", "small", "text, small", "day", "n % 3", "large"];
/// Orders in which rows equal each other, and frames that give these one answer.
const EQUALS: [(&str, &str); 5] = [
    ("day", ""),
    ("text DESC NULLS LAST, day", ""),
    ("money", "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"),
    ("n", ""),
    ("n / 300", ""),
];
const ROWS: &str = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
const CALLS: [&str; 16] = [
    "sum(large)",
    "sum(money)",
    "sum(small - 2)",
    "sum(CAST(abs(large) AS BIGINT UNSIGNED))",
    "count(*)",
    "count(text)",
    "count(small)",
    "min(large)",
    "max(large)",
    "min(day)",
    "max(day)",
    "max(money)",
    "min(CAST(small AS TINYINT))",
    "max(CAST(n * 1000000 AS TIMESTAMP))",
    "rank()",
    "dense_rank()",
];

/// The windows of a query, and the same with a call among them that is not carried on.
fn both_ways(partition: &str, order: &str, frame: &str, calls: &[&str], rows: &str) -> [String; 2] {
    let partition = if partition.is_empty() { String::new() } else { format!("PARTITION BY {partition} ") };
    let window = format!("({partition}ORDER BY {order} {frame})");
    let list: Vec<String> =
        calls.iter().enumerate().map(|(at, call)| format!("{call} OVER {window} AS w{at}")).collect();
    let names: Vec<String> = (0..calls.len()).map(|at| format!("w{at}")).collect();
    let (list, names) = (list.join(", "), names.join(", "));
    let extra = format!("count(*) FILTER (WHERE n IS NOT NULL) OVER {window} AS extra");
    [
        format!("SELECT n, {names} FROM (SELECT n, {list} FROM s.t{rows}) q ORDER BY n"),
        format!(
            "SELECT n, {names} FROM (SELECT n, {list}, {extra} FROM s.t{rows}) q WHERE extra >= 0 ORDER BY n"
        ),
    ]
}

#[tokio::test]
async fn carried_on_gives_what_datafusion_gives() {
    let lake = lake();
    let mut seed = 0;
    let mut dice = |sides: usize| {
        seed += 1;
        usize::try_from(mixed(seed, 41)).unwrap() % sides
    };
    // DataFusion 55.2 does not end with some of its windows in batches of a row.
    let others = lake.session_within(2, None).await;
    for (partitions, batch) in [(1, 8192), (2, 100), (3, 7), (2, 1)] {
        let session = session(&lake, partitions, batch).await;
        for _query in 0..12 {
            let partition = PARTITIONS[dice(PARTITIONS.len())];
            let mut calls: Vec<&str> = (0..=dice(3)).map(|_call| CALLS[dice(CALLS.len())]).collect();
            let rows = ["", "", " WHERE small < 2", " WHERE text IS NOT NULL", " WHERE n < 0"][dice(5)];
            let (order, frame) = EQUALS[dice(EQUALS.len())];
            let [carried, plain] = match dice(2) {
                0 => both_ways(partition, order, frame, &calls, rows),
                _ => {
                    calls.push("row_number()");
                    both_ways(partition, &format!("{order}, n"), ROWS, &calls, rows)
                }
            };
            let shown = plan(&session, &carried).await;
            assert!(shown.contains("RunningWindowExec"), "{carried}\n{shown}");
            let shown = plan(&others, &plain).await;
            assert!(!shown.contains("RunningWindowExec"), "{plain}\n{shown}");
            let schema = session.query(&carried).await.unwrap().schema();
            assert_eq!(schema, others.query(&plain).await.unwrap().schema(), "{carried}");
            assert_eq!(table(&session, &carried).await, table(&others, &plain).await, "{carried}");
        }
    }
}

#[tokio::test]
async fn sums_that_overflow_wrap_as_they_do_without() {
    let lake = TestLake::new();
    lake.nullable("s/t/a.parquet", &[("n", Arc::new(Int64Array::from(vec![1, i64::MAX, 2, i64::MIN, 0])))]);
    let session = lake.session().await;
    let [carried, plain] = both_ways("", "n", "", &["sum(n)"], "");
    assert_eq!(table(&session, &carried).await, table(&session, &plain).await);
}

#[tokio::test]
async fn other_windows_are_left_to_datafusion() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    for window in [
        "sum(float) OVER (PARTITION BY small ORDER BY n)",
        "max(float) OVER (PARTITION BY small ORDER BY n)",
        "max(text) OVER (PARTITION BY small ORDER BY n)",
        "avg(large) OVER (PARTITION BY small ORDER BY n)",
        "sum(large) OVER (PARTITION BY float ORDER BY n)",
        "sum(large) OVER (PARTITION BY small ORDER BY float)",
        "count(DISTINCT large) OVER (PARTITION BY small ORDER BY n)",
        "sum(large) FILTER (WHERE n > 3) OVER (PARTITION BY small ORDER BY n)",
        "sum(large) OVER (PARTITION BY small ORDER BY n ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)",
        "sum(large) OVER (PARTITION BY small ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)",
        "sum(large) OVER (PARTITION BY small ORDER BY n GROUPS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        "sum(large) OVER (PARTITION BY small)",
        "lag(large) OVER (PARTITION BY small ORDER BY n)",
        "percent_rank() OVER (PARTITION BY small ORDER BY n)",
    ] {
        let sql = format!("SELECT n, {window} AS w FROM s.t");
        let shown = plan(&session, &sql).await;
        assert!(!shown.contains("RunningWindowExec") && shown.contains("Window"), "{window}\n{shown}");
        assert!(table(&session, &format!("SELECT count(w) FROM ({sql}) q")).await.contains("count"));
    }
}

#[tokio::test]
async fn equal_rows_beyond_the_memory_end_with_a_sentence() {
    let lake = TestLake::new();
    write(&lake, "s/t/a.parquet", 0, 300_000);
    let sql = "SELECT count(s) AS c, max(text) AS t, sum(money) AS m, max(day) AS d FROM (SELECT *, sum(large) OVER \
               (ORDER BY n / 1000000) AS s FROM s.t) q";
    let large = lake.session_within(2, None).await;
    assert!(plan(&large, sql).await.contains("RunningWindowExec"));
    assert!(value(&large, sql).await.starts_with("300000 "));
    let small = lake.session_within(1, Some(9 << 20)).await;
    let error = message(&small, sql).await;
    assert!(error.contains("memory"), "{error}");
    assert_eq!(value(&small, "SELECT count(*) FROM s.t").await, "300000");
}

#[tokio::test]
async fn workers_carry_on_for_themselves() {
    let lake = lake();
    let workers = workers(lake.root(), 2).await;
    let engine = coordinator(options_for(lake.root()), &workers).await;
    let cluster = engine.session(Principal::local()).unwrap();
    let here = lake.session_within(1, None).await;
    for (order, frame) in EQUALS.into_iter().chain([("day, n", ROWS)]) {
        let [sql, _plain] =
            both_ways("small", order, frame, &["sum(money)", "count(text)", "max(day)", "rank()"], "");
        assert_eq!(table(&cluster, &sql).await, table(&here, &sql).await, "{sql}");
    }
    assert_eq!(queries_on_workers(&engine), 6);
}
