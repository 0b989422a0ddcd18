//! Attempts to see a row, a value or a name that the policy forbids.
//!
//! Every attempt runs on a lake under a policy and on a copy that holds only what the policy permits. Both must give
//! the same answer, or the same error: then the forbidden part has made no difference.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use prometheus_client::registry::Registry;
use tithe_engine::{Engine, EngineError, EngineOptions, ErrorKind, Principal, Session, SessionOptions};
use tithe_testkit::{coordinator, options_for, workers};

use crate::support::{TestLake, ask, int64, text};

/// Values and names that nobody in these tests may see: never part of an attempt, never of an answer.
const FORBIDDEN: [&str; 6] = ["王大明", "A123456789", "B234567890", "hush", "庫存", "whistleblower"];

const POLICY: &str = r#"{
  "groups": [{"group": "kaohsiung", "users": ["lin"]}],
  "tenants": [{"group": "kaohsiung", "schema": "tax", "table": "taxpayer", "filter": "bureau = 'KS'"}],
  "tags": [{"tag": "pii.id", "table": "taxpayer", "column": "taxpayer_id"}, {"tag": "secret.note", "column": "remark"}],
  "tables": [
    {"user": "lin", "schema": "tax", "table": "taxpayer", "privileges": ["SELECT"],
     "filter": "income <> 31",
     "columns": [{"tag": "pii.id", "mask": "'X' || right(taxpayer_id, 2)"}]},
    {"user": "lin", "schema": "tax", "table": "open", "privileges": ["SELECT"]},
    {"user": "lin", "schema": "tax", "table": "monthly", "privileges": ["SELECT"], "filter": "period < '11403'"}
  ]
}"#;

/// Texts, NULL where there is nothing.
fn nullable(values: &[&str]) -> ArrayRef {
    Arc::new(values.iter().map(|text| (!text.is_empty()).then_some(*text)).collect::<StringArray>())
}

/// Everything, the forbidden part included.
fn whole() -> TestLake {
    let lake = TestLake::new();
    let identifiers =
        ["A123456701", "A123456702", "A123456789", "B234567890", "B234567803", "B234567804", ""];
    lake.parquet(
        "tax/taxpayer/a.parquet",
        &[
            ("taxpayer_id", nullable(&identifiers)),
            ("name", nullable(&["陳一", "", "王大明", "王大明", "李三", "whistleblower", "趙四"])),
            ("bureau", text(&["KS", "KS", "TP", "TP", "KS", "KS", "KS"])),
            ("income", int64(&[10, 20, 0, 999, 30, 31, 40])),
            ("remark", text(&["hush 1", "hush 2", "hush 3", "hush 4", "hush 5", "hush 6", "hush 7"])),
        ],
    );
    lake.parquet("tax/hidden/a.parquet", &[("庫存", int64(&[1, 2])), ("income", int64(&[3, 4]))]);
    lake.numbers("vault/gold/a.parquet", &[79]);
    open_tables(&lake);
    for (period, values) in [("11401", [1, 2]), ("11402", [3, 4]), ("11403", [500, 0])] {
        lake.numbers(&format!("tax/monthly/period={period}/a.parquet"), &values);
    }
    lake.write("policy.json", POLICY);
    lake
}

/// What `lin` may see of it.
fn permitted() -> TestLake {
    let lake = TestLake::new();
    lake.parquet(
        "tax/taxpayer/a.parquet",
        &[
            ("taxpayer_id", nullable(&["X01", "X02", "X03", ""])),
            ("name", nullable(&["陳一", "", "李三", "趙四"])),
            ("bureau", text(&["KS", "KS", "KS", "KS"])),
            ("income", int64(&[10, 20, 30, 40])),
        ],
    );
    open_tables(&lake);
    for (period, values) in [("11401", [1, 2]), ("11402", [3, 4])] {
        lake.numbers(&format!("tax/monthly/period={period}/a.parquet"), &values);
    }
    lake
}

