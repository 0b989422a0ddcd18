//! Which queries are told to be small, so that whoever runs them may do it apart from those that take long.

use tithe_engine::{EngineOptions, Principal};

use crate::support::TestLake;

#[tokio::test(flavor = "multi_thread")]
async fn small_are_those_that_read_little_and_make_nothing_large_of_it() {
    let lake = TestLake::new();
    lake.numbers("s/few/a.parquet", &[1, 2, 3]);
    lake.numbers(
        "s/many/a.parquet",
        &(0..1_000_000_i64).map(|n| n.wrapping_mul(0x1e37_79b9_7f4a_7c15)).collect::<Vec<_>>(),
    );
    lake.write("s/raw/a.jsonl", "{\"n\": 1}\n");
    let session = lake.session().await;
    for (sql, small) in [
        ("SELECT 1", true),
        ("SELECT sum(n) FROM s.few", true),
        ("SELECT * FROM s.few AS a JOIN s.few AS b USING (n)", true),
        // Much is read, or nobody knows how much.
        ("SELECT sum(n) FROM s.many", false),
        ("SELECT * FROM s.raw", false),
        ("SELECT max(value) FROM generate_series(1, 1000000000)", false),
        // Little is read, and much comes of it.
        ("SELECT * FROM s.few AS a CROSS JOIN s.few AS b", false),
        ("SELECT * FROM s.few AS a JOIN s.few AS b ON a.n < b.n", false),
        ("SELECT unnest(range(1, n)) FROM s.few", false),
        // Functions that work long on few rows.
        ("SELECT forecast(n, n, 2) FROM s.few", false),
        ("SELECT n FROM s.few WHERE n > (SELECT cardinality(forecast(n, n, 2)) FROM s.few)", false),
        // What changes something.
        ("SET tithe.compute.backend = 'cpu'", false),
        ("CREATE TABLE s.new AS SELECT 1 AS n", false),
    ] {
        let prepared = session.query(sql).await.unwrap().prepare().await.unwrap();
        assert_eq!(prepared.is_small(), small, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_kept_is_small() {
    let lake = TestLake::new();
    lake.numbers(
        "s/many/a.parquet",
        &(0..1_000_000_i64).map(|n| n.wrapping_mul(0x1e37_79b9_7f4a_7c15)).collect::<Vec<_>>(),
    );
    let options = EngineOptions { result_cache: Some(1 << 20), ..EngineOptions::default() };
    let session = lake.engine(options).await.session(Principal::local()).unwrap();
    for small in [false, true, true] {
        let prepared = session.query("SELECT sum(n) FROM s.many").await.unwrap().prepare().await.unwrap();
        assert_eq!(prepared.is_small(), small);
        let rows = prepared.execute().await.unwrap();
        let rows = datafusion::physical_plan::common::collect(rows).await.unwrap();
        assert_eq!(rows.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_prepared_and_never_run_is_on_record_as_given_up() {
    let lake = TestLake::new();
    lake.numbers("s/few/a.parquet", &[1, 2, 3]);
    let audit = lake.root().join("audit");
    let options = EngineOptions { audit: Some(audit), ..EngineOptions::default() };
    let session = lake.engine(options).await.session(Principal::local()).unwrap();
    drop(session.query("SELECT sum(n) FROM s.few").await.unwrap().prepare().await.unwrap());
    let sql = "SELECT outcome FROM audit.query WHERE sql LIKE 'SELECT sum%'";
    assert_eq!(crate::support::value(&session, sql).await, "cancelled");
}
