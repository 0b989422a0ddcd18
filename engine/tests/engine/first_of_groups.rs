//! Filters that ask for the first rows of each partition of a window: the same answers with fewer rows sorted.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int64Array, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use insta::assert_snapshot;
use tithe_engine::{Principal, Session};
use tithe_testkit::{coordinator, options_for, workers};

use crate::support::{Random, TestLake, metric, plan, queries_on_workers, table, value};

const FLOATS: [f64; 8] = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.5, -1.5, 1e300];

/// Rows `from..to`: `n` is their number, `k` and `key` are for groups, any other column is for order; all but `n` have NULLs.
fn write(lake: &TestLake, name: &str, from: i64, to: i64) {
    let mut random = Random(from.cast_unsigned());
    let mut column = |most: usize| -> Vec<Option<i64>> {
        let value = |_row| (random.below(9) > 0).then(|| i64::try_from(random.below(most)).unwrap());
        (from..to).map(value).collect()
    };
    let shifted = |values: Vec<Option<i64>>, by: i64| {
        values.into_iter().map(move |value| value.map(|value| value - by))
    };
    let text: StringArray =
        column(500).into_iter().map(|key| key.map(|key| format!("統一編號 {key:08}"))).collect();
    let short: StringArray = column(60)
        .into_iter()
        .map(|key| key.map(|key| "abc"[..usize::try_from(key % 4).unwrap()].to_owned()))
        .collect();
    let money = shifted(column(3000), 1500).map(|value| value.map(i128::from));
    let money = Decimal128Array::from_iter(money).with_precision_and_scale(12, 2).unwrap();
    let large = shifted(column(9), 4).map(|value| value.map(|value| i128::from(value) * 10_i128.pow(36)));
    let large = Decimal128Array::from_iter(large).with_precision_and_scale(38, 2).unwrap();
    let day: Date32Array =
        column(400).into_iter().map(|day| day.map(|day| i32::try_from(day).unwrap())).collect();
    let yes: BooleanArray = column(2).into_iter().map(|yes| yes.map(|yes| yes == 1)).collect();
    let float: Float64Array = column(FLOATS.len())
        .into_iter()
        .map(|value| value.map(|value| FLOATS[usize::try_from(value).unwrap()]))
        .collect();
    let single = cast(&float, &DataType::Float32).unwrap();
    let moment =
        TimestampMicrosecondArray::from_iter(shifted(column(100_000), 50_000)).with_timezone("+08:00");
    let tiny: Int8Array =
        shifted(column(256), 128).map(|value| value.map(|value| i8::try_from(value).unwrap())).collect();
    let unsigned: UInt64Array =
        column(50).into_iter().map(|value| value.map(|value| u64::MAX - value.cast_unsigned())).collect();
    let columns: [(&str, ArrayRef); 15] = [
        ("n", Arc::new(Int64Array::from_iter_values(from..to))),
        ("k", Arc::new(Int64Array::from_iter(column(60)))),
        ("key", Arc::new(text.clone())),
        ("number", Arc::new(Int64Array::from_iter(shifted(column(1000), 500)))),
        ("tiny", Arc::new(tiny)),
        ("unsigned", Arc::new(unsigned)),
        ("money", Arc::new(money)),
        ("large", Arc::new(large)),
        ("float", Arc::new(float)),
        ("single", single),
        ("day", Arc::new(day)),
        ("moment", Arc::new(moment)),
        ("yes", Arc::new(yes)),
        ("text", Arc::new(text)),
        ("short", Arc::new(short)),
    ];
    lake.nullable(name, &columns);
}

fn lake() -> TestLake {
    let lake = TestLake::new();
    write(&lake, "s/t/a.parquet", 0, 9_000);
    write(&lake, "s/t/b.parquet", 9_000, 12_500);
    write(&lake, "s/t/c.parquet", 12_500, 13_000);
    lake
}

/// `sql` with `$first` for the condition that the rule takes, and for one with the same answer that it does not.
fn both_ways(sql: &str, condition: &str, wanted: usize) -> [String; 2] {
    [condition.to_owned(), format!("place * 2 <= {}", 2 * wanted)].map(|first| sql.replace("$first", &first))
}

