//! Answers that are kept: the same rows as the files have, for whoever may see them, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tithe_engine::{Engine, EngineOptions, Principal, Session};

use crate::support::{self, TestLake, int64, table, text, value};

const CACHE: usize = 8 << 20;

async fn engine(lake: &TestLake) -> Arc<Engine> {
    lake.engine(EngineOptions { result_cache: Some(CACHE), ..EngineOptions::default() }).await
}

fn session(engine: &Arc<Engine>) -> Session {
    engine.session(Principal::local()).unwrap()
}

/// Answers that came from the cache so far, and those that could have.
fn counts(engine: &Engine) -> (u64, u64) {
    let mut registry = Registry::default();
    engine.register_metrics(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let count = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name}_total "))).unwrap();
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    (count("result_cache_hits"), count("result_cache_misses"))
}

#[tokio::test]
async fn the_same_query_over_the_same_files_is_answered_once() {
    let lake = TestLake::new();
    lake.parquet("s/t/a.parquet", &[("n", int64(&[1, 2, 3])), ("x", text(&["甲", "乙", "甲"]))]);
    let engine = engine(&lake).await;
    let sql = "SELECT x, sum(n) AS total FROM s.t GROUP BY x ORDER BY x";
    let first = table(&session(&engine), sql).await;
    assert_eq!(counts(&engine), (0, 1));
    for round in 1..4 {
        // In a session of its own, and written in another way.
        let again = sql.replace("SELECT x,", "SELECT\n  t.x, ").replace("s.t", "s.t AS t");
        let again = if round == 2 { sql } else { &again };
        assert_eq!(table(&session(&engine), again).await, first);
    }
    let (hits, _) = counts(&engine);
    assert!(hits >= 1, "{hits}");
}

#[tokio::test]
async fn files_that_come_go_or_change_are_seen() {
    let lake = TestLake::new();
    lake.parquet("s/t/p=1/a.parquet", &[("n", int64(&[1, 2]))]);
    lake.write("s/j/a.jsonl", "{\"n\":1}\n");
    let engine = engine(&lake).await;
    let queries = [
        // Counted from the footers; pruned to nothing at first; all files; raw files.
        "SELECT count(*) FROM s.t",
        "SELECT count(*) FROM s.t WHERE p = '2'",
        "SELECT sum(n) FROM s.t",
        "SELECT (SELECT max(n) FROM s.t) + count(*) FROM s.j",
    ];
    let answers = |engine: Arc<Engine>| async move {
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.clear();
            for sql in queries {
                answers.push(value(&session(&engine), sql).await);
            }
        }
        answers
    };
    assert_eq!(answers(Arc::clone(&engine)).await, ["2", "0", "3", "3"]);
    let (hits, _) = counts(&engine);
    assert_eq!(hits, 8);
    lake.parquet("s/t/p=2/b.parquet", &[("n", int64(&[10]))]);
    assert_eq!(answers(Arc::clone(&engine)).await, ["3", "1", "13", "11"]);
    lake.write("s/j/a.jsonl", "{\"n\":1}\n{\"n\":2}\n");
    assert_eq!(answers(Arc::clone(&engine)).await, ["3", "1", "13", "12"]);
    lake.parquet("s/t/p=1/a.parquet", &[("n", int64(&[5, 6]))]);
    assert_eq!(answers(Arc::clone(&engine)).await, ["3", "1", "21", "12"]);
    std::fs::remove_file(lake.path("s/t/p=2/b.parquet")).unwrap();
    assert_eq!(answers(Arc::clone(&engine)).await, ["2", "0", "11", "8"]);
}

#[tokio::test]
async fn what_may_change_by_itself_is_not_kept() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1, 2, 3]);
    let engine = engine(&lake).await;
    let session = session(&engine);
    table(&session, "CREATE TABLE own AS SELECT 1 AS n").await;
    for sql in [
        "SELECT n, random() FROM s.t",
        "SELECT n FROM s.t WHERE random() < 0.5",
        "SELECT sum(own.n) FROM s.t, own",
        "SELECT table_name FROM information_schema.tables",
        "EXPLAIN SELECT n FROM s.t",
        "EXPLAIN ANALYZE SELECT n FROM s.t",
    ] {
        table(&session, sql).await;
        table(&session, sql).await;
        assert_eq!(counts(&engine), (0, 0), "{sql}");
    }
    let now = "SELECT now() FROM s.t LIMIT 1";
    assert_ne!(value(&session, now).await, value(&session, now).await);
}

#[tokio::test]
async fn settings_that_change_an_answer_are_part_of_the_question() {
    let lake = TestLake::new();
    lake.write("s/j/a.jsonl", "{\"n\":1}\n{\"n\":2}\n");
    let engine = engine(&lake).await;
    let session = session(&engine);
    let sql = "SELECT CAST(to_timestamp(n) AS VARCHAR) FROM s.j ORDER BY n LIMIT 1";
    let before = value(&session, sql).await;
    table(&session, "SET datafusion.execution.time_zone = '+08:00'").await;
    assert_ne!(value(&session, sql).await, before);
    assert_eq!(counts(&engine), (0, 2));
}

