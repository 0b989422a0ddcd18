//! Rollups: what is answered from them, that it is the same as without, and that it is never old.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use tithe_engine::{Engine, EngineOptions, ErrorKind, Principal, RollupReport, Session};
use tithe_testkit::{coordinator, options_for, workers};

use crate::support::{Random, TestLake, ask, queries_on_workers, text};

/// 2024-01-01.
const BEGIN: i32 = 19723;
const BY_MONTH: &str = "SELECT county, date_trunc('month', day), count(*), count(n), sum(n), min(n), max(n), sum(money), \
                        avg(money), avg(n), max(name), approx_distinct(name), approx_distinct(n) FROM tax.t GROUP BY 1, 2";

/// A file of `rows` rows of two years.
fn write(lake: &TestLake, name: &str, rows: usize, random: &mut Random) {
    let mut days = Vec::new();
    let (mut counties, mut numbers, mut money, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let day = (random.below(20) > 0).then(|| BEGIN + i32::try_from(random.below(731)).unwrap());
        days.push(day);
        counties.push((random.below(15) > 0).then(|| format!("臺{}", random.below(4))));
        numbers.push((random.below(5) > 0).then(|| i64::try_from(random.below(1000)).unwrap() - 500));
        money.push((random.below(9) > 0).then(|| i128::try_from(random.below(1_000_000)).unwrap()));
        names.push(format!("n{}", random.below(50)));
    }
    let money: Decimal128Array = money.into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("day", Arc::new(Date32Array::from(days))),
        ("county", Arc::new(counties.into_iter().collect::<StringArray>())),
        ("n", Arc::new(Int64Array::from(numbers))),
        ("money", Arc::new(money.with_precision_and_scale(12, 2).unwrap())),
        ("name", text(&names.iter().map(String::as_str).collect::<Vec<_>>())),
    ];
    lake.parquet(name, &columns);
}

fn lake() -> TestLake {
    let (lake, mut random) = (TestLake::new(), Random(3));
    for part in 0..4 {
        write(&lake, &format!("tax/t/kind={}/part-{part}.parquet", part % 2), 300, &mut random);
    }
    lake.parquet(
        "tax/county/a.parquet",
        &[("code", text(&["臺0", "臺1", "臺2"])), ("name", text(&["甲", "乙", "甲"]))],
    );
    lake
}

async fn refresh(session: &Session, name: &str) -> RollupReport {
    session.refresh_rollup("tax", "t", name, &()).await.unwrap()
}

async fn create(session: &Session, name: &str, sql: &str) {
    session.create_rollup(name, sql).await.unwrap();
    refresh(session, name).await;
}

