//! One query: its schema, its kind, that it runs once, and that it can be stopped.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tithe_engine::{Backend, Engine, EngineOptions, ErrorKind, Principal, Session, StatementKind};

use crate::support::{self, TestLake, ask, int64, table, text, value};

async fn without_lake(options: EngineOptions) -> Session {
    Engine::open(options).await.unwrap().session(Principal::local()).unwrap()
}

#[tokio::test]
async fn every_batch_has_the_promised_schema() {
    let lake = TestLake::new();
    lake.parquet("s/t/k=1/a.parquet", &[("n", int64(&[1, 2])), ("x", text(&["甲", "乙"]))]);
    lake.write("s/j/a.jsonl", "{\"a\":{\"b\":[1]},\"c\":1.5}\n");
    lake.write("s/h/a.html", "<p>");
    let session = lake.session().await;
    for sql in [
        "SELECT * FROM s.t",
        "SELECT n + 1 AS m, upper(x), k, 1 AS one, NULL AS nothing FROM s.t WHERE n > 1",
        "SELECT k, count(*), sum(n), avg(n), max(x) FROM s.t GROUP BY k",
        "SELECT a.n, b.x FROM s.t a LEFT JOIN s.t b ON a.n = b.n + 1 WHERE b.x IS NOT NULL",
        "SELECT n FROM s.t UNION ALL SELECT 1.5",
        "SELECT * FROM s.j",
        "SELECT a['b'][1], c FROM s.j",
        "SELECT * FROM s.h",
        "SELECT CASE WHEN n = 1 THEN 1 END, coalesce(n, 0), array_agg(x), struct(1 AS a) FROM s.t GROUP BY n",
        "SELECT count(*) FROM s.t WHERE false",
        "SELECT row_number() OVER (ORDER BY n), lag(x) OVER (ORDER BY n) FROM s.t",
        "EXPLAIN SELECT n FROM s.t",
        "EXPLAIN ANALYZE SELECT n FROM s.t",
        "SHOW TABLES",
        "SHOW ALL",
        "DESCRIBE s.t",
        "CREATE VIEW v AS SELECT * FROM s.t",
        "SET datafusion.execution.batch_size = 7",
    ] {
        let query = session.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let promised = query.schema();
        assert_eq!(query.statement(), sql);
        let mut stream = query.execute().await.unwrap();
        assert_eq!(stream.schema(), promised, "{sql}");
        while let Some(batch) = stream.next().await {
            assert_eq!(batch.unwrap_or_else(|error| panic!("{sql}: {error}")).schema(), promised, "{sql}");
        }
    }
}

#[tokio::test]
async fn kinds_of_statements() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    let session = lake.session().await;
    table(&session, "CREATE TABLE own AS SELECT 1 AS a").await;
    let out = lake.path("out.parquet").display().to_string();
    let copy = format!("COPY (SELECT 1) TO '{out}'");
    let analyzed = format!("EXPLAIN ANALYZE {copy}");
    for (sql, kind) in [
        ("SELECT 1", StatementKind::Query),
        ("EXPLAIN DROP TABLE own", StatementKind::Query),
        ("SHOW TABLES", StatementKind::Query),
        ("DROP TABLE own", StatementKind::Change),
        ("INSERT INTO own VALUES (2)", StatementKind::Change),
        (copy.as_str(), StatementKind::Change),
        (analyzed.as_str(), StatementKind::Change),
        ("SET datafusion.execution.batch_size = 7", StatementKind::Setting),
        ("PREPARE p AS SELECT 1", StatementKind::Setting),
    ] {
        assert_eq!(
            session.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).kind(),
            kind,
            "{sql}"
        );
    }
    assert_eq!(value(&session, "SELECT count(*) FROM own").await, "1", "nothing ran");
    assert!(!lake.root().join("out.parquet").exists());
}

