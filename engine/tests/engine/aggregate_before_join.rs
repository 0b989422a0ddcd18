//! Aggregates of a large table that is joined with small ones: grouped before the join, the same answers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use insta::assert_snapshot;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tithe_engine::{Engine, EngineOptions, Principal, Session};
use tithe_testkit::optimized_plan;

use crate::support::{Random, TestLake, ask, int64, text};

/// 2024-01-01.
const BEGIN: i32 = 19723;
const INVOICES: usize = 100_000;
const TAXPAYERS: usize = 120;

fn maybe<T>(random: &mut Random, one_in: usize, value: impl FnOnce(&mut Random) -> T) -> Option<T> {
    (random.below(one_in) > 0).then(|| value(random))
}

fn number(random: &mut Random, end: usize) -> i64 {
    i64::try_from(random.below(end)).unwrap()
}

/// A file of invoices: some of nobody, and some of sellers whom no taxpayer is.
fn invoices(lake: &TestLake, name: &str, (from, to): (usize, usize), random: &mut Random) {
    let rows = to - from;
    macro_rules! column {
        ($kind:ty, $one_in:expr, $value:expr) => {
            Arc::new((0..rows).map(|_| maybe(random, $one_in, $value)).collect::<$kind>()) as ArrayRef
        };
    }
    let numbers = (from..to).map(|n| i64::try_from(n).unwrap());
    let amounts: Decimal128Array = (0..rows)
        .map(|_| maybe(random, 9, |random| i128::from(number(random, 1_000_000)) - 100_000))
        .collect();
    let wide: Decimal128Array =
        (0..rows).map(|_| maybe(random, 9, |random| i128::from(number(random, 1_000_000)) << 50)).collect();
    let kinds = ["應稅", "零稅率", "免稅", "一個比十二個位元組長的稅別"];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from_iter_values(numbers))),
        ("seller", column!(StringArray, 30, |random| format!("B{:07}", random.below(TAXPAYERS + 5)))),
        ("buyer", column!(Int64Array, 30, |random| number(random, TAXPAYERS + 5))),
        ("county", column!(StringArray, 30, |random| format!("縣市{}", random.below(24)))),
        ("day", column!(Date32Array, 30, |random| BEGIN + i32::try_from(random.below(500)).unwrap())),
        ("kind", column!(StringArray, 30, |random| kinds[random.below(4)])),
        ("small", column!(Int32Array, 9, |random| i32::try_from(random.below(7)).unwrap())),
        ("large", column!(Int64Array, 9, |random| number(random, 1_000_000_000) << 29)),
        ("yes", column!(BooleanArray, 9, |random| random.below(2) > 0)),
        ("name", column!(StringArray, 9, |random| format!("name {}", random.below(1_000)))),
        ("amount", Arc::new(amounts.with_precision_and_scale(12, 2).unwrap())),
        ("wide", Arc::new(wide.with_precision_and_scale(28, 4).unwrap())),
        ("float", Arc::new((from..to).map(|n| Some(n as f64 / 7.0)).collect::<Float64Array>())),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    );
    let batch = batch.unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(20_000)).build();
    let file = File::create(lake.path(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Taxpayers, of whom some are there twice, and counties; both have some that no invoice names.
fn dimensions(lake: &TestLake, random: &mut Random) {
    let of = |random: &mut Random, rows: usize, one_in: usize, prefix: &str, end: usize| -> ArrayRef {
        let texts =
            (0..rows).map(|_| maybe(random, one_in, |random| format!("{prefix}{}", random.below(end))));
        Arc::new(texts.collect::<StringArray>())
    };
    let who: Vec<usize> = (3..TAXPAYERS).chain([5, 5, 17, 30]).chain([200, 201]).collect();
    let bans: Vec<String> = who.iter().map(|n| format!("B{n:07}")).collect();
    let ids: Vec<i64> = who.iter().map(|n| i64::try_from(*n).unwrap()).collect();
    let weights: Vec<i64> = who.iter().map(|_| number(random, 9)).collect();
    lake.parquet(
        "tax/taxpayer/a.parquet",
        &[
            ("ban", text(&bans.iter().map(String::as_str).collect::<Vec<_>>())),
            ("id", int64(&ids)),
            ("name", of(random, who.len(), 9, "name ", 30)),
            ("county", of(random, who.len(), 9, "縣市", 24)),
            ("weight", int64(&weights)),
        ],
    );
    let codes: Vec<String> = (0..22).map(|n| format!("縣市{n}")).collect();
    lake.parquet(
        "tax/county/a.parquet",
        &[
            ("code", text(&codes.iter().map(String::as_str).collect::<Vec<_>>())),
            ("name", of(random, 22, 9, "county ", 9)),
            ("region", of(random, 22, 9, "region ", 3)),
        ],
    );
    // A table that knows few of the sellers.
    lake.parquet(
        "tax/watched/a.parquet",
        &[("ban", text(&["B0000005", "B0000009"])), ("why", text(&["a", "b"]))],
    );
    lake.write("tax/raw/a.jsonl", r#"{"ban": "B0000005", "mark": "x"}"#);
}

fn lake() -> TestLake {
    let (lake, mut random) = (TestLake::new(), Random(11));
    for (part, bounds) in [(0, 60_000), (60_000, 95_000), (95_000, INVOICES)].into_iter().enumerate() {
        invoices(&lake, &format!("tax/invoice/{part}.parquet"), bounds, &mut random);
    }
    dimensions(&lake, &mut random);
    lake
}

/// A session with the rule and one without.
async fn sessions(lake: &TestLake, partitions: usize, batch_size: usize) -> [Session; 2] {
    let options = EngineOptions { target_partitions: Some(partitions), ..EngineOptions::default() };
    let sessions = both(&lake.engine(options).await, "local").await;
    for session in &sessions {
        ask(session, &format!("SET datafusion.execution.batch_size = {batch_size}")).await.unwrap();
    }
    sessions
}

async fn both(engine: &Arc<Engine>, user: &str) -> [Session; 2] {
    let user = Principal { name: user.to_owned(), groups: BTreeSet::new() };
    let sessions = [engine.session(user.clone()).unwrap(), engine.session(user).unwrap()];
    for (session, rule) in sessions.iter().zip([true, false]) {
        ask(session, &format!("SET tithe.query.aggregate_before_join = {rule}")).await.unwrap();
    }
    sessions
}

/// The rows, sorted, or the error.
async fn rows(session: &Session, sql: &str) -> String {
    let answer = ask(session, sql).await.unwrap_or_else(|error| format!("{:?} {error}", error.kind()));
    let mut lines: Vec<&str> = answer.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

async fn check_same([with, without]: &[Session; 2], sql: &str) {
    if let (Ok(with), Ok(without)) = (with.query(sql).await, without.query(sql).await) {
        assert_eq!(with.schema(), without.schema(), "{sql}");
    }
    assert_eq!(rows(with, sql).await, rows(without, sql).await, "{sql}");
}

async fn plan(session: &Session, sql: &str) -> String {
    optimized_plan(session, sql, Path::new("/lake")).await
}

/// How many times rows are grouped before a join.
fn times(plan: &str) -> usize {
    plan.matches("SubqueryAlias: groups before the join").count()
}

/// That the answer is the same, and of groups that were made before a join.
async fn check(sessions: &[Session; 2], sql: &str) {
    let [with, without] = sessions;
    let shown = plan(with, sql).await;
    assert_eq!(times(&shown), 1, "{sql}\n{shown}");
    assert_eq!(times(&plan(without, sql).await), 0, "{sql}");
    check_same(sessions, sql).await;
}

const FROM: [&str; 9] = [
    "tax.invoice i JOIN tax.taxpayer t ON i.seller = t.ban",
    "tax.taxpayer t JOIN tax.invoice i ON i.buyer = t.id",
    "tax.invoice i JOIN tax.taxpayer t ON i.seller = t.ban AND i.county = t.county",
    "tax.invoice i JOIN tax.taxpayer t ON i.seller = t.ban JOIN tax.county c ON t.county = c.code",
    "tax.invoice i LEFT JOIN tax.taxpayer t ON i.seller = t.ban",
    "tax.county c RIGHT JOIN (tax.taxpayer t RIGHT JOIN tax.invoice i ON i.buyer = t.id) ON c.code = t.county",
    "(SELECT n, seller, buyer + 0 AS buyer, county, day, kind, small, large, yes, i.name AS name, amount, wide, float \
     FROM tax.invoice i) i JOIN (SELECT ban AS id, max(name) AS name, min(county) AS county, sum(weight) AS weight FROM \
     tax.taxpayer GROUP BY ban) t ON i.seller = t.id",
    "tax.invoice i JOIN tax.taxpayer t ON i.seller = t.ban AND i.small < t.weight",
    "tax.invoice i JOIN tax.taxpayer t ON i.buyer + 1 = t.id + 1",
];
const GROUPS: [&str; 9] = [
    "t.name",
    "t.county, t.name",
    "i.kind, t.name",
    "upper(t.name) || '!'",
    "t.weight % 3",
    "coalesce(i.kind, t.county)",
    "date_part('month', i.day), t.weight",
    "date_trunc('quarter', i.day)",
    "i.yes, t.name IS NULL",
];
const CALLS: [&str; 24] = [
    "count(*)",
    "count(i.amount)",
    "count(t.name)",
    "sum(i.amount)",
    "sum(i.wide)",
    "sum(i.large)",
    "sum(i.small)",
    "sum(i.large * 3 - i.small)",
    "avg(i.large)",
    "avg(i.small)",
    "avg(i.amount)",
    "min(i.name)",
    "max(i.day)",
    "max(i.amount)",
    "min(t.name)",
    "bool_or(i.yes)",
    "bool_and(i.yes)",
    "count(DISTINCT t.county)",
    "count(DISTINCT i.kind)",
    "sum(CASE WHEN i.yes THEN i.amount ELSE 0 END)",
    "count(*) FILTER (WHERE i.yes)",
    "sum(i.amount) FILTER (WHERE t.weight > 4)",
    "avg(i.amount) FILTER (WHERE i.small > 3 AND t.weight > 2)",
    "count(t.name) FILTER (WHERE i.yes)",
];

fn aggregate(random: &mut Random) -> String {
    let from = FROM[random.below(FROM.len())];
    let calls: Vec<&str> = (0..=random.below(4)).map(|_| CALLS[random.below(CALLS.len())]).collect();
    let mut columns = String::new();
    for (place, call) in calls.iter().enumerate() {
        write!(columns, ", {call} AS v{place}").unwrap();
    }
    let condition = match random.below(12) {
        0 => " WHERE i.n < 0",
        1 => " WHERE i.n >= 3",
        2 => " WHERE i.kind <> '免稅'",
        3 => " WHERE t.weight > 3",
        4 => " WHERE t.name IS NULL OR i.yes",
        5 => " WHERE i.seller = 'B0000005'",
        _ => "",
    };
    if random.below(6) == 0 {
        return format!("SELECT {} FROM {from}{condition}", columns.trim_start_matches(", "));
    }
    let group = GROUPS[random.below(GROUPS.len())];
    let having = ["", "", "", " HAVING count(*) > 900"][random.below(4)];
    format!("SELECT {group}{columns} FROM {from}{condition} GROUP BY {group}{having}")
}

#[tokio::test]
async fn groups_that_are_joined_give_what_joined_rows_give() {
    let lake = lake();
    let mut random = Random(5);
    let (mut grouped, mut queries) = (0, 0);
    for (partitions, batch_size) in [(1, 8192), (3, 1000), (2, 8192)] {
        let sessions = sessions(&lake, partitions, batch_size).await;
        for _ in 0..25 {
            let sql = aggregate(&mut random);
            check_same(&sessions, &sql).await;
            grouped += times(&plan(&sessions[0], &sql).await);
            queries += 1;
        }
    }
    assert!(grouped * 2 > queries, "{grouped} of {queries}");
}

#[tokio::test]
async fn rows_of_a_large_table_are_grouped_before_they_are_joined() {
    let lake = lake();
    let sessions = sessions(&lake, 2, 8192).await;
    let seller = "FROM tax.invoice i JOIN tax.taxpayer t ON i.seller = t.ban";
    for sql in [
        format!("SELECT t.name, sum(i.amount) AS total {seller} GROUP BY t.name ORDER BY total DESC, t.name LIMIT 20"),
        format!("SELECT t.name, count(*) {seller} GROUP BY t.name HAVING count(*) > 1000"),
        format!("SELECT count(*), sum(i.large), avg(i.large) {seller}"),
        // Without a row, and so without a group to be joined.
        format!("SELECT count(*), sum(i.large), avg(i.large) {seller} WHERE i.n < 0"),
        format!("SELECT t.name, count(*) {seller} WHERE i.n < 0 GROUP BY t.name"),
        format!("SELECT count(DISTINCT t.name) AS names, min(t.weight) {seller}"),
        format!("SELECT DISTINCT t.name {seller}"),
        format!("SELECT t.county, c.name, sum(i.amount) {seller} JOIN tax.county c ON c.code = i.county GROUP BY 1, 2"),
        format!("SELECT date_trunc('month', i.day), sum(i.amount) {seller} GROUP BY 1"),
        format!("SELECT t.name, i.kind, avg(i.amount) {seller} GROUP BY 1, 2"),
        format!("SELECT t.name, sum(i.amount) {seller} WHERE i.n >= 0 GROUP BY t.name"),
        "SELECT name, s FROM (SELECT t.name, sum(i.amount) AS s FROM tax.taxpayer t, tax.invoice i WHERE t.ban = i.seller \
         GROUP BY t.name) q WHERE s > 100"
            .to_owned(),
        "SELECT t.name, count(*), count(t.ban) FROM tax.invoice i LEFT JOIN tax.taxpayer t ON i.seller = t.ban GROUP BY 1"
            .to_owned(),
    ] {
        check(&sessions, &sql).await;
    }
}

#[tokio::test]
async fn what_groups_do_not_tell_is_asked_of_rows() {
    let lake = lake();
    let sessions = sessions(&lake, 2, 8192).await;
    let seller = "FROM tax.invoice i JOIN tax.taxpayer t ON i.seller = t.ban";
    for sql in [
        // The order in which numbers come would make a difference.
        format!("SELECT t.name, sum(i.float) {seller} GROUP BY t.name"),
        format!("SELECT t.name, max(i.float) {seller} GROUP BY t.name"),
        format!("SELECT t.name, count(DISTINCT i.n) {seller} GROUP BY t.name"),
        format!("SELECT t.name, stddev(i.large) {seller} GROUP BY t.name"),
        format!("SELECT t.name, sum(DISTINCT i.small), count(*) {seller} GROUP BY t.name"),
        format!("SELECT t.name, avg(i.wide) {seller} GROUP BY t.name"),
        // Of both sides.
        format!("SELECT t.name, sum(i.small * t.weight) {seller} GROUP BY t.name"),
        format!("SELECT sum(t.weight) {seller}"),
        // A row that the join leaves out may be one on which it fails.
        format!("SELECT t.name, sum(10 / (i.small + 1)) {seller} GROUP BY t.name"),
        format!("SELECT t.name, sum(CAST(substr(i.name, 6) AS BIGINT)) {seller} GROUP BY t.name"),
        // As many groups as rows, or so.
        format!("SELECT i.n, count(*) {seller} GROUP BY i.n"),
        format!("SELECT i.float, count(*) {seller} GROUP BY i.float"),
        format!("SELECT i.day, i.small, t.name, count(*) {seller} GROUP BY 1, 2, 3"),
        // A condition leaves few rows before, and would leave few after.
        format!("SELECT t.name, sum(i.amount) {seller} WHERE t.weight = 1 AND i.n % 1000 = 0 AND i.n < i.large GROUP BY 1, i.name"),
        "SELECT w.why, count(*) FROM tax.invoice i JOIN tax.raw r ON r.ban = i.seller JOIN tax.watched w ON w.ban = r.ban \
         GROUP BY w.why"
            .to_owned(),
        // Without a key there is a group where there are no rows.
        "SELECT count(*), sum(i.amount) FROM (SELECT * FROM tax.invoice WHERE n < 0) i CROSS JOIN tax.county c".to_owned(),
        "SELECT t.name, count(i.n), sum(i.amount) FROM tax.taxpayer t LEFT JOIN tax.invoice i ON i.seller = t.ban GROUP BY 1"
            .to_owned(),
        "SELECT c.region, count(*) FROM tax.invoice i JOIN tax.county c ON c.code = i.county WHERE c.region <> 'region 1' \
         GROUP BY c.region"
            .to_owned(),
        "SELECT c.name, sum(t.weight) FROM tax.taxpayer t JOIN tax.county c ON c.code = t.county GROUP BY c.name".to_owned(),
        format!("SELECT t.name, t.county, sum(i.amount) {seller} GROUP BY ROLLUP (t.name, t.county)"),
        "SELECT x.kind, count(*) FROM tax.invoice x JOIN tax.invoice y ON x.n = y.n GROUP BY x.kind".to_owned(),
    ] {
        let shown = plan(&sessions[0], &sql).await;
        assert_eq!(times(&shown), 0, "{sql}\n{shown}");
    }
}

#[tokio::test]
async fn a_row_that_is_left_out_fails_no_query() {
    let lake = lake();
    // Of nobody whom a taxpayer is.
    let far = Date32Array::from(vec![i32::MAX - 5, BEGIN]);
    lake.parquet(
        "tax/far/a.parquet",
        &[("seller", text(&["nobody", "B0000005"])), ("day", Arc::new(far)), ("n", int64(&[0, 1]))],
    );
    let days = (0..INVOICES).map(|n| BEGIN + i32::try_from(n % 20).unwrap());
    let sellers: Vec<String> = (0..INVOICES).map(|n| format!("B{:07}", n % TAXPAYERS)).collect();
    lake.parquet(
        "tax/far/b.parquet",
        &[
            ("seller", text(&sellers.iter().map(String::as_str).collect::<Vec<_>>())),
            ("day", Arc::new(Date32Array::from_iter_values(days))),
            ("n", int64(&vec![1; INVOICES])),
        ],
    );
    let sessions = sessions(&lake, 2, 8192).await;
    for sql in [
        "SELECT date_trunc('month', f.day), count(*) FROM tax.far f JOIN tax.taxpayer t ON t.ban = f.seller GROUP BY 1",
        "SELECT t.county, sum(10 / f.n) FROM tax.far f JOIN tax.taxpayer t ON t.ban = f.seller GROUP BY 1",
        "SELECT t.county, count(*) FILTER (WHERE 10 / f.n > 2) FROM tax.far f JOIN tax.taxpayer t ON t.ban = f.seller GROUP BY 1",
        "SELECT 10 / f.n, count(*) FROM tax.far f JOIN tax.taxpayer t ON t.ban = f.seller GROUP BY 1",
    ] {
        check_same(&sessions, sql).await;
        let answer = rows(&sessions[0], sql).await;
        assert!(answer.starts_with('+'), "{sql}: {answer}");
    }
}

#[tokio::test]
async fn the_plan() {
    let lake = lake();
    let [with, _] = sessions(&lake, 2, 8192).await;
    let sql = "SELECT t.name, sum(i.amount) AS total, count(*) AS n, avg(i.large) FILTER (WHERE i.yes AND t.weight > 3) AS m \
               FROM tax.invoice i JOIN tax.taxpayer t ON i.seller = t.ban JOIN tax.county c ON c.code = i.county GROUP BY t.name ORDER BY total DESC, t.name LIMIT 20";
    assert_snapshot!(plan(&with, sql).await);
}

/// What each user may see of the invoices; `whole` everything.
const POLICY: &str = r#"{"tables": [
    {"user": "whole", "privileges": ["SELECT"]},
    {"user": "(part|masked|groups)", "table": "county|taxpayer", "privileges": ["SELECT"]},
    {"user": "part", "table": "invoice", "privileges": ["SELECT"], "filter": "kind <> '免稅' AND small > 2"},
    {"user": "masked", "table": "invoice", "privileges": ["SELECT"],
     "columns": [{"name": "amount", "mask": "CASE WHEN small > 2 THEN amount END"}, {"name": "county", "mask": "CASE WHEN yes THEN county END"}]},
    {"user": "groups", "table": "invoice", "privileges": ["SELECT"],
     "minimum_group": {"key": "name", "size": 3, "dimensions": ["county", "kind"]}}
]}"#;

#[tokio::test]
async fn under_a_policy_everybody_gets_what_joined_rows_give() {
    let lake = lake();
    lake.write("policy.json", POLICY);
    let policy = Some(lake.root().join("policy.json"));
    let engine = lake.engine(EngineOptions { policy, ..EngineOptions::default() }).await;
    let by_county = "SELECT c.name, count(*), sum(i.amount), avg(i.large), count(DISTINCT i.kind) FROM tax.invoice i \
                     JOIN tax.county c ON c.code = i.county GROUP BY c.name";
    let mut answers = BTreeSet::new();
    for user in ["whole", "part", "masked", "groups"] {
        let sessions = both(&engine, user).await;
        check_same(&sessions, by_county).await;
        check_same(&sessions, "SELECT t.name, sum(i.amount) FROM tax.invoice i JOIN tax.taxpayer t ON t.ban = i.seller GROUP BY 1")
            .await;
        answers.insert(rows(&sessions[0], by_county).await);
    }
    assert!(answers.iter().all(|answer| answer.starts_with('+')), "{answers:?}");
    assert!(answers.len() >= 3, "{answers:?}");
}

#[tokio::test]
async fn a_rollup_answers_what_it_would_answer_without() {
    let lake = lake();
    let sessions = sessions(&lake, 2, 8192).await;
    let by_seller = "SELECT seller, kind, count(*), sum(amount) FROM tax.invoice GROUP BY 1, 2";
    sessions[0].create_rollup("by_seller", by_seller).await.unwrap();
    sessions[0].refresh_rollup("tax", "invoice", "by_seller", &()).await.unwrap();
    let seller = "FROM tax.invoice i JOIN tax.taxpayer t ON i.seller = t.ban";
    for (sql, answered) in [
        (format!("SELECT t.name, count(*), sum(i.amount) {seller} GROUP BY t.name"), true),
        (
            format!("SELECT t.name, i.kind, avg(i.amount) {seller} WHERE i.kind <> '免稅' GROUP BY 1, 2"),
            false,
        ),
        (format!("SELECT t.name, sum(i.amount) {seller} WHERE i.kind <> '免稅' GROUP BY 1"), true),
        (format!("SELECT t.name, sum(i.large) {seller} GROUP BY t.name"), false),
    ] {
        for session in &sessions {
            let rollups = session.query(&sql).await.unwrap().rollups().unwrap();
            assert_eq!(!rollups.is_empty(), answered, "{sql}");
        }
        check_same(&sessions, &sql).await;
    }
}