/// The rows, sorted.
async fn rows(session: &Session, sql: &str) -> String {
    let answer = ask(session, sql).await.unwrap_or_else(|error| format!("{:?} {error}", error.kind()));
    let mut lines: Vec<&str> = answer.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// The answer with rollups, which is the one without; and which rollup it is from.
async fn same(engine: &Arc<Engine>, sql: &str) -> Option<String> {
    let with = engine.session(Principal::local()).unwrap();
    let without = engine.session(Principal::local()).unwrap();
    ask(&without, "SET tithe.query.rollups = false").await.unwrap();
    assert_eq!(rows(&with, sql).await, rows(&without, sql).await, "{sql}");
    assert!(without.query(sql).await.unwrap().rollups().unwrap().is_empty(), "{sql}");
    let from = with.query(sql).await.unwrap().rollups().unwrap();
    from.first().map(|name| name.trim_start_matches("tax.t/").to_owned())
}

async fn engine(lake: &TestLake) -> Arc<Engine> {
    lake.engine(EngineOptions::default()).await
}

#[tokio::test]
async fn what_its_keys_and_measures_tell_is_answered_from_it() {
    let lake = lake();
    let engine = engine(&lake).await;
    create(&engine.session(Principal::local()).unwrap(), "by_month", BY_MONTH).await;
    for sql in [
        "SELECT count(*) FROM tax.t",
        "SELECT count(1), sum(money) FROM tax.t WHERE county = '臺1'",
        "SELECT county, sum(n), min(n), max(n), count(n) FROM tax.t GROUP BY county",
        "SELECT sum(n) FROM tax.t WHERE county = 'nowhere'",
        "SELECT count(*) FROM tax.t WHERE county = 'nowhere'",
        "SELECT county, count(*) FROM tax.t WHERE county = 'nowhere' GROUP BY county",
        "SELECT date_trunc('month', day) AS month, sum(money) FROM tax.t GROUP BY 1 ORDER BY 1",
        "SELECT date_trunc('quarter', day), sum(money) FROM tax.t GROUP BY 1",
        "SELECT date_trunc('YEAR', day), count(*) FROM tax.t GROUP BY 1",
        "SELECT date_part('year', day) AS y, date_part('month', day) AS m, sum(n) FROM tax.t GROUP BY y, m",
        "SELECT extract(quarter FROM day), count(*) FROM tax.t GROUP BY 1",
        "SELECT sum(money) FROM tax.t WHERE day >= DATE '2024-03-01' AND day < DATE '2024-06-01'",
        "SELECT sum(money) FROM tax.t WHERE day BETWEEN DATE '2024-03-01' AND DATE '2024-05-31'",
        "SELECT sum(money) FROM tax.t WHERE day > DATE '2024-02-29'",
        "SELECT sum(money) FROM tax.t WHERE DATE '2024-06-30' >= day",
        "SELECT count(*) FROM tax.t WHERE day NOT BETWEEN DATE '2024-03-01' AND DATE '2024-05-31'",
        "SELECT count(*) FROM tax.t WHERE date_part('year', day) = 2025",
        "SELECT count(*) FROM tax.t WHERE date_trunc('month', day) = TIMESTAMP '2024-07-01'",
        "SELECT count(DISTINCT county) FROM tax.t",
        "SELECT DISTINCT county FROM tax.t",
        "SELECT min(county), max(date_trunc('month', day)) FROM tax.t",
        "SELECT count(county), count(*) FROM tax.t",
        "SELECT count(*) FILTER (WHERE county = '臺1') FROM tax.t",
        "SELECT count(county) FILTER (WHERE day >= DATE '2025-01-01'), sum(n) FILTER (WHERE county IS NULL) FROM tax.t",
        "SELECT upper(county) || '!' AS c, sum(n) FROM tax.t GROUP BY 1",
        "SELECT CASE WHEN county IN ('臺1', '臺2') THEN 'a' ELSE 'b' END, sum(n) FROM tax.t GROUP BY 1",
        "SELECT county, sum(n) AS s FROM tax.t GROUP BY county HAVING count(*) > 200 ORDER BY s DESC LIMIT 2",
        "SELECT sum(n) / count(*) FROM tax.t",
        "SELECT * FROM (SELECT county AS c, n AS m FROM tax.t) WHERE c = '臺1' AND c <> '' ORDER BY m LIMIT 0",
        "SELECT c, sum(m) FROM (SELECT county AS c, n AS m FROM tax.t) x GROUP BY c",
        "WITH x AS (SELECT county AS c, day AS d, money FROM tax.t WHERE county <> '臺3')
         SELECT c, sum(money) FROM x WHERE d >= DATE '2025-01-01' GROUP BY c",
        "SELECT c.name, sum(t.money), count(*) FROM tax.t t JOIN tax.county c ON t.county = c.code GROUP BY c.name",
        "SELECT c.name, sum(t.money), count(*), count(c.code) FROM tax.t t LEFT JOIN tax.county c ON t.county = c.code
         GROUP BY c.name",
        "SELECT c.name, sum(t.n) FROM tax.county c JOIN tax.t t ON t.county = c.code AND c.name <> '甲' GROUP BY c.name",
        "SELECT sum(n) FROM tax.t WHERE county IN (SELECT code FROM tax.county WHERE name = '甲')",
        "SELECT sum(n) FROM tax.t WHERE county NOT IN (SELECT code FROM tax.county)",
        "SELECT county, sum(n), rank() OVER (ORDER BY sum(n) DESC) FROM tax.t GROUP BY county",
        "SELECT a.county, a.s, b.s FROM (SELECT county, sum(n) AS s FROM tax.t GROUP BY county) a
         JOIN (SELECT county, sum(money) AS s FROM tax.t GROUP BY county) b ON a.county = b.county",
        "SELECT max(name) FROM tax.t",
        "SELECT avg(n), avg(money) FROM tax.t",
        "SELECT approx_distinct(name), approx_distinct(n), approx_distinct(county) FROM tax.t WHERE county <> '臺2'",
        "SELECT date_trunc('quarter', day), approx_distinct(name), approx_distinct(n) FROM tax.t GROUP BY 1",
        "SELECT approx_distinct(name) FROM tax.t WHERE county = 'nowhere'",
        "SELECT county, avg(n), avg(money) FILTER (WHERE day < DATE '2024-07-01') FROM tax.t GROUP BY county",
        "SELECT avg(n), avg(money) FROM tax.t WHERE county = 'nowhere'",
    ] {
        let from = same(&engine, sql).await;
        if sql.contains("LIMIT 0") {
            continue;
        }
        assert_eq!(from.as_deref(), Some("by_month"), "{sql}");
    }
}

#[tokio::test]
async fn what_is_finer_is_read_from_the_table() {
    let lake = lake();
    let engine = engine(&lake).await;
    create(&engine.session(Principal::local()).unwrap(), "by_month", BY_MONTH).await;
    for sql in [
        "SELECT name, count(*) FROM tax.t GROUP BY name",
        "SELECT kind, count(*) FROM tax.t GROUP BY kind",
        "SELECT day, count(*) FROM tax.t GROUP BY day",
        "SELECT date_trunc('week', day), count(*) FROM tax.t GROUP BY 1",
        "SELECT date_part('day', day), count(*) FROM tax.t GROUP BY 1",
        "SELECT date_part('dow', day), count(*) FROM tax.t GROUP BY 1",
        "SELECT sum(n) FROM tax.t WHERE day >= DATE '2024-03-02'",
        "SELECT sum(n) FROM tax.t WHERE day <= DATE '2024-03-01'",
        "SELECT sum(n) FROM tax.t WHERE day < DATE '2024-03-31'",
        "SELECT sum(n) FROM tax.t WHERE day = DATE '2024-03-01'",
        "SELECT count(*) FROM tax.t WHERE n > 0",
        "SELECT sum(n) FROM tax.t WHERE name = 'n1'",
        "SELECT sum(n + 1) FROM tax.t",
        "SELECT sum(money) FILTER (WHERE n > 0) FROM tax.t",
        "SELECT sum(DISTINCT n) FROM tax.t",
        "SELECT count(DISTINCT n) FROM tax.t",
        "SELECT min(money) FROM tax.t",
        "SELECT median(n) FROM tax.t",
        "SELECT avg(n + 1) FROM tax.t",
        "SELECT first_value(n ORDER BY name, n) FROM tax.t",
        "SELECT county, n FROM tax.t",
        "SELECT sum(n) FROM (SELECT n FROM tax.t ORDER BY n LIMIT 10)",
        "SELECT sum(c.x) FROM tax.t t JOIN (SELECT code, 1 AS x FROM tax.county) c ON t.county = c.code",
        "SELECT sum(t.n) FROM tax.t t JOIN tax.county c ON t.name = c.name",
        "SELECT sum(t.n) FROM tax.t t FULL JOIN tax.county c ON t.county = c.code",
        "SELECT county, count(*) FROM tax.t GROUP BY ROLLUP (county)",
    ] {
        assert_eq!(same(&engine, sql).await, None, "{sql}");
    }
}

#[tokio::test]
async fn of_several_the_smallest_that_tells_is_read() {
    let lake = lake();
    let engine = engine(&lake).await;
    let session = engine.session(Principal::local()).unwrap();
    create(&session, "by_month", BY_MONTH).await;
    create(&session, "by_county", "SELECT county, count(*) FROM tax.t GROUP BY county").await;
    create(&session, "whole", "SELECT sum(n) FROM tax.t").await;
    create(&session, "kinds", "SELECT kind FROM tax.t GROUP BY kind").await;
    assert_eq!(same(&engine, "SELECT sum(n) FROM tax.t").await.as_deref(), Some("whole"));
    assert_eq!(same(&engine, "SELECT count(*) FROM tax.t").await.as_deref(), Some("by_county"));
    assert_eq!(same(&engine, "SELECT count(*), sum(n) FROM tax.t").await.as_deref(), Some("by_month"));
    assert_eq!(same(&engine, "SELECT kind FROM tax.t GROUP BY kind").await.as_deref(), Some("kinds"));
    session.drop_rollup("tax", "t", "whole").await.unwrap();
    assert_eq!(same(&engine, "SELECT sum(n) FROM tax.t").await.as_deref(), Some("by_month"));
    let names: Vec<String> =
        session.rollups("tax", "t").await.unwrap().into_iter().map(|rollup| rollup.name).collect();
    assert_eq!(names, ["by_county", "by_month", "kinds"]);
}

const ASKED: [&str; 5] = [
    "SELECT county, sum(money), count(*) FROM tax.t GROUP BY county",
    "SELECT date_trunc('month', day), max(n), count(n) FROM tax.t WHERE county <> '臺1' GROUP BY 1",
    "SELECT sum(n) FROM tax.t WHERE day >= DATE '2024-04-01' AND day < DATE '2025-02-01'",
    "SELECT count(*), sum(n), max(name) FROM tax.t",
    "SELECT c.name, sum(t.money) FROM tax.t t LEFT JOIN tax.county c ON t.county = c.code GROUP BY c.name",
];

#[tokio::test]
async fn files_that_come_go_and_change_are_in_the_answer_at_once() {
    let lake = lake();
    let engine = engine(&lake).await;
    let session = engine.session(Principal::local()).unwrap();
    create(&session, "by_month", BY_MONTH).await;
    let mut random = Random(11);
    let mut used = 0;
    for step in 0..40 {
        let file = format!("tax/t/kind={}/part-{}.parquet", random.below(3), random.below(6));
        let path = lake.path(&file);
        match random.below(6) {
            0..=2 => {
                let rows = 1 + random.below(120);
                write(&lake, &file, rows, &mut random);
            }
            3 if path.exists() => std::fs::remove_file(&path).unwrap(),
            4 => {
                refresh(&session, "by_month").await;
            }
            _ => {}
        }
        for sql in ASKED {
            used += usize::from(same(&engine, sql).await.is_some());
        }
        if step % 10 == 9 {
            refresh(&session, "by_month").await;
            let state = session.rollups("tax", "t").await.unwrap()[0].state.clone().unwrap();
            assert_eq!(state.files_left, 0);
        }
    }
    assert!(used > 50, "{used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_answer_from_it_too() {
    let lake = lake();
    let session = engine(&lake).await.session(Principal::local()).unwrap();
    create(&session, "by_month", BY_MONTH).await;
    // Half of it is read from files.
    write(&lake, "tax/t/kind=2/part-0.parquet", 400, &mut Random(31));
    let workers = workers(lake.root(), 2).await;
    let engine = coordinator(options_for(lake.root()), &workers).await;
    for sql in ASKED.into_iter().chain([
        "SELECT county, avg(n), avg(money), approx_distinct(name) FROM tax.t GROUP BY county",
        "SELECT date_trunc('year', day), count(DISTINCT county) FROM tax.t GROUP BY 1",
    ]) {
        assert_eq!(same(&engine, sql).await.as_deref(), Some("by_month"), "{sql}");
    }
    let ran = queries_on_workers(&engine);
    // With rollups and without.
    assert!(ran >= 12, "only {ran} queries ran on workers");
}

#[tokio::test]
async fn a_refresh_reads_what_is_new_alone() {
    let lake = lake();
    let session = engine(&lake).await.session(Principal::local()).unwrap();
    session.create_rollup("by_month", BY_MONTH).await.unwrap();
    let report = refresh(&session, "by_month").await;
    assert_eq!((report.files, report.folders, report.there, report.retired), (4, 2, 0, 0));
    let mut random = Random(5);
    write(&lake, "tax/t/kind=1/part-9.parquet", 10, &mut random);
    let report = refresh(&session, "by_month").await;
    assert_eq!((report.files, report.folders, report.there, report.retired), (1, 1, 4, 0));
    assert_eq!(refresh(&session, "by_month").await.files, 0);
    // A changed file takes its segment with it, and nothing else.
    write(&lake, "tax/t/kind=0/part-0.parquet", 20, &mut random);
    let report = refresh(&session, "by_month").await;
    assert_eq!((report.files, report.folders, report.there, report.retired), (2, 1, 3, 1));
    // After many additions a folder is one segment again.
    for part in 10..19 {
        write(&lake, &format!("tax/t/kind=1/part-{part}.parquet"), 5, &mut random);
        refresh(&session, "by_month").await;
    }
    let manifest = std::fs::read_to_string(lake.root().join("tax/t/_rollups/by_month/rollup.json")).unwrap();
    let segments = manifest.matches("\"of\":").count();
    assert!((2..=9).contains(&segments), "{segments}");
    let whole = session.rollups("tax", "t").await.unwrap().remove(0).state.unwrap();
    assert_eq!((whole.files, whole.files_left), (14, 0));
}

#[tokio::test]
async fn a_segment_that_is_gone_or_broken_in_size_does_not_count() {
    let lake = lake();
    write(&lake, "tax/t/kind=3/part-0.parquet", 600, &mut Random(1));
    let engine = engine(&lake).await;
    create(&engine.session(Principal::local()).unwrap(), "by_month", BY_MONTH).await;
    let folder = lake.root().join("tax/t/_rollups/by_month");
    let segments = || {
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "segment"))
            .collect();
        files.sort();
        files
    };
    std::fs::remove_file(&segments()[0]).unwrap();
    assert!(same(&engine, ASKED[0]).await.is_some());
    std::fs::write(&segments()[0], "short").unwrap();
    assert_eq!(same(&engine, ASKED[0]).await, None);
    std::fs::write(folder.join("rollup.json"), "{").unwrap();
    assert_eq!(same(&engine, ASKED[0]).await, None);
    let session = engine.session(Principal::local()).unwrap();
    let told = session.rollups("tax", "t").await.unwrap().remove(0).state.unwrap_err();
    assert!(told.contains("drop the rollup and create it again"), "{told}");
    session.drop_rollup("tax", "t", "by_month").await.unwrap();
    assert!(!folder.exists());
    create(&session, "by_month", BY_MONTH).await;
    assert!(same(&engine, ASKED[0]).await.is_some());
    ask(&session, "DROP TABLE tax.t").await.unwrap();
    assert!(!lake.root().join("tax/t/_rollups").exists());
}