#[tokio::test]
async fn changes_happen_when_executed_and_once() {
    let session = without_lake(EngineOptions::default()).await;
    table(&session, "CREATE TABLE t AS SELECT 1 AS n").await;
    let insert = session.query("INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(value(&session, "SELECT count(*) FROM t").await, "1");
    let rows = insert.collect().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(value(&session, "SELECT count(*) FROM t").await, "2");
    assert!(ask(&session, "CREATE TABLE t AS SELECT 1").await.is_err());
    let set = session.query("SET datafusion.execution.batch_size = 77").await.unwrap();
    assert_ne!(
        value(
            &session,
            "SELECT value FROM information_schema.df_settings WHERE name = 'datafusion.execution.batch_size'"
        )
        .await,
        "77"
    );
    set.collect().await.unwrap();
    assert_eq!(
        value(
            &session,
            "SELECT value FROM information_schema.df_settings WHERE name = 'datafusion.execution.batch_size'"
        )
        .await,
        "77"
    );
}

#[tokio::test]
async fn sessions_have_their_own_names_and_settings() {
    let engine = Engine::open(EngineOptions::default()).await.unwrap();
    let (a, b) = (engine.session(Principal::local()).unwrap(), engine.session(Principal::local()).unwrap());
    table(&a, "CREATE VIEW v AS SELECT 1 AS one").await;
    table(&a, "SET tithe.compute.backend = cpu").await;
    assert!(ask(&b, "SELECT * FROM v").await.is_err());
    assert_eq!(a.settings().compute_backend, Backend::Cpu);
    assert_eq!(b.settings().compute_backend, Backend::Auto);
    assert_eq!(
        value(&a, "SELECT value FROM information_schema.df_settings WHERE name = 'tithe.compute.backend'")
            .await,
        "cpu"
    );
    assert!(table(&a, "SHOW tithe.compute.backend").await.contains("cpu"));
    for name in ["sum", "upper", "generate_series"] {
        assert!(a.functions().iter().any(|known| known == name), "{name}");
        assert!(table(&a, "SHOW FUNCTIONS").await.contains(&format!("| {name} ")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_stream_stops_the_work() {
    let session =
        without_lake(EngineOptions { target_partitions: Some(4), ..EngineOptions::default() }).await;
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let sql = "SELECT a.value % 7 AS g, count(*) FROM generate_series(1, 100000000000) a GROUP BY g";
    let mut stream = session.query(sql).await.unwrap().execute().await.unwrap();
    let first = tokio::time::timeout(Duration::from_millis(300), stream.next()).await;
    assert!(first.is_err(), "the query was to be running still");
    assert!(alive() > before, "the query was to have tasks");
    drop(stream);
    for _ in 0..100 {
        if alive() <= before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} tasks are left", alive() - before);
}

#[tokio::test]
async fn memory_is_bounded_and_spilling_works() {
    let options = EngineOptions {
        memory_limit: Some(24 * 1024 * 1024),
        target_partitions: Some(2),
        ..EngineOptions::default()
    };
    let session = without_lake(options).await;
    let sorted =
        "SELECT value, repeat('x', 100) AS x FROM generate_series(1, 600000) ORDER BY value % 1000, x, value";
    let mut rows = session.query(sorted).await.unwrap().execute().await.unwrap();
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch.unwrap().num_rows();
    }
    assert_eq!(count, 600_000);
    let wide = "SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 200000)";
    let error = support::error(&session, wide).await;
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().starts_with("the query needs more memory or disk than its limit: "), "{error}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

#[tokio::test]
async fn a_session_is_freed_when_it_is_dropped() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    let engine = lake.engine(EngineOptions::default()).await;
    let before = Arc::strong_count(&engine);
    for _ in 0..3 {
        let session = engine.session(Principal::local()).unwrap();
        table(&session, "CREATE VIEW v AS SELECT * FROM s.t").await;
        table(&session, "SELECT * FROM v").await;
    }
    assert_eq!(Arc::strong_count(&engine), before);
}

#[tokio::test]
async fn rows_of_unnested_groups_are_sorted_by_every_key() {
    let lake = TestLake::new();
    lake.parquet("s/t/a.parquet", &[("k", text(&["a", "a", "b", "b"])), ("n", int64(&[1, 2, 1, 2]))]);
    let session = lake.session().await;
    let listed = "SELECT k, unnest(array_agg(n ORDER BY n)) AS m FROM s.t GROUP BY k ORDER BY k, m DESC";
    let forecast = "SELECT k, forecast_timestamp AS m FROM ai_forecast(TABLE(s.t), data_col => 'n', timestamp_col => 'n', \
                    id_cols => ['k'], horizon => 2) ORDER BY k, m DESC";
    for (sql, expected) in [
        (listed, ["| a | 2 |", "| a | 1 |", "| b | 2 |", "| b | 1 |"]),
        (forecast, ["| a | 4 |", "| a | 3 |", "| b | 4 |", "| b | 3 |"]),
    ] {
        let found = table(&session, sql).await;
        let rows: Vec<&str> =
            found.lines().filter(|line| line.starts_with("| a") || line.starts_with("| b")).collect();
        assert_eq!(rows, expected, "{sql}");
    }
}
