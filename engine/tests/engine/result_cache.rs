//! Answers that are kept: the same rows as the files have, for whoever may see them, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
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

fn count(engine: &Engine, name: &str) -> u64 {
    let mut registry = Registry::default();
    engine.register_metrics(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name}_total "))).unwrap();
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

/// Answers that came from the cache so far, and those that could have.
fn counts(engine: &Engine) -> (u64, u64) {
    (count(engine, "result_cache_hits"), count(engine, "result_cache_misses"))
}

/// Of those that came from it, the ones that were not planned.
fn known(engine: &Engine) -> u64 {
    count(engine, "result_cache_known")
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
async fn no_rows_are_an_answer_too() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1, 2, 3]);
    let engine = engine(&lake).await;
    for _ in 0..3 {
        let rows = session(&engine).query("SELECT n FROM s.t WHERE n * n = 2").await.unwrap().collect().await;
        assert_eq!(rows.unwrap().iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 0);
    }
    assert_eq!(counts(&engine), (2, 1));
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

#[tokio::test]
async fn a_statement_that_is_known_is_answered_without_planning_until_a_file_changes() {
    let lake = TestLake::new();
    lake.parquet("s/t/a.parquet", &[("n", int64(&[1, 2]))]);
    let engine = engine(&lake).await;
    let sql = "SELECT sum(n) + (SELECT count(*) FROM s.t) FROM s.t";
    let ask = || async { value(&session(&engine), sql).await };
    assert_eq!((ask().await, known(&engine)), ("5".to_owned(), 0));
    assert_eq!((ask().await, known(&engine)), ("5".to_owned(), 1));
    // By its text, not its meaning.
    value(&session(&engine), &sql.replace("FROM", "from")).await;
    assert_eq!(known(&engine), 1);
    lake.parquet("s/t/b.parquet", &[("n", int64(&[10]))]);
    assert_eq!((ask().await, known(&engine)), ("16".to_owned(), 1));
    assert_eq!((ask().await, known(&engine)), ("16".to_owned(), 2));
    // The files are those of the first answer again.
    std::fs::remove_file(lake.path("s/t/b.parquet")).unwrap();
    assert_eq!(ask().await, "5");
    std::fs::remove_dir_all(lake.path("s/t")).unwrap();
    let error = support::ask(&session(&engine), sql).await.unwrap_err();
    assert!(error.to_string().contains("s.t"), "{error}");
}

#[tokio::test]
async fn a_known_statement_that_waits_sees_what_came_meanwhile() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1, 2]);
    let engine = engine(&lake).await;
    let sql = "SELECT sum(n) FROM s.t";
    for _ in 0..2 {
        value(&session(&engine), sql).await;
    }
    let waiting = session(&engine).query(sql).await.unwrap();
    lake.numbers("s/t/b.parquet", &[10]);
    waiting.look_again();
    let rows = waiting.collect().await.unwrap();
    assert_eq!(rows[0].column(0).as_primitive::<Int64Type>().value(0), 13);
    assert_eq!(value(&session(&engine), sql).await, "13");
}

#[tokio::test]
async fn a_text_that_means_something_else_in_another_session_is_not_known_there() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1, 2]);
    let engine = engine(&lake).await;
    let sql = "SELECT sum(n) FROM s.t";
    for _ in 0..3 {
        assert_eq!(value(&session(&engine), sql).await, "3");
    }
    let before = known(&engine);
    // Prepared in a session, under the same name.
    for (function, answer) in [("sum", "3"), ("max", "2"), ("min", "1")] {
        let session = session(&engine);
        table(&session, &format!("PREPARE q AS SELECT {function}(n) FROM s.t")).await;
        for _ in 0..2 {
            assert_eq!(value(&session, "EXECUTE q").await, answer);
        }
    }
    assert_eq!(known(&engine), before);
    // A session has a table of its own by a name that the lake comes to have.
    let own = session(&engine);
    table(&own, "CREATE SCHEMA late").await;
    table(&own, "CREATE TABLE late.t AS SELECT 70 AS n").await;
    lake.numbers("late/t/a.parquet", &[4]);
    for _ in 0..2 {
        assert_eq!(value(&session(&engine), "SELECT sum(n) FROM late.t").await, "4");
        assert_eq!(value(&own, "SELECT sum(n) FROM late.t").await, "70");
    }
    assert_eq!(known(&engine), before + 1);
    // Names are looked up elsewhere.
    lake.numbers("other/t/a.parquet", &[5]);
    for (schema, answer) in [("s", "3"), ("other", "5")] {
        for _ in 0..2 {
            let session = session(&engine);
            session.look_up_in(schema);
            assert_eq!(value(&session, "SELECT sum(n) FROM t").await, answer);
        }
    }
}

#[tokio::test]
async fn what_hangs_on_the_time_is_planned_each_time() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1, 2]);
    let engine = engine(&lake).await;
    for sql in [
        "SELECT count(*) FROM s.t WHERE now() > TIMESTAMP '2020-01-01'",
        "SELECT count(*), current_date FROM s.t",
    ] {
        for _ in 0..3 {
            table(&session(&engine), sql).await;
        }
    }
    assert_eq!(known(&engine), 0);
}

/// Eight ask the same at once, again and again, while files come: nobody misses one that was there before they asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_ask_at_once_miss_no_file() {
    const FILES: i64 = 30;
    let lake = TestLake::new();
    lake.numbers("s/t/0.parquet", &[1]);
    let engine = engine(&lake).await;
    let there = Arc::new(AtomicI64::new(1));
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (engine, there) = (Arc::clone(&engine), Arc::clone(&there));
            tokio::spawn(async move {
                while there.load(Ordering::SeqCst) < FILES {
                    let least = there.load(Ordering::SeqCst);
                    let found: i64 =
                        value(&session(&engine), "SELECT sum(n) FROM s.t").await.parse().unwrap();
                    assert!(found >= least, "{found} of at least {least}");
                }
            })
        })
        .collect();
    for file in 1..FILES {
        tokio::time::sleep(Duration::from_millis(20)).await;
        lake.numbers(&format!("unseen/{file}.parquet"), &[1]);
        std::fs::rename(
            lake.path(&format!("unseen/{file}.parquet")),
            lake.path(&format!("s/t/{file}.parquet")),
        )
        .unwrap();
        there.store(file + 1, Ordering::SeqCst);
    }
    for one in asking {
        one.await.unwrap();
    }
    assert_eq!(value(&session(&engine), "SELECT sum(n) FROM s.t").await, FILES.to_string());
}