fn open_tables(lake: &TestLake) {
    lake.parquet(
        "tax/open/a.parquet",
        &[("taxpayer_id", text(&["A123456701", "B234567803", "C000000000"])), ("month", int64(&[1, 2, 3]))],
    );
}

async fn lin(lake: &TestLake, policy: Option<&Path>) -> Session {
    let options = EngineOptions {
        lake: Some(lake.root().to_str().unwrap().parse().unwrap()),
        policy: policy.map(Path::to_path_buf),
        ..EngineOptions::default()
    };
    let engine = Engine::open(options).await.unwrap();
    session_of_lin(&engine).await
}

async fn session_of_lin(engine: &Arc<Engine>) -> Session {
    assert_eq!(engine.policy_problems().await.unwrap(), Vec::<String>::new());
    let principal = Principal::from("lin");
    engine.session_with(principal, SessionOptions { read_only: true, ..SessionOptions::default() }).unwrap()
}

/// The rows in any order: none is promised without ORDER BY.
fn told(answer: &Result<String, EngineError>) -> String {
    match answer {
        Ok(table) => {
            let mut lines: Vec<&str> = table.lines().collect();
            // Without rows there may be a batch that shows the columns, or none.
            if lines.len() <= 4 {
                return "no rows".to_owned();
            }
            lines.sort_unstable();
            lines.join("\n")
        }
        Err(error) => format!("{:?}: {error}", error.kind()),
    }
}

