//! Every mistake gets one sentence: what, where, what to do.

use insta::assert_snapshot;
use tithe_engine::{Engine, EngineOptions, ErrorKind, LakeLocation, Session};

use crate::support::{TestLake, error, int64, message, text};

async fn lake() -> (TestLake, Session) {
    let lake = TestLake::new();
    lake.parquet(
        "invoice/header/a.parquet",
        &[("seller_ban", text(&["12345675"])), ("total_amount", int64(&[1]))],
    );
    lake.parquet("ref/county/a.parquet", &[("county_code", text(&["A"]))]);
    lake.write("third_party/post_raw/a.jsonl", "{\"createTime\":1}\n");
    let session = lake.session().await;
    (lake, session)
}

#[tokio::test]
async fn nearest_names_are_offered() {
    let (_lake, session) = lake().await;
    let check = async |sql: &str| {
        let error = error(&session, sql).await;
        assert_eq!(error.kind(), ErrorKind::NotFound, "{sql}");
        error.to_string()
    };
    assert_snapshot!(check("SELECT * FROM invoice.heder").await, @"table invoice.heder does not exist; did you mean invoice.header?");
    assert_snapshot!(check("SELECT * FROM header").await, @"table header does not exist; did you mean invoice.header?");
    assert_snapshot!(check("SELECT * FROM conty").await, @"table conty does not exist; did you mean ref.county?");
    assert_snapshot!(check("SELECT * FROM inv.header").await, @"table inv.header does not exist; did you mean invoice.header?");
    assert_snapshot!(check("SELECT * FROM nothing.alike").await, @"table nothing.alike does not exist; `SHOW TABLES` lists those that do");
    assert_snapshot!(check("SELECT * FROM other.invoice.header").await, @"table other.invoice.header does not exist; did you mean invoice.header?");
    assert_snapshot!(check("SELECT 1 WHERE 1 IN (SELECT x FROM invoice.headers)").await, @"table invoice.headers does not exist; did you mean invoice.header?");
    assert_snapshot!(check("DESCRIBE invoice.heders").await, @"table invoice.heders does not exist; did you mean invoice.header?");
    assert_snapshot!(check("CREATE VIEW v AS SELECT * FROM invoice.hader").await, @"table invoice.hader does not exist; did you mean invoice.header?");
    assert_snapshot!(check("SELECT total_amuont FROM invoice.header").await, @"column total_amuont does not exist; did you mean total_amount?");
    assert_snapshot!(check("SELECT h.seler_ban FROM invoice.header h").await, @"column h.seler_ban does not exist; did you mean seller_ban?");
    assert_snapshot!(check("SELECT x.seller_ban FROM invoice.header h").await, @"the table or alias of column x.seller_ban does not exist; the query names h");
    assert_snapshot!(check("SELECT zzz FROM ref.county").await, @"column zzz does not exist; there are county_code");
    assert_snapshot!(check("SELECT createTime FROM third_party.post_raw").await, @r#"column createtime does not exist; did you mean "createTime"?"#);
    assert_snapshot!(check("SELECT summ(total_amount) FROM invoice.header").await, @"function summ does not exist; did you mean sum?");
    assert_snapshot!(check("EXPLAIN SELECT qqqqqqqq(1)").await, @"function qqqqqqqq does not exist; `SHOW FUNCTIONS` lists those that do");
    assert_snapshot!(check("SELECT * FROM generate_serie(1, 2)").await, @"function generate_serie does not exist; did you mean generate_series?");
    assert_snapshot!(check("SET tithe.json.skip_bad_line = true").await, @"setting tithe.json.skip_bad_line does not exist; did you mean tithe.json.skip_bad_lines?");
    assert_eq!(
        session.columns("invoice", "heder").await.unwrap_err().to_string(),
        "table invoice.heder does not exist; did you mean invoice.header?"
    );
}

#[tokio::test]
async fn mistakes_in_the_request() {
    let (_lake, session) = lake().await;
    let check = async |sql: &str| {
        let error = error(&session, sql).await;
        assert_eq!(error.kind(), ErrorKind::Usage, "{sql}: {error}");
        error.to_string()
    };
    assert_snapshot!(check("SELECT total_amount\nFROM invoice.header\nWHER total_amount > 1 = 2 x").await, @r"
    syntax error at line 3, column 6: expected end of statement, found total_amount
    WHER total_amount > 1 = 2 x
         ^
    ");
    assert_snapshot!(check("SELECT 1; SELECT 2").await, @"expected one SQL statement, found 2");
    assert_snapshot!(check("SELECT seller_ban, count(*) FROM invoice.header").await, @r#"column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column "invoice.header.seller_ban" must appear in the GROUP BY clause or must be part of an aggregate function, currently only "count(Int64(1))" appears in the SELECT clause satisfies this requirement"#);
    assert_snapshot!(check("SET tithe.compute.backend = tpu").await, @"setting tithe.compute.backend: unknown compute backend 'tpu'; choose auto, cpu or cuda");
    let cuda = check("SET tithe.compute.backend = cuda").await;
    assert!(
        cuda.starts_with("setting tithe.compute.backend: the compute backend cuda was asked for, but "),
        "{cuda}"
    );
    assert_snapshot!(check("SET tithe.json.skip_bad_lines = perhaps").await, @r#"setting tithe.json.skip_bad_lines: "perhaps" is neither true nor false"#);
    assert_snapshot!(check("SELECT sum(seller_ban) FROM invoice.header").await, @"function sum takes Decimal, UInt64, Int64, Float64, Duration or Interval, not String; cast the argument");
    assert_snapshot!(check("SELECT 1 FROM invoice.header WHERE total_amount BETWEEN 1 AND INTERVAL '1 day'").await, @"BETWEEN cannot compare Int64 and Interval(MonthDayNano); cast its three values to one type");
    assert_snapshot!(check("SELECT 1 FROM invoice.header WHERE DATE '2025-01-01' BETWEEN 1 AND true").await, @"BETWEEN cannot compare Date32 and Boolean; cast its three values to one type");
    assert_snapshot!(check("SELECT [total_amount] BETWEEN 1 AND 2 FROM invoice.header").await, @"BETWEEN cannot compare List(Int64) and Int64; cast its three values to one type");
    assert_snapshot!(check("SELECT sum(1) OVER (ORDER BY INTERVAL '1 day' RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM invoice.header").await, @"a window with RANGE cannot be ordered by Interval(MonthDayNano); order it by a number, text, date or time, or write ROWS");
}

#[tokio::test]
async fn failures_while_running() {
    let (_lake, session) = lake().await;
    let check = async |sql: &str| {
        let error = error(&session, sql).await;
        assert_eq!(error.kind(), ErrorKind::Execution, "{sql}: {error}");
        error.to_string()
    };
    assert_snapshot!(check("SELECT total_amount / (total_amount - 1) FROM invoice.header").await, @"division by zero");
    assert_snapshot!(check("SELECT CAST('x' || seller_ban AS BIGINT) FROM invoice.header").await, @"cannot cast string 'x12345675' to value of Int64 type");
}

#[tokio::test]
async fn lakes_that_cannot_be_used() {
    let check = async |lake: &str, kind: ErrorKind| {
        let error = match lake.parse::<LakeLocation>() {
            Ok(location) => {
                let options = EngineOptions { lake: Some(location), ..EngineOptions::default() };
                Engine::open(options).await.unwrap_err()
            }
            Err(error) => error,
        };
        assert_eq!(error.kind(), kind, "{lake}");
        error.to_string()
    };
    assert_snapshot!(check("/no/such/lake", ErrorKind::NotFound).await, @"the lake /no/such/lake/ does not exist: create it with `tithe gen --out /no/such/lake/`, or name another with --lake");
    assert_snapshot!(check("hdfs://name/lake", ErrorKind::Usage).await, @r#"cannot use "hdfs://name/lake" as a lake: hdfs:// cannot be read yet, copy the lake to a directory or an S3-compatible store"#);
    assert_snapshot!(check("ftp://name/lake", ErrorKind::Usage).await, @r#"cannot use "ftp://name/lake" as a lake: scheme ftp:// is not supported, use a directory or s3://"#);
    assert_snapshot!(check("s3:///lake", ErrorKind::Usage).await, @r#"cannot use "s3:///lake" as a lake: it names no bucket, write s3://bucket/prefix"#);
}

#[tokio::test]
async fn messages_carry_no_backtrace_or_prefix() {
    let (_lake, session) = lake().await;
    for sql in [
        "SELECT a FROM invoice.header",
        "SELECT abs('x')",
        "SELECT * FROM invoice.header a JOIN invoice.header b ON a.seller_ban = b.seller_ban WHERE seller_ban = '1'",
        "SELECT 1 UNION SELECT 1, 2",
        "SELECT to_timestamp('nonsense')",
        "DROP TABLE nope",
        "SELECT date '2025-13-01'",
        "EXECUTE nothing",
        "SELECT $1",
        "SELECT (SELECT total_amount FROM invoice.header UNION ALL SELECT 2)",
    ] {
        let message = message(&session, sql).await;
        for noise in [
            "DataFusion error",
            "rror during planning",
            "xecution error",
            "Arrow error",
            "backtrace",
            "chema error",
            "rror:",
        ] {
            assert!(!message.contains(noise), "{sql}: {message}");
        }
    }
}
