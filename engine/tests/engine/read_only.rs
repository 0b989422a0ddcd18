//! Sessions that may only ask.

use insta::assert_snapshot;
use tithe_engine::ErrorKind;

use crate::support::{TestLake, error, table, value};

#[tokio::test]
async fn what_changes_or_reaches_outside_is_refused() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    lake.write("secret.csv", "a\n1\n");
    let session = lake.read_only().await;
    let secret = lake.path("secret.csv").display().to_string();
    let check = async |sql: &str| {
        let error = error(&session, sql).await;
        assert_eq!(error.kind(), ErrorKind::NotAllowed, "{sql}: {error}");
        error.to_string()
    };
    assert_snapshot!(check("CREATE VIEW v AS SELECT 1").await, @"CREATE VIEW is not allowed: this session is read only");
    assert_snapshot!(check("CREATE TABLE v AS SELECT 1").await, @"CREATE TABLE is not allowed: this session is read only");
    assert_snapshot!(check(&format!("CREATE EXTERNAL TABLE c STORED AS CSV LOCATION '{secret}'")).await, @"CREATE EXTERNAL TABLE is not allowed: this session is read only");
    assert_snapshot!(check("CREATE SCHEMA x").await, @"CREATE SCHEMA is not allowed: this session is read only");
    assert_snapshot!(check("DROP TABLE s.t").await, @"DROP TABLE is not allowed: this session is read only");
    assert_snapshot!(check("INSERT INTO s.t VALUES (1)").await, @"INSERT INTO is not allowed: this session is read only");
    assert_snapshot!(check(&format!("COPY s.t TO '{secret}.parquet'")).await, @"COPY is not allowed: this session is read only");
    assert_snapshot!(check(&format!("EXPLAIN ANALYZE COPY s.t TO '{secret}.parquet'")).await, @"COPY is not allowed: this session is read only");
    assert_snapshot!(check("PREPARE p AS INSERT INTO s.t VALUES (1)").await, @"INSERT INTO is not allowed: this session is read only");
    assert_snapshot!(check("SET datafusion.runtime.memory_limit = '100G'").await, @"SET datafusion.runtime.memory_limit is not allowed: this session is read only");
    assert_snapshot!(check("SET datafusion.catalog.information_schema = true").await, @"SET datafusion.catalog.information_schema is not allowed: this session is read only");
    assert_snapshot!(check("RESET datafusion.execution.batch_size").await, @"RESET datafusion.execution.batch_size is not allowed: this session is read only");
    for sql in [format!("SELECT * FROM '{secret}'"), format!("SELECT * FROM read_csv('{secret}')")] {
        assert_eq!(error(&session, &sql).await.kind(), ErrorKind::NotFound, "{sql}");
    }
    assert!(!lake.root().join("secret.csv.parquet").exists());
}

#[tokio::test]
async fn what_only_asks_is_allowed() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    let session = lake.read_only().await;
    assert_eq!(value(&session, "SELECT n FROM s.t").await, "1");
    for sql in [
        "SHOW TABLES",
        "EXPLAIN ANALYZE SELECT n FROM s.t",
        "SET tithe.json.skip_bad_lines = true",
        "SET datafusion.execution.time_zone = '+08:00'",
        "SET datafusion.catalog.default_schema = 's'",
        "PREPARE p AS SELECT n FROM s.t WHERE n = $1",
        "EXECUTE p(1)",
        "DEALLOCATE p",
    ] {
        table(&session, sql).await;
    }
    assert_eq!(value(&session, "SELECT n FROM t").await, "1", "the default schema was set");
}