/// One attempt a line; what stands before ` ;; ` on a line is run first.
const ATTEMPTS: &str = "\
SELECT * FROM tax.taxpayer
TABLE tax.taxpayer
SELECT remark FROM tax.taxpayer
SELECT t.remark FROM tax.taxpayer t
SELECT tax.taxpayer.remark FROM tax.taxpayer
SELECT tithe.tax.taxpayer.remark FROM tithe.tax.taxpayer
SELECT \"remark\" FROM tax.\"taxpayer\"
SELECT remarks FROM tax.taxpayer
SELECT name FROM tax.taxpayer WHERE remark IS NOT NULL
SELECT name FROM tax.taxpayer ORDER BY remark
SELECT count(remark) FROM tax.taxpayer
SELECT arrow_typeof(remark) FROM tax.taxpayer
SELECT * EXCEPT (name) FROM tax.taxpayer
SELECT * REPLACE (remark AS name) FROM tax.taxpayer
SELECT count(*) FROM tax.taxpayer
SELECT count(*), count(name), count(1) FROM tax.taxpayer
SELECT min(income), max(income), sum(income), avg(income) FROM tax.taxpayer
SELECT min(taxpayer_id), max(taxpayer_id), min(name), max(name) FROM tax.taxpayer
SELECT approx_distinct(name), median(income), stddev(income) FROM tax.taxpayer
SELECT array_agg(name ORDER BY name), string_agg(taxpayer_id, ',' ORDER BY taxpayer_id) FROM tax.taxpayer
SELECT struct(t.*) FROM tax.taxpayer t
SELECT unnest(array_agg(income)) FROM tax.taxpayer
SELECT count(*) FILTER (WHERE bureau = 'TP') FROM tax.taxpayer
SELECT name FROM tax.taxpayer WHERE bureau = 'TP'
SELECT name FROM tax.taxpayer WHERE bureau = 'TP' OR true
SELECT name FROM tax.taxpayer WHERE NOT (bureau = 'KS')
SELECT name FROM tax.taxpayer WHERE NOT (bureau = 'KS') OR income IN (0, 31, 999)
SELECT name FROM tax.taxpayer WHERE income BETWEEN 31 AND 2000
SELECT name FROM tax.taxpayer WHERE income = 999 OR name IS NULL
SELECT name FROM tax.taxpayer WHERE bureau LIKE 'T%'
SELECT name FROM tax.taxpayer WHERE taxpayer_id LIKE 'A%'
SELECT name FROM tax.taxpayer WHERE taxpayer_id = 'A123456701'
SELECT name FROM tax.taxpayer WHERE taxpayer_id IN ('A123456701', 'X01')
SELECT name FROM tax.taxpayer WHERE regexp_like(taxpayer_id, '^[AB]')
SELECT name FROM tax.taxpayer WHERE taxpayer_id > 'W'
SELECT name FROM tax.taxpayer WHERE length(taxpayer_id) = 10
SELECT name FROM tax.taxpayer WHERE 1 / income = 1
SELECT name FROM tax.taxpayer WHERE 1 / (income - 999) = 1
SELECT name FROM tax.taxpayer WHERE 1 / (income - 31) = 1 AND bureau = 'KS'
SELECT name FROM tax.taxpayer WHERE bureau = 'TP' AND 1 / (income - 999) = 1
SELECT name FROM tax.taxpayer WHERE CASE WHEN income = 999 THEN 1 / (income - 999) ELSE 1 END = 1
SELECT 1 / income FROM tax.taxpayer
SELECT sum(1 / (income - 999)) FROM tax.taxpayer
SELECT name FROM tax.taxpayer WHERE arrow_cast(name, 'Int64') = 1 AND bureau = 'TP'
SELECT CAST(name AS BIGINT) FROM tax.taxpayer WHERE name = '李三'
SELECT CAST(taxpayer_id AS BIGINT) FROM tax.taxpayer WHERE income = 10
SELECT count(*) FROM tax.taxpayer WHERE income / (income - 999) > random() - 5
SELECT name FROM tax.taxpayer LIMIT 10 OFFSET 3
SELECT name FROM tax.taxpayer ORDER BY income DESC LIMIT 1
SELECT income FROM tax.taxpayer ORDER BY income LIMIT 1
SELECT DISTINCT bureau FROM tax.taxpayer
SELECT DISTINCT ON (bureau) bureau FROM tax.taxpayer
SELECT bureau, count(*) FROM tax.taxpayer GROUP BY bureau
SELECT bureau, sum(income) FROM tax.taxpayer GROUP BY ROLLUP (bureau)
SELECT bureau FROM tax.taxpayer GROUP BY bureau HAVING sum(income) > 500
SELECT name, rank() OVER (ORDER BY income), count(*) OVER () FROM tax.taxpayer
SELECT name, lag(income) OVER (ORDER BY income), lead(name) OVER (ORDER BY income) FROM tax.taxpayer
SELECT a.name, b.name FROM tax.taxpayer a JOIN tax.taxpayer b ON a.bureau <> b.bureau
SELECT a.income FROM tax.taxpayer a CROSS JOIN tax.taxpayer b
SELECT o.taxpayer_id, t.name FROM tax.open o JOIN tax.taxpayer t ON o.taxpayer_id = t.taxpayer_id
SELECT * FROM tax.open o NATURAL JOIN tax.taxpayer t
SELECT * FROM tax.open o JOIN tax.taxpayer t USING (remark)
SELECT * FROM (VALUES ('TP'), ('KS')) v(b) LEFT JOIN tax.taxpayer t ON t.bureau = v.b
SELECT * FROM tax.taxpayer t FULL JOIN (VALUES (999), (31), (0)) v(i) ON t.income = v.i
SELECT * FROM (VALUES (999), (31)) v(i) WHERE EXISTS (SELECT 1 FROM tax.taxpayer t WHERE t.income = v.i)
SELECT * FROM (VALUES (999), (10)) v(i) WHERE i NOT IN (SELECT income FROM tax.taxpayer)
SELECT * FROM (VALUES (999), (10)) v(i) WHERE i = ANY (SELECT income FROM tax.taxpayer)
SELECT (SELECT max(income) FROM tax.taxpayer), (SELECT count(*) FROM tax.taxpayer WHERE bureau = 'TP')
SELECT o.month, l.name FROM tax.open o, LATERAL (SELECT name FROM tax.taxpayer t WHERE t.income > o.month * 10) l
WITH t AS (SELECT * FROM tax.taxpayer) SELECT * FROM t WHERE bureau <> 'KS'
WITH RECURSIVE r AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM r WHERE n < (SELECT count(*) FROM tax.taxpayer)) SELECT max(n) FROM r
SELECT income FROM tax.taxpayer UNION ALL SELECT month FROM tax.open
SELECT income FROM tax.taxpayer INTERSECT SELECT * FROM (VALUES (999), (31), (10)) v
SELECT * FROM (VALUES (999), (31), (10)) v EXCEPT SELECT income FROM tax.taxpayer
SELECT forecast(income, income, 2) FROM tax.taxpayer
SELECT backtest(income, income, 1) FROM tax.taxpayer
SELECT nowcast(income, income, income) FROM tax.taxpayer
SELECT forecast_explain(income, income, 1)['parameters'] FROM tax.taxpayer
SELECT * FROM ai_forecast(TABLE(tax.taxpayer), data_col => 'income', timestamp_col => 'income', horizon => 1)
SELECT * FROM ai_forecast(TABLE(tax.hidden), data_col => 'income', timestamp_col => 'income', horizon => 1)
SELECT * FROM ai_forecast((SELECT remark, income FROM tax.taxpayer), data_col => 'income', timestamp_col => 'income', horizon => 1)
SELECT pii_find(name), tw_id_valid(taxpayer_id) FROM tax.taxpayer
SELECT * FROM tax.hidden
SELECT * FROM tithe.tax.hidden
SELECT 1 FROM tax.hidden LIMIT 0
SELECT * FROM tax.hiden
SELECT * FROM hidden
SELECT * FROM vault.gold
SELECT * FROM vault.nothing
SELECT * FROM gold
SET datafusion.catalog.default_schema = 'tax' ;; SELECT * FROM hidden
SET datafusion.catalog.default_schema = 'tax' ;; SELECT * FROM taxpayer
SET datafusion.catalog.default_schema = 'vault' ;; SELECT * FROM gold
SHOW TABLES
SHOW COLUMNS FROM tax.taxpayer
SHOW COLUMNS FROM tax.hidden
SHOW CREATE TABLE tax.taxpayer
DESCRIBE tax.taxpayer
DESCRIBE tax.hidden
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM information_schema.schemata
SELECT * FROM information_schema.views
PREPARE p AS SELECT remark FROM tax.taxpayer
PREPARE p AS SELECT name FROM tax.taxpayer WHERE bureau = $1 ;; EXECUTE p('TP')
PREPARE p AS SELECT name FROM tax.taxpayer WHERE 1 / (income - $1) = 1 ;; EXECUTE p(999)
CREATE VIEW v AS SELECT * FROM tax.taxpayer ;; SELECT * FROM v
CREATE TABLE v AS SELECT * FROM tax.hidden ;; SELECT * FROM v
INSERT INTO tax.taxpayer SELECT * FROM tax.taxpayer
UPDATE tax.taxpayer SET name = remark
DELETE FROM tax.taxpayer WHERE income = 999
SET datafusion.optimizer.max_passes = 0
SELECT n, period FROM tax.monthly
SELECT count(*), min(n), max(n) FROM tax.monthly
SELECT DISTINCT period FROM tax.monthly
SELECT n FROM tax.monthly WHERE period = '11403'
SELECT n FROM tax.monthly WHERE period >= '11402' OR n = 500
SELECT n FROM tax.monthly WHERE 1 / n = 1
SELECT max(period) FROM tax.monthly
SELECT n FROM tax.monthly ORDER BY n DESC LIMIT 1";