async fn check(session: &Session, sql: &str, condition: &str, wanted: usize) {
    let [dropping, plain] = both_ways(sql, condition, wanted);
    let shown = plan(session, &dropping).await;
    assert!(shown.contains("FirstOfGroupsExec"), "{dropping}\n{shown}");
    let shown = plan(session, &plain).await;
    assert!(!shown.contains("FirstOfGroupsExec"), "{plain}\n{shown}");
    assert_eq!(table(session, &dropping).await, table(session, &plain).await, "{dropping}");
}

const KEYS: [&str; 7] = ["k", "key", "k, key", "day", "yes", "k % 7", "yes, date_trunc('month', day)"];
const ORDERS: [&str; 12] = [
    "number", "tiny", "unsigned", "money", "large", "float", "single", "day", "moment", "yes", "text",
    "short",
];
const DIRECTIONS: [&str; 6] =
    ["", " DESC", " NULLS FIRST", " NULLS LAST", " DESC NULLS FIRST", " DESC NULLS LAST"];
const FUNCTIONS: [&str; 3] = ["row_number", "rank", "dense_rank"];

#[tokio::test]
async fn the_first_rows_are_those_that_sorting_all_finds() {
    let lake = lake();
    let mut random = Random(11);
    for (partitions, batch) in [(1, 8192), (2, 100), (3, 1000)] {
        let session = lake.session_within(partitions, None).await;
        table(&session, &format!("SET datafusion.execution.batch_size = {batch}")).await;
        for best in ORDERS {
            for _ in 0..2 {
                let keys = random.one_of(&KEYS);
                let function = random.one_of(&FUNCTIONS);
                // Two rows that are equal may be numbered either way; and a key does not order what it groups.
                let rest = match function {
                    "row_number" => ", n",
                    _ if keys.split(", ").any(|key| key == best) => ", n",
                    _ => random.one_of(&["", ", n", ", money", ", short DESC, yes"]),
                };
                let order = format!("{best}{}{rest}", random.one_of(&DIRECTIONS));
                let wanted = 1 + random.below(5);
                let rows =
                    random.one_of(&["", "", "", " WHERE number < 0", " WHERE n < 0", " WHERE n < 9100"]);
                let sql = format!(
                    "SELECT n, place FROM (SELECT n, {function}() OVER (PARTITION BY {keys} ORDER BY {order}) AS place \
                     FROM s.t{rows}) r WHERE $first ORDER BY n"
                );
                let condition = match random.below(5) {
                    0 => format!("place < {}", wanted + 1),
                    1 => format!("{wanted} >= place"),
                    2 => format!("place BETWEEN 1 AND {wanted}"),
                    3 => format!("place <= {wanted} AND place < 90"),
                    _ => format!("place <= {wanted}"),
                };
                check(&session, &sql, &condition, wanted).await;
            }
        }
    }
}

#[tokio::test]
async fn one_place_of_each_group() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    for (function, place) in
        [("row_number", 1), ("row_number", 4), ("rank", 1), ("rank", 2), ("dense_rank", 3)]
    {
        let sql = format!(
            "SELECT n, place, p FROM (SELECT n, {function}() OVER (PARTITION BY key ORDER BY number DESC, n) AS place, rank() OVER \
             (PARTITION BY key ORDER BY number DESC, n) AS p FROM s.t) r WHERE $first ORDER BY n"
        );
        let dropping = sql.replace("$first", &format!("place = {place}"));
        let plain = sql.replace("$first", &format!("place * 2 = {}", 2 * place));
        assert!(plan(&session, &dropping).await.contains("FirstOfGroupsExec"));
        assert!(!plan(&session, &plain).await.contains("FirstOfGroupsExec"));
        assert_eq!(table(&session, &dropping).await, table(&session, &plain).await, "{dropping}");
    }
}

