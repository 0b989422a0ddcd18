//! Aggregates over whole partitions of a window: without a sort, the same answers.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
};
use tithe_engine::Session;

use crate::support::{TestLake, mixed, plan, table, value};

fn unless(null: bool, value: i64) -> Option<i64> {
    (!null).then_some(value)
}

/// Rows `from..to`: `n` is their number, and any other column has NULLs.
fn write(lake: &TestLake, name: &str, from: i64, to: i64) {
    let rows = || from..to;
    let number =
        |salt: i64, most: i64| move |row: i64| unless(mixed(row, salt) % 7 == 0, mixed(row, salt) % most);
    let small: Int64Array = rows().map(number(1, 40)).collect();
    let large: Int64Array = rows().map(number(2, 1_000_000)).collect();
    let text: StringArray =
        rows().map(|row| number(3, 90)(row).map(|key| format!("統一編號 {key:08}"))).collect();
    let day: Date32Array =
        rows().map(|row| number(4, 30)(row).map(|day| i32::try_from(day).unwrap())).collect();
    let yes: BooleanArray = rows().map(|row| number(5, 2)(row).map(|yes| yes == 1)).collect();
    let money: Decimal128Array = rows().map(|row| number(6, 50_000)(row).map(i128::from)).collect();
    let money = money.with_precision_and_scale(12, 2).unwrap();
    // Small whole numbers: their sums are exact in any order.
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let float: Float64Array = rows().map(|row| number(7, 100)(row).map(|value| value as f64)).collect();
    let columns: [(&str, ArrayRef); 8] = [
        ("n", Arc::new(Int64Array::from_iter_values(rows()))),
        ("small", Arc::new(small)),
        ("large", Arc::new(large)),
        ("text", Arc::new(text)),
        ("day", Arc::new(day)),
        ("yes", Arc::new(yes)),
        ("money", Arc::new(money)),
        ("float", Arc::new(float)),
    ];
    lake.nullable(name, &columns);
}

fn lake() -> TestLake {
    let lake = TestLake::new();
    write(&lake, "s/t/a.parquet", 0, 11_000);
    write(&lake, "s/t/b.parquet", 11_000, 12_500);
    write(&lake, "s/t/c.parquet", 12_500, 13_000);
    lake
}

/// With an order, even one that changes nothing, a window is sorted for.
const ORDERED: &str = " ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";

/// `sql`, in which `$whole` ends each window, without and with an order.
fn both_ways(sql: &str) -> [String; 2] {
    ["", ORDERED].map(|order| sql.replace("$whole", order))
}

async fn check(session: &Session, sql: &str, windows: usize) {
    let [whole, sorted] = both_ways(sql);
    let shown = plan(session, &whole).await;
    assert_eq!(shown.matches("WholeWindowExec").count(), windows, "{whole}\n{shown}");
    let shown = plan(session, &sorted).await;
    assert!(!shown.contains("WholeWindowExec"), "{sorted}\n{shown}");
    let schema = session.query(&whole).await.unwrap().schema();
    assert_eq!(schema, session.query(&sorted).await.unwrap().schema(), "{sql}");
    assert_eq!(table(session, &whole).await, table(session, &sorted).await, "{sql}");
}

const KEYS: [&str; 9] = [
    "small",
    "text",
    "day",
    "yes",
    "money",
    "text, small",
    "small, yes, day",
    "small % 3, substr(text, 1, 9)",
    "date_trunc('month', day)",
];
const CALLS: [&str; 16] = [
    "sum(large)",
    "sum(money)",
    "sum(float)",
    "sum(large % 5 - 2)",
    "count(*)",
    "count(text)",
    "count(small)",
    "avg(large)",
    "avg(money)",
    "avg(float)",
    "min(large)",
    "max(text)",
    "min(day)",
    "max(money)",
    "min(text)",
    "max(n)",
];