#[tokio::test]
async fn an_answer_with_lines_left_out_is_told_of_each_time() {
    let lake = TestLake::new();
    lake.write("s/j/a.jsonl", "{\"n\":1}\n{\"n\":\n{\"n\":3}\n");
    let options =
        EngineOptions { result_cache: Some(CACHE), skip_bad_lines: true, ..EngineOptions::default() };
    let engine = lake.engine(options).await;
    for _ in 0..3 {
        let query = session(&engine).query("SELECT sum(n) FROM s.j").await.unwrap();
        let report = query.report();
        query.collect().await.unwrap();
        assert_eq!(report.lines_skipped(), 1);
    }
    assert_eq!(counts(&engine).0, 0);
}

#[tokio::test]
async fn an_answer_that_is_large_or_not_read_to_its_end_is_not_kept() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &(0..200_000).collect::<Vec<_>>());
    let engine = engine(&lake).await;
    for _ in 0..2 {
        let rows = session(&engine).query("SELECT n * 2 FROM s.t").await.unwrap().collect().await.unwrap();
        assert_eq!(rows.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 200_000);
        let part = session(&engine).query("SELECT n + 1 FROM s.t WHERE n < 20000").await.unwrap();
        let mut stream = part.execute().await.unwrap();
        futures::StreamExt::next(&mut stream).await.unwrap().unwrap();
    }
    assert_eq!(counts(&engine).0, 0);
}

const POLICY: &str = r#"{"tables": [
    {"user": "lin", "privileges": ["SELECT"], "filter": "bureau = 'KS'"},
    {"user": "wu", "privileges": ["SELECT"], "filter": "bureau = 'TP'"},
    {"user": "chen", "privileges": ["SELECT"], "columns": [{"name": "name", "mask": "left(name, 1) || '○'"}]},
    {"user": "wang", "privileges": ["SELECT"], "columns": [{"name": "income", "allow": false}]},
    {"user": "huang", "privileges": ["SELECT"]},
    {"user": "ho", "privileges": ["SELECT"]}
]}"#;

/// Everybody asks in turn, several times, while files come and the policy changes; each answer is that of an engine that
/// keeps none.
#[tokio::test]
async fn nobody_gets_the_answer_of_another_or_of_before() {
    let lake = TestLake::new();
    let file = |name: &str, bureau: &str, income: i64| {
        lake.parquet(
            &format!("tax/payer/{name}.parquet"),
            &[
                ("name", text(&["陳一", "李二"])),
                ("bureau", text(&[bureau, "TP"])),
                ("income", int64(&[income, 7])),
            ],
        );
    };
    file("a", "KS", 10);
    lake.write("policy.json", POLICY);
    let options = |result_cache: Option<usize>| EngineOptions {
        policy: Some(lake.path("policy.json")),
        result_cache,
        ..EngineOptions::default()
    };
    let (keeping, plain) = (lake.engine(options(Some(CACHE))).await, lake.engine(options(None)).await);
    let queries = [
        "SELECT count(*) FROM tax.payer",
        "SELECT sum(income) AS s FROM tax.payer",
        "SELECT bureau, count(*) AS n FROM tax.payer GROUP BY bureau ORDER BY bureau",
        "SELECT min(name) AS low, max(name) AS high FROM tax.payer",
        "SELECT * FROM tax.payer ORDER BY name, bureau",
        "SELECT count(*) FROM tax.payer WHERE bureau = 'KS'",
        "SELECT a.name FROM tax.payer a WHERE a.name IN (SELECT name FROM tax.payer WHERE bureau = 'TP') ORDER BY 1",
    ];
    let mut rounds = 0;
    let mut check = async || {
        for user in ["lin", "wu", "chen", "wang", "huang", "ho", "nobody"] {
            for sql in queries {
                let answer = |engine: Arc<Engine>| async move {
                    loop {
                        let session = engine.session(Principal::from(user)).unwrap();
                        match support::ask(&session, sql).await {
                            // Read again between planning and running.
                            Err(error) if error.to_string().contains("run it again") => {}
                            answer => return answer.map_err(|error| error.to_string()),
                        }
                    }
                };
                let (kept, right) = (answer(Arc::clone(&keeping)).await, answer(Arc::clone(&plain)).await);
                assert_eq!(kept, right, "{user}, round {rounds}: {sql}");
            }
        }
        rounds += 1;
    };
    check().await;
    check().await;
    let (hits, misses) = counts(&keeping);
    assert!(hits > misses, "{hits} of {misses}");
    file("b", "KS", 20);
    check().await;
    // Policies are looked at every second.
    let read_again = || tokio::time::sleep(Duration::from_millis(1100));
    lake.write("policy.json", POLICY.replace("'KS'", "'TP'").replace("○", "●"));
    read_again().await;
    check().await;
    check().await;
    file("a", "KS", 30);
    lake.write(
        "policy.json",
        POLICY.replace(r#"{"user": "ho", "privileges": ["SELECT"]}"#, r#"{"user": "ho", "privileges": []}"#),
    );
    read_again().await;
    check().await;
    check().await;
}