#[tokio::test]
async fn forms_in_which_people_ask() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    for sql in [
        "SELECT n, number FROM s.t QUALIFY row_number() OVER (PARTITION BY key ORDER BY moment DESC, n) <= 1 ORDER BY n",
        "SELECT *, row_number() OVER (PARTITION BY key ORDER BY moment DESC, n) AS place FROM s.t QUALIFY place = 1 ORDER BY n",
        "WITH r AS (SELECT key, n, number * 2 AS m, rank() OVER (PARTITION BY key ORDER BY key, number, n) AS place FROM s.t) \
         SELECT key, sum(m) AS m FROM r WHERE place <= 3 AND m < 900 GROUP BY key ORDER BY key",
        "SELECT a.n FROM (SELECT n, key, row_number() OVER (PARTITION BY key ORDER BY number, n) AS place FROM s.t) a JOIN s.t b \
         ON a.n = b.n WHERE place = 1 AND b.k < 20 ORDER BY 1",
        "SELECT n FROM (SELECT n, row_number() OVER (PARTITION BY k ORDER BY money DESC, n) AS place FROM (SELECT n, k, money, \
         row_number() OVER (PARTITION BY key ORDER BY number, n) AS inner_place FROM s.t) q WHERE inner_place <= 2) r \
         WHERE place <= 3 ORDER BY n",
    ] {
        let shown = plan(&session, sql).await;
        assert!(shown.contains("FirstOfGroupsExec"), "{sql}\n{shown}");
        let plain = sql
            .replace("n) <= 1", "n) * 2 <= 2")
            .replace("place = 1", "place * 2 = 2")
            .replace("place <= 3", "place * 2 <= 6")
            .replace("place <= 2", "place * 2 <= 4");
        assert!(!plan(&session, &plain).await.contains("FirstOfGroupsExec"), "{plain}");
        assert_eq!(table(&session, sql).await, table(&session, &plain).await, "{sql}");
    }
}

#[tokio::test]
async fn what_is_about_other_rows_sees_them_all() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    let over = "OVER (PARTITION BY k ORDER BY number DESC, n)";
    for (calls, condition) in [
        (format!("row_number() {over} AS place, count(*) {over} AS c"), "place <= 3"),
        (format!("row_number() {over} AS place, lead(n) {over} AS c"), "place <= 3"),
        (format!("row_number() {over} AS place, count(*) OVER (PARTITION BY k) AS c"), "place <= 3"),
        (format!("row_number() {over} AS place"), "place <= 3 OR n = 5"),
        (format!("row_number() {over} AS place"), "place >= 3"),
        (format!("row_number() {over} AS place"), "place <> 3"),
        (format!("row_number() {over} AS place"), "place <= 1000"),
        (format!("row_number() {over} AS place"), "place <= number"),
        (format!("row_number() {over} AS place"), "n <= 3"),
        (format!("ntile(4) {over} AS place"), "place <= 3"),
        (format!("count(*) {over} AS place"), "place <= 3"),
        ("row_number() OVER (PARTITION BY float ORDER BY number, n) AS place".to_owned(), "place <= 3"),
        ("row_number() OVER (PARTITION BY k ORDER BY k) AS place".to_owned(), "place <= 3"),
        ("row_number() OVER (PARTITION BY k) AS place".to_owned(), "place <= 3"),
        ("row_number() OVER (ORDER BY number, n) AS place".to_owned(), "place <= 3"),
        ("row_number() OVER (PARTITION BY k ORDER BY random()) AS place".to_owned(), "place <= 3"),
        // The rest of the order may fail on a row that is dropped.
        ("row_number() OVER (PARTITION BY k ORDER BY number, 9 / n) AS place".to_owned(), "place <= 3"),
    ] {
        let sql = format!("SELECT * FROM (SELECT n, number, {calls} FROM s.t) r WHERE {condition}");
        let shown = plan(&session, &sql).await;
        assert!(!shown.contains("FirstOfGroupsExec"), "{sql}\n{shown}");
    }
    // A limit is above what is dropped only where it takes the same rows.
    let sql = "SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY yes ORDER BY number) AS place FROM (SELECT * FROM s.t \
               LIMIT 40) q) r WHERE place <= 100";
    assert_eq!(value(&session, sql).await, "40");
}