#[tokio::test]
async fn whole_partitions_give_what_sorting_gives() {
    let lake = lake();
    let mut seed = 0;
    let mut dice = |sides: usize| {
        seed += 1;
        usize::try_from(mixed(seed, 77)).unwrap() % sides
    };
    for partitions in [1, 2, 3] {
        let session = lake.session_within(partitions, None).await;
        for query in 0..20 {
            let windows: Vec<String> = (0..=dice(2))
                .flat_map(|window| {
                    let keys = KEYS[dice(KEYS.len())];
                    let calls: Vec<String> = (0..=dice(3))
                        .map(|call| {
                            let function = CALLS[dice(CALLS.len())];
                            format!("{function} OVER (PARTITION BY {keys}$whole) AS w{window}_{call}")
                        })
                        .collect();
                    calls
                })
                .collect();
            let rows =
                ["", " WHERE small < 20", " WHERE text IS NOT NULL", " WHERE n < 0", " WHERE n = 5"][dice(5)];
            let sql = format!("SELECT n, small, text, {} FROM s.t{rows} ORDER BY n", windows.join(", "));
            let [whole, _sorted] = both_ways(&sql);
            let operators = plan(&session, &whole).await.matches("WholeWindowExec").count();
            assert!((1..=2).contains(&operators), "query {query}: {whole}");
            check(&session, &sql, operators).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_sorted_for_whole_partitions() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    for (sql, windows) in [
        ("SELECT n, sum(large) OVER (PARTITION BY small$whole) AS s FROM s.t", 1),
        (
            "SELECT max(share) AS m FROM (SELECT money / sum(money) OVER (PARTITION BY text$whole) AS share FROM s.t) q",
            1,
        ),
        (
            "SELECT n, sum(large) OVER (PARTITION BY small$whole) AS a, min(n) OVER (PARTITION BY text, day$whole) AS b \
             FROM s.t",
            2,
        ),
        (
            "SELECT n, sum(large) OVER (PARTITION BY small, day$whole) AS a, count(*) OVER (PARTITION BY small$whole) AS b \
             FROM s.t",
            2,
        ),
    ] {
        let [whole, _sorted] = both_ways(sql);
        let shown = plan(&session, &whole).await;
        assert!(!shown.contains("SortExec"), "{whole}\n{shown}");
        check(&session, &format!("SELECT * FROM ({sql}) q ORDER BY 1"), windows).await;
    }
}

#[tokio::test]
async fn an_order_that_is_needed_is_kept() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    for sql in [
        "SELECT small, n, sum(large) OVER (PARTITION BY small$whole) AS s FROM s.t ORDER BY small, n LIMIT 500",
        "SELECT n, sum(large) OVER (PARTITION BY small$whole) AS s, row_number() OVER (PARTITION BY small ORDER BY n) AS r \
         FROM s.t ORDER BY n",
        "SELECT small, max(s) AS m, count(*) AS c FROM (SELECT small, sum(large) OVER (PARTITION BY small$whole) AS s \
         FROM s.t) q GROUP BY small ORDER BY small",
    ] {
        let [whole, sorted] = both_ways(sql);
        assert_eq!(table(&session, &whole).await, table(&session, &sorted).await, "{sql}");
    }
    // The rows are in this order once they are sorted for the window: nothing is gained by leaving that out.
    let sql = "SELECT small, sum(large) OVER (PARTITION BY small) AS s FROM s.t ORDER BY small";
    let shown = plan(&session, sql).await;
    assert!(!shown.contains("WholeWindowExec") && shown.contains("SortExec"), "{shown}");
    // One sort serves both.
    let sql = "SELECT n, sum(large) OVER (PARTITION BY small) AS s, row_number() OVER (PARTITION BY small ORDER BY n) AS r \
               FROM s.t";
    let shown = plan(&session, sql).await;
    assert!(!shown.contains("WholeWindowExec"), "{shown}");
    assert_eq!(shown.matches("SortExec").count(), 1, "{shown}");
}

#[tokio::test]
async fn what_is_not_over_whole_partitions_is_sorted() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    for (window, expected) in [
        (
            "count(*) FILTER (WHERE large > 500000) OVER (PARTITION BY small)",
            "CASE WHEN large > 500000 THEN 1 END",
        ),
        ("count(large) FILTER (WHERE yes) OVER (PARTITION BY small)", "CASE WHEN yes THEN large END"),
    ] {
        let sql = format!("SELECT n, {window} AS w FROM s.t ORDER BY n");
        let shown = plan(&session, &sql).await;
        assert!(!shown.contains("WholeWindowExec"), "{sql}\n{shown}");
        let same = format!("SELECT n, count({expected}) OVER (PARTITION BY small) AS w FROM s.t ORDER BY n");
        assert_eq!(table(&session, &sql).await, table(&session, &same).await, "{sql}");
    }
    for window in [
        "sum(large) OVER (PARTITION BY float)",
        "max(float) OVER (PARTITION BY small)",
        "sum(large) OVER (PARTITION BY small ORDER BY n)",
        "sum(large) OVER (PARTITION BY small ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING)",
        "sum(large) OVER (PARTITION BY small ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        "sum(large) OVER (PARTITION BY small) AS v, sum(large) OVER (PARTITION BY small ROWS BETWEEN UNBOUNDED \
         PRECEDING AND CURRENT ROW)",
        "count(DISTINCT large) OVER (PARTITION BY small)",
        "sum(large) OVER ()",
        "first_value(large) OVER (PARTITION BY small)",
    ] {
        let shown = plan(&session, &format!("SELECT n, {window} AS w FROM s.t")).await;
        assert!(!shown.contains("WholeWindowExec") && shown.contains("Window"), "{window}\n{shown}");
    }
}

#[tokio::test]
async fn rows_beyond_the_memory_are_sorted_on_disk() {
    let lake = TestLake::new();
    for file in 0..4 {
        write(&lake, &format!("s/t/{file}.parquet"), file * 100_000, (file + 1) * 100_000);
    }
    let sql = "SELECT count(*) AS c, sum(s * (n % 10)) AS s, max(m) AS m, max(long) AS l FROM (SELECT n, long, sum(large) OVER \
               (PARTITION BY small) AS s, max(text) OVER (PARTITION BY small) AS m FROM (SELECT *, repeat(text, 10) || n AS \
               long FROM s.t) t) q";
    let large = lake.session_within(2, None).await;
    let small = lake.session_within(1, Some(SMALL)).await;
    assert_eq!(table(&small, sql).await, table(&large, sql).await);
    for (session, spills) in [(&small, true), (&large, false)] {
        let shown = table(session, &format!("EXPLAIN ANALYZE {sql}")).await;
        let line = shown.lines().find(|line| line.contains("WholeWindowExec")).unwrap();
        assert!(line.contains("spill_count="), "{line}");
        assert_eq!(!line.contains("spill_count=0"), spills, "{line}");
    }
    // What the window held has been given back.
    assert_eq!(value(&small, "SELECT count(*) FROM s.t").await, "400000");
    assert_eq!(table(&small, sql).await, table(&large, sql).await);
}

/// Less than the rows, and enough to sort them.
const SMALL: usize = 48 << 20;