#[tokio::test]
async fn what_a_rollup_cannot_keep_is_refused_with_the_reason() {
    let lake = lake();
    lake.parquet("tax/f/a.parquet", &[("x", Arc::new(Float64Array::from(vec![1.5])) as ArrayRef)]);
    lake.write("tax/raw/a.jsonl", "{\"a\": 1}\n");
    let session = engine(&lake).await.session(Principal::local()).unwrap();
    let mut told = Vec::new();
    for sql in [
        "SELECT county FROM tax.t",
        "SELECT county, sum(n) FROM tax.t WHERE n > 0 GROUP BY county",
        "SELECT county, sum(n) FROM tax.t GROUP BY county HAVING sum(n) > 0",
        "SELECT county, sum(n) FROM tax.t GROUP BY county ORDER BY county",
        "SELECT DISTINCT county FROM tax.t",
        "SELECT t.county, sum(t.n) FROM tax.t JOIN tax.county c ON t.county = c.code GROUP BY t.county",
        "SELECT count(DISTINCT n) FROM tax.t",
        "SELECT sum(n) FILTER (WHERE n > 0) FROM tax.t",
        "SELECT stddev(n) FROM tax.t",
        "SELECT sum(x) FROM tax.f",
        "SELECT random(), count(*) FROM tax.t GROUP BY 1",
        "SELECT county, count(*) FROM tax.t GROUP BY ROLLUP (county)",
        "SELECT sum(a) FROM tax.raw",
        "SELECT sum(a) FROM (VALUES (1)) AS t(a)",
        "DROP TABLE tax.t",
        "SELECT sum(m) FROM tax.t",
    ] {
        let error = session.create_rollup("r", sql).await.unwrap_err();
        told.push(format!("{sql}\n  {error}"));
    }
    insta::assert_snapshot!(told.join("\n"));
    let error = session.create_rollup("../r", "SELECT count(*) FROM tax.t").await.unwrap_err();
    assert!(error.to_string().contains("names no rollup"), "{error}");
    session.create_rollup("r", "SELECT count(*) FROM tax.t").await.unwrap();
    let error = session.create_rollup("r", "SELECT count(*) FROM tax.t").await.unwrap_err();
    assert!(error.to_string().contains("has a rollup r already"), "{error}");
    let error = session.refresh_rollup("tax", "t", "rr", &()).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains('r')), (ErrorKind::NotFound, true), "{error}");
    let error = lake.read_only().await.create_rollup("q", "SELECT count(*) FROM tax.t").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAllowed, "{error}");
}