/// The operators of `sql`, without the files.
async fn operators(session: &Session, sql: &str) -> String {
    let shown = plan(session, sql).await;
    let physical = shown.lines().skip_while(|line| !line.contains("physical_plan"));
    let operators =
        physical.filter_map(|line| line.split('|').nth(2)).filter(|line| !line.contains("DataSource"));
    operators.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn rows_are_dropped_before_they_are_divided_and_before_they_are_sorted() {
    let lake = lake();
    let sql = "SELECT n, place FROM (SELECT n, row_number() OVER (PARTITION BY k ORDER BY number DESC, n) AS place FROM s.t) r \
               WHERE place <= 3";
    assert_snapshot!("several_threads", operators(&lake.session_within(2, None).await, sql).await);
    assert_snapshot!("one_thread", operators(&lake.session_within(1, None).await, sql).await);
}

/// The rows that operators have dropped.
async fn dropped(session: &Session, sql: &str) -> f64 {
    let shown = table(session, &format!("EXPLAIN ANALYZE {sql}")).await;
    let lines = shown.lines().filter(|line| line.contains("FirstOfGroupsExec"));
    lines.map(|line| metric(line, "rows_dropped")).sum()
}

const COUNTED: &str = "SELECT count(*) AS c, sum(n) AS s FROM (SELECT n, row_number() OVER (PARTITION BY $keys ORDER BY number, \
                       n) AS place FROM s.t) r WHERE $first";

#[tokio::test]
async fn most_rows_are_dropped() {
    let lake = lake();
    for partitions in [1, 3] {
        let session = lake.session_within(partitions, None).await;
        let sql = COUNTED.replace("$keys", "k").replace("$first", "place <= 2");
        let dropped = dropped(&session, &sql).await;
        assert!(dropped > 9_000.0, "{dropped}");
    }
}

#[tokio::test]
async fn groups_beyond_the_memory_are_let_through() {
    let lake = TestLake::new();
    for file in 0..4 {
        write(&lake, &format!("s/t/{file}.parquet"), file * 60_000, (file + 1) * 60_000);
    }
    let sql = COUNTED.replace("$keys", "k, key, number % 20");
    let [dropping, plain] = both_ways(&sql, "place <= 1", 1);
    let large = lake.session_within(2, None).await;
    let small = lake.session_within(2, Some(SMALL)).await;
    let expected = table(&large, &plain).await;
    for session in [&large, &small] {
        assert_eq!(table(session, &dropping).await, expected);
    }
    let (less, more) = (dropped(&small, &dropping).await, dropped(&large, &dropping).await);
    assert!(less < more, "{less} {more}");
    // What was held has been given back.
    assert_eq!(table(&small, &dropping).await, expected);
}

/// Less than the groups want, and enough to sort.
const SMALL: usize = 24 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_drop_rows_before_they_send_them() {
    let lake = lake();
    let workers = workers(lake.root(), 2).await;
    let engine = coordinator(options_for(lake.root()), &workers).await;
    let cluster = engine.session(Principal::local()).unwrap();
    let here = lake.session_within(2, None).await;
    for (keys, order, function, most) in [
        ("k", "number DESC, n", "row_number()", 3),
        ("key, yes", "money DESC NULLS LAST, n", "rank()", 2),
        ("k % 7", "day, short", "dense_rank()", 4),
    ] {
        let sql = format!(
            "SELECT n, place FROM (SELECT n, {function} OVER (PARTITION BY {keys} ORDER BY {order}) AS place FROM s.t) r \
             WHERE place <= {most} ORDER BY n"
        );
        let shown = plan(&cluster, &sql).await;
        let (_late, early) = shown.split_once("NetworkShuffleExec").unwrap_or_else(|| panic!("{shown}"));
        assert!(early.contains("FirstOfGroupsExec"), "{shown}");
        assert_eq!(table(&cluster, &sql).await, table(&here, &sql).await, "{sql}");
    }
    assert_eq!(queries_on_workers(&engine), 3);
}