#[tokio::test]
async fn what_is_forbidden_makes_no_difference() {
    let whole = whole();
    let policy = whole.root().join("policy.json");
    make_every_attempt(async || lin(&whole, Some(&policy)).await).await;
}

/// The files are read, filtered and masked on two workers, which know no policy: the border travels with its filters
/// and masks.
#[tokio::test(flavor = "multi_thread")]
async fn nor_on_workers() {
    let whole = whole();
    let workers = workers(whole.root(), 2).await;
    let policy = Some(whole.root().join("policy.json"));
    let options = EngineOptions { policy, ..options_for(whole.root()) };
    let engine = coordinator(options, &workers).await;
    make_every_attempt(async || session_of_lin(&engine).await).await;
    let mut metrics = Registry::default();
    engine.register_metrics(&mut metrics);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &metrics).unwrap();
    let ran = text.lines().find_map(|line| line.strip_prefix("cluster_queries_total ")).unwrap();
    assert!(ran.parse::<u32>().unwrap() > 20, "only {ran} attempts ran on workers");
}

/// With a new session of `governed` for each, against one on a lake without what is forbidden.
async fn make_every_attempt(governed: impl AsyncFn() -> Session) {
    let copy = permitted();
    let attempts: Vec<&str> = ATTEMPTS.lines().collect();
    assert!(attempts.len() >= 100, "{} attempts", attempts.len());
    let mut told_apart = Vec::new();
    let mut answered = 0;
    for attempt in attempts {
        let (governed, free) = (governed().await, lin(&copy, None).await);
        let mut answers =
            (Err(EngineError::StatementCount { found: 0 }), Err(EngineError::StatementCount { found: 0 }));
        for sql in attempt.split(" ;; ") {
            answers = (ask(&governed, sql).await, ask(&free, sql).await);
        }
        let (governed, free) = (told(&answers.0), told(&answers.1));
        answered += usize::from(answers.0.is_ok());
        let shows =
            FORBIDDEN.iter().find(|secret| governed.contains(**secret) && !attempt.contains(**secret));
        if governed != free || shows.is_some() {
            told_apart
                .push(format!("{attempt}\n--- under the policy:\n{governed}\n--- on the copy:\n{free}\n"));
        }
    }
    assert!(told_apart.is_empty(), "{}", told_apart.join("\n"));
    assert!(answered > 70, "only {answered} attempts were answered: the others prove little");
}

#[tokio::test]
async fn what_would_show_rules_is_refused() {
    let lake = whole();
    let policy = lake.root().join("policy.json");
    let elsewhere = lake.path("out/x.parquet").display().to_string();
    let session = lin(&lake, Some(&policy)).await;
    for sql in [
        "EXPLAIN SELECT name FROM tax.taxpayer".to_owned(),
        "EXPLAIN VERBOSE SELECT name FROM tax.taxpayer".to_owned(),
        "EXPLAIN FORMAT INDENT SELECT count(*) FROM tax.monthly".to_owned(),
        "EXPLAIN ANALYZE SELECT name FROM tax.taxpayer".to_owned(),
        "EXPLAIN ANALYZE SELECT (SELECT count(*) FROM tax.taxpayer)".to_owned(),
        format!("COPY tax.taxpayer TO '{elsewhere}'"),
        format!("COPY (SELECT * FROM tax.open) TO '{elsewhere}'"),
        format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{}/tax/hidden/'", lake.root().display()),
    ] {
        let error = ask(&session, &sql).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAllowed, "{sql}: {error}");
        let shown = error.to_string();
        assert!(FORBIDDEN.iter().all(|secret| !shown.contains(secret)), "{sql}: {shown}");
    }
    ask(&session, "EXPLAIN SELECT month FROM tax.open").await.unwrap();
    let files = format!("SELECT * FROM '{}/tax/hidden/a.parquet'", lake.root().display());
    assert_eq!(ask(&session, &files).await.unwrap_err().kind(), ErrorKind::NotFound);
}
