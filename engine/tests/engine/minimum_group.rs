//! Attempts to learn of single persons from a table that is seen in groups alone.
//!
//! Every attempt also runs, without a policy, on a copy that holds only what groups may be made of. What is answered
//! must be what the copy answers; and what is refused the copy must answer, so that the policy refused it.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use insta::assert_snapshot;
use prometheus_client::registry::Registry;
use tithe_engine::{Engine, EngineError, EngineOptions, ErrorKind, Principal, Session, SessionOptions};
use tithe_testkit::{coordinator, options_for, workers};

use crate::support::{TestLake, ask, error, int64, message, table, text, value};

/// A row of `tax.filing`; a county, identifier or penalty may be missing.
type Filing = (&'static str, &'static str, i64, i64, Option<i64>);

/// Cells of at least three persons.
const LARGE: [Filing; 14] = [
    ("A1", "KS", 2023, 10, Some(1)),
    ("A1", "KS", 2023, 11, None),
    ("A2", "KS", 2023, 20, Some(2)),
    ("A3", "KS", 2023, 30, Some(3)),
    ("A4", "KS", 2023, 40, None),
    ("A1", "KS", 2024, 12, Some(4)),
    ("A2", "KS", 2024, 22, Some(5)),
    ("A3", "KS", 2024, 32, Some(6)),
    ("A1", "", 2023, 50, Some(7)),
    ("A5", "", 2023, 60, Some(8)),
    ("A6", "", 2023, 70, Some(9)),
    ("C1", "HC", 2023, 80, Some(999)),
    ("C2", "HC", 2023, 90, None),
    ("C3", "HC", 2023, 95, None),
];

/// Cells of fewer: two persons, one with many rows, and rows of nobody.
const SMALL: [Filing; 10] = [
    ("B1", "TP", 2023, 777, Some(1)),
    ("B2", "TP", 2023, 778, Some(2)),
    ("B1", "TP", 2024, 5551, Some(3)),
    ("B1", "TP", 2024, 5552, Some(4)),
    ("B1", "TP", 2024, 5553, Some(5)),
    ("", "HC", 2024, 6661, None),
    ("", "HC", 2024, 6662, None),
    ("", "HC", 2024, 6663, None),
    ("C1", "HC", 2024, 6664, None),
    ("A9", "KS", 2025, 8888, Some(6)),
];

const POLICY: &str = r#"{"tables": [
  {"user": "lin", "schema": "tax", "table": "filing", "privileges": ["SELECT", "INSERT"],
   "minimum_group": {"key": "taxpayer_id", "size": 3, "dimensions": ["county", "year"]}},
  {"user": "lin", "schema": "tax", "table": "second", "privileges": ["SELECT"],
   "minimum_group": {"key": "taxpayer_id", "size": 3, "dimensions": ["county"]}},
  {"user": "lin", "schema": "tax", "table": "county|watched", "privileges": ["SELECT"]},
  {"user": "lin", "schema": "made", "privileges": ["SELECT", "INSERT", "OWNERSHIP"]}
]}"#;

fn filings(lake: &TestLake, rows: &[Filing]) {
    let texts = |of: fn(&Filing) -> &'static str| -> ArrayRef {
        Arc::new(
            rows.iter().map(|row| Some(of(row)).filter(|text| !text.is_empty())).collect::<StringArray>(),
        )
    };
    let penalties = Int64Array::from(rows.iter().map(|row| row.4).collect::<Vec<_>>());
    for name in ["filing", "second"] {
        lake.parquet(
            &format!("tax/{name}/a.parquet"),
            &[
                ("taxpayer_id", texts(|row| row.0)),
                ("county", texts(|row| row.1)),
                ("year", int64(&rows.iter().map(|row| row.2).collect::<Vec<_>>())),
                ("income", int64(&rows.iter().map(|row| row.3).collect::<Vec<_>>())),
                ("penalty", Arc::new(penalties.clone())),
            ],
        );
    }
    lake.parquet(
        "tax/county/a.parquet",
        &[
            ("county", text(&["KS", "KS", "TP", "HC"])),
            ("region", text(&["south", "all", "north", "north"])),
            ("weight", int64(&[1, 2, 3, 4])),
        ],
    );
    lake.parquet(
        "tax/watched/a.parquet",
        &[("taxpayer_id", text(&["A1", "B1"])), ("income", int64(&[10, 777]))],
    );
}

fn whole() -> TestLake {
    let lake = TestLake::new();
    filings(&lake, &[LARGE.as_slice(), &SMALL].concat());
    lake.write("policy.json", POLICY);
    lake
}

/// What groups may be made of: of the one penalty in its cell only that there is none to be told.
fn copy() -> TestLake {
    let lake = TestLake::new();
    filings(&lake, &LARGE.map(|row| (row.0, row.1, row.2, row.3, row.4.filter(|penalty| *penalty != 999))));
    lake
}

async fn open(lake: &TestLake, policy: Option<PathBuf>) -> Result<Arc<Engine>, EngineError> {
    Engine::open(EngineOptions {
        lake: Some(lake.root().to_str().unwrap().parse().unwrap()),
        policy,
        ..EngineOptions::default()
    })
    .await
}

fn session_of(engine: &Arc<Engine>, user: &str) -> Session {
    engine.session_with(Principal::from(user), SessionOptions::default()).unwrap()
}

/// The rows in any order.
fn told(table: &str) -> String {
    let mut lines: Vec<&str> = table.lines().collect();
    lines.sort_unstable();
    if lines.len() <= 4 { "no rows".to_owned() } else { lines.join("\n") }
}

const ANSWERED: &str = "\
SELECT count(*), sum(income), avg(income), count(DISTINCT taxpayer_id), count(taxpayer_id) FROM tax.filing
SELECT county, count(*), sum(income), sum(penalty), avg(penalty), count(penalty) FROM tax.filing GROUP BY county
SELECT county, year, stddev(income), var(income), stddev_pop(income), var_pop(penalty) FROM tax.filing GROUP BY ALL
SELECT county, year, sum(penalty) FROM tax.filing GROUP BY ROLLUP (county, year)
SELECT county, grouping(county), count(*) FROM tax.filing GROUP BY CUBE (county)
SELECT sum(income) FROM tax.filing WHERE county = 'TP'
SELECT sum(income) FROM tax.filing WHERE county <> 'KS'
SELECT sum(income) FROM tax.filing WHERE county IS NULL
SELECT sum(income) FROM tax.filing WHERE year = 2024 AND county = 'HC'
SELECT sum(income) FILTER (WHERE county = 'TP'), count(*) FILTER (WHERE year = 2024) FROM tax.filing
SELECT count(*), sum(penalty) FROM tax.filing WHERE county = 'HC'
SELECT county FROM tax.filing GROUP BY county
SELECT county FROM tax.filing GROUP BY county HAVING sum(income) > 700
SELECT county, sum(income) / count(*) FROM tax.filing GROUP BY county ORDER BY 2 DESC LIMIT 1
SELECT left(county, 1), year % 2, count(*) FROM tax.filing GROUP BY 1, 2
SELECT max(s), min(s), array_agg(s ORDER BY s) FROM (SELECT sum(income) AS s FROM tax.filing GROUP BY county)
SELECT county, s, rank() OVER (ORDER BY s) FROM (SELECT county, sum(income) AS s FROM tax.filing GROUP BY county)
SELECT region, sum(income), sum(weight) FROM tax.filing f JOIN tax.county c ON f.county = c.county GROUP BY region
SELECT region, sum(income) FROM tax.county c JOIN tax.filing f USING (county) WHERE weight > 1 GROUP BY region
SELECT count(*) FROM tax.filing CROSS JOIN tax.county
SELECT count(*) FROM tax.filing f JOIN tax.county c ON f.year > 2023 AND c.weight < 3
WITH f AS (SELECT county AS c, income AS i FROM tax.filing WHERE year = 2023) SELECT c, sum(i) FROM f GROUP BY c
SELECT sum(income) FROM (SELECT * FROM tax.filing) AS f WHERE f.year = 2025
SELECT (SELECT sum(income) FROM tax.filing WHERE county = 'KS') - (SELECT sum(income) FROM tax.filing)
SELECT county, sum(income) FROM tax.filing GROUP BY county UNION ALL SELECT 'x', sum(income) FROM tax.filing
SELECT * FROM tax.county WHERE county IN (SELECT county FROM tax.filing GROUP BY county)
SELECT forecast(year, s, 1) FROM (SELECT year, sum(income) AS s FROM tax.filing WHERE county = 'KS' GROUP BY year)
SELECT sum(f.income) FROM tax.filing f JOIN (SELECT county, avg(income) AS a FROM tax.filing GROUP BY 1) c ON f.county = c.county AND c.a > 30
SELECT count(*) FROM tax.filing WHERE 1 / (year - 2025) = 0
SELECT count(DISTINCT county), count(DISTINCT year) FROM tax.filing
PREPARE p AS SELECT sum(income) FROM tax.filing WHERE county = $1 ;; EXECUTE p('TP')
SELECT count(*) FROM tax.second WHERE county = 'TP'
SELECT column_name FROM information_schema.columns WHERE table_name = 'filing'";

const REFUSED: &str = "\
SELECT * FROM tax.filing
SELECT income FROM tax.filing LIMIT 1
SELECT 1 FROM tax.filing
SELECT county FROM tax.filing
SELECT DISTINCT county FROM tax.filing
SELECT DISTINCT ON (county) income FROM tax.filing
SELECT min(income) FROM tax.filing
SELECT max(income) FROM tax.filing
SELECT county, max(taxpayer_id) FROM tax.filing GROUP BY county
SELECT median(income) FROM tax.filing
SELECT approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY income) FROM tax.filing
SELECT approx_median(income), approx_distinct(income) FROM tax.filing
SELECT array_agg(income) FROM tax.filing
SELECT string_agg(taxpayer_id, ',') FROM tax.filing
SELECT first_value(income) FROM tax.filing
SELECT last_value(income ORDER BY income) FROM tax.filing
SELECT nth_value(income, 2 ORDER BY income) FROM tax.filing
SELECT bit_xor(income), bit_or(income), bit_and(income) FROM tax.filing
SELECT bool_or(income = 777) FROM tax.filing
SELECT corr(income, penalty), covar_pop(income, penalty), regr_slope(income, penalty) FROM tax.filing
SELECT sum(DISTINCT income), count(DISTINCT income) FROM tax.filing
SELECT sum(income ORDER BY income) FROM tax.filing
SELECT forecast(year, income, 1) FROM tax.filing
SELECT sum(CASE WHEN taxpayer_id = 'A1' THEN income ELSE 0 END) FROM tax.filing
SELECT sum(income * income) FROM tax.filing
SELECT sum(1 / (income - 777)) FROM tax.filing
SELECT count(nullif(income, 10)) FROM tax.filing
SELECT sum(income) FILTER (WHERE taxpayer_id = 'A1') FROM tax.filing
SELECT sum(income) FILTER (WHERE income < 11) FROM tax.filing
SELECT sum(income) FROM tax.filing WHERE taxpayer_id <> 'A1'
SELECT sum(income) FROM tax.filing WHERE taxpayer_id IN ('A1', 'A2', 'A3')
SELECT sum(income) FROM tax.filing WHERE income <> 10
SELECT sum(income) FROM tax.filing WHERE county = 'KS' AND penalty IS NOT NULL
SELECT count(*) FROM tax.filing WHERE random() < 0.5
SELECT count(*) FROM tax.filing GROUP BY random()
SELECT taxpayer_id, sum(income) FROM tax.filing GROUP BY taxpayer_id
SELECT income, count(*) FROM tax.filing GROUP BY income
SELECT county, income % 2, count(*) FROM tax.filing GROUP BY county, income % 2
SELECT county, count(*) FROM tax.filing GROUP BY GROUPING SETS ((county), (county, taxpayer_id))
SELECT county, sum(income) FROM tax.filing GROUP BY county HAVING max(income) = 777
SELECT county, sum(income) FROM tax.filing GROUP BY county HAVING bool_or(taxpayer_id = 'A1')
SELECT county, sum(income) FROM tax.filing GROUP BY county ORDER BY min(income)
SELECT sum(income) OVER (PARTITION BY taxpayer_id) FROM tax.filing
SELECT sum(income) OVER () FROM tax.filing
SELECT county, sum(sum(income)) OVER (), max(income) FROM tax.filing GROUP BY county
SELECT sum(f.income) FROM tax.filing f JOIN tax.watched w ON f.taxpayer_id = w.taxpayer_id
SELECT sum(f.income) FROM tax.filing f JOIN tax.watched w USING (income)
SELECT sum(f.income) FROM tax.filing f, (VALUES ('A1')) v(id) WHERE f.taxpayer_id = v.id
SELECT sum(f.income) FROM tax.filing f NATURAL JOIN tax.watched w
SELECT count(*) FROM tax.watched w LEFT JOIN tax.filing f ON f.county = 'KS'
SELECT count(*) FROM tax.county c RIGHT JOIN tax.filing f ON c.county = f.county
SELECT count(*) FROM tax.filing f FULL JOIN tax.county c ON c.county = f.county
SELECT sum(income) FROM tax.filing f LEFT SEMI JOIN tax.county c ON c.county = f.county
SELECT sum(income) FROM tax.filing f LEFT ANTI JOIN tax.county c ON c.county = f.county
SELECT sum(a.income) FROM tax.filing a JOIN tax.filing b ON a.county = b.county
SELECT sum(a.income) FROM tax.filing a JOIN tax.second b ON a.county = b.county
SELECT sum(f.income) FROM tax.filing f, LATERAL (SELECT 1 WHERE f.taxpayer_id = 'A1') l
SELECT sum(income) FROM tax.filing WHERE taxpayer_id IN (SELECT taxpayer_id FROM tax.watched)
SELECT sum(income) FROM tax.filing WHERE county IN (SELECT county FROM tax.county)
SELECT sum(f.income) FROM tax.filing f WHERE f.year < (SELECT count(*) + 2022 FROM tax.watched w WHERE w.taxpayer_id = f.taxpayer_id)
SELECT count(*) FROM tax.filing f JOIN tax.watched w ON f.income > w.income
SELECT sum(f.income) FROM tax.county c JOIN tax.filing f ON c.county = f.county WHERE f.income <> 10
SELECT sum(f.income) FROM tax.filing f JOIN tax.county c ON c.county = f.county WHERE f.income <> 10
SELECT sum(income) FROM tax.filing f WHERE EXISTS (SELECT 1 FROM tax.watched w WHERE w.income = f.income)
SELECT sum(income) FROM tax.filing WHERE income > (SELECT avg(income) FROM tax.filing)
SELECT * FROM tax.watched WHERE taxpayer_id IN (SELECT taxpayer_id FROM tax.filing)
SELECT * FROM tax.watched w WHERE EXISTS (SELECT 1 FROM tax.filing f WHERE f.taxpayer_id = w.taxpayer_id)
SELECT * FROM tax.watched WHERE income = ANY (SELECT income FROM tax.filing)
SELECT w.income, (SELECT sum(f.income) FROM tax.filing f WHERE f.taxpayer_id = w.taxpayer_id) FROM tax.watched w
SELECT c.county, (SELECT sum(f.income) FROM tax.filing f WHERE f.county = c.county) FROM tax.county c
SELECT (SELECT income FROM tax.filing LIMIT 1)
SELECT sum(i) FROM (SELECT income + 0 AS i FROM tax.filing)
SELECT sum(income) FROM (SELECT income FROM tax.filing LIMIT 1)
SELECT sum(income) FROM (SELECT income FROM tax.filing ORDER BY income LIMIT 3)
SELECT sum(income) FROM (SELECT DISTINCT taxpayer_id, income FROM tax.filing)
SELECT sum(income) FROM (SELECT income FROM tax.filing UNION ALL SELECT 0)
SELECT sum(i) FROM (SELECT unnest([income]) AS i FROM tax.filing)
SELECT county, sum(p) FROM (SELECT county, taxpayer_id, sum(income) AS p FROM tax.filing GROUP BY ALL) GROUP BY county
SELECT income FROM tax.filing EXCEPT SELECT 10
SELECT income FROM tax.watched INTERSECT SELECT income FROM tax.filing
SELECT count(*) FROM tax.watched UNION ALL SELECT income FROM tax.filing
WITH f AS (SELECT taxpayer_id AS county, income FROM tax.filing) SELECT county, sum(income) FROM f GROUP BY county
WITH RECURSIVE r AS (SELECT income FROM tax.filing UNION ALL SELECT income + 1 FROM r WHERE income < 0) SELECT count(*) FROM r
SELECT count(*) FROM tax.second WHERE year = 2023
PREPARE p AS SELECT sum(income) FROM tax.filing WHERE taxpayer_id = $1
CREATE TABLE made.rows AS SELECT * FROM tax.filing
CREATE TABLE made.top AS SELECT max(income) FROM tax.filing";

#[tokio::test]
async fn whatever_is_answered_is_made_of_large_cells() {
    let whole = whole();
    let engine = open(&whole, Some(whole.root().join("policy.json"))).await.unwrap();
    make_every_attempt(&engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_workers_too() {
    let whole = whole();
    let workers = workers(whole.root(), 2).await;
    let policy = Some(whole.root().join("policy.json"));
    let engine = coordinator(EngineOptions { policy, ..options_for(whole.root()) }, &workers).await;
    make_every_attempt(&engine).await;
    let mut metrics = Registry::default();
    engine.register_metrics(&mut metrics);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &metrics).unwrap();
    let ran = text.lines().find_map(|line| line.strip_prefix("cluster_queries_total ")).unwrap();
    assert!(ran.parse::<u32>().unwrap() > 15, "only {ran} attempts ran on workers");
}

async fn make_every_attempt(governed: &Arc<Engine>) {
    assert_eq!(governed.policy_problems().await.unwrap(), Vec::<String>::new());
    let copy = copy();
    let free = open(&copy, None).await.unwrap();
    let mut wrong = Vec::new();
    for attempt in ANSWERED.lines() {
        let (governed, free) = (session_of(governed, "lin"), session_of(&free, "lin"));
        let mut answers = (String::new(), String::new());
        for sql in attempt.split(" ;; ") {
            let show = |answer: Result<String, EngineError>| match answer {
                Ok(rows) => told(&rows),
                Err(error) => format!("{:?}: {error}", error.kind()),
            };
            answers = (show(ask(&governed, sql).await), show(ask(&free, sql).await));
        }
        if answers.0 != answers.1 || answers.0.contains("NotAllowed") {
            wrong
                .push(format!("{attempt}\n--- in groups:\n{}\n--- on the copy:\n{}\n", answers.0, answers.1));
        }
    }
    for attempt in REFUSED.lines() {
        let (governed, free) = (session_of(governed, "lin"), session_of(&free, "lin"));
        let refused = match ask(&governed, attempt).await {
            Ok(rows) => format!("answered:\n{rows}"),
            Err(error)
                if error.kind() == ErrorKind::NotAllowed
                    && error.to_string().contains("in groups of at least 3") =>
            {
                String::new()
            }
            Err(error) => format!("{:?}: {error}", error.kind()),
        };
        if !refused.is_empty() {
            wrong.push(format!("{attempt}\n{refused}\n"));
        }
        // A schema to write to is not made by the statement itself.
        if !attempt.starts_with("CREATE")
            && let Err(error) = ask(&free, attempt).await
        {
            wrong.push(format!("{attempt}\nproves nothing, for the copy refuses it as well: {error}\n"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        ANSWERED.lines().count() + REFUSED.lines().count(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn a_refusal_says_what_is_allowed() {
    let lake = whole();
    let lin = session_of(&open(&lake, Some(lake.root().join("policy.json"))).await.unwrap(), "lin");
    assert_snapshot!(message(&lin, "SELECT max(income) FROM tax.filing").await, @"this way of reading tax.filing is not allowed: max may tell a single value; the policy shows it in groups of at least 3 alone: take count, sum, avg, stddev or var of its columns, or count(DISTINCT taxpayer_id), with conditions, joins and groups on county, year alone");
    assert_snapshot!(message(&lin, "SELECT sum(income) FROM tax.filing WHERE taxpayer_id = 'A1'").await, @"this way of reading tax.filing is not allowed: a condition looks at taxpayer_id; the policy shows it in groups of at least 3 alone: take count, sum, avg, stddev or var of its columns, or count(DISTINCT taxpayer_id), with conditions, joins and groups on county, year alone");
    assert_snapshot!(message(&lin, "SELECT * FROM tax.filing").await, @"this way of reading tax.filing is not allowed: its rows are not shown; the policy shows it in groups of at least 3 alone: take count, sum, avg, stddev or var of its columns, or count(DISTINCT taxpayer_id), with conditions, joins and groups on county, year alone");
    for sql in [
        "EXPLAIN SELECT count(*) FROM tax.filing",
        "EXPLAIN ANALYZE SELECT count(*) FROM tax.filing",
        "COPY (SELECT count(*) FROM tax.filing) TO 'x.parquet'",
        "CREATE VIEW v AS SELECT * FROM tax.filing",
        "INSERT INTO tax.filing SELECT 'A1', 'TP', 2023, 0, 1",
    ] {
        let refused = error(&lin, sql).await;
        assert_eq!(refused.kind(), ErrorKind::NotAllowed, "{sql}: {refused}");
    }
}

#[tokio::test]
async fn what_is_written_of_a_table_in_groups_are_groups() {
    let lake = whole();
    let lin = session_of(&open(&lake, Some(lake.root().join("policy.json"))).await.unwrap(), "lin");
    table(
        &lin,
        "CREATE TABLE made.county AS SELECT county, sum(income) AS s FROM tax.filing GROUP BY county",
    )
    .await;
    assert_eq!(value(&lin, "SELECT sum(s) FROM made.county").await, "622");
    let rows = "INSERT INTO made.county SELECT county, income FROM tax.filing";
    assert_eq!(error(&lin, rows).await.kind(), ErrorKind::NotAllowed);
}

/// The filters of rule and tenant come first; the key is counted as it is stored, and a dimension as it is shown.
#[tokio::test]
async fn filters_masks_and_tenants_hold_below_the_groups() {
    let lake = whole();
    lake.write(
        "policy.json",
        r#"{
          "tenants": [{"user": "lin", "table": "filing", "filter": "year = 2023"}],
          "tables": [{"user": "lin", "table": "filing", "privileges": ["SELECT"], "filter": "income <> 40",
            "minimum_group": {"key": "taxpayer_id", "size": 3, "dimensions": ["county", "year"]},
            "columns": [{"name": "taxpayer_id", "mask": "'X'"},
                        {"name": "county", "mask": "CASE WHEN county IN ('TP', 'HC') THEN 'north' ELSE county END"},
                        {"name": "year", "allow": false}, {"name": "penalty", "mask": "penalty * 10"}]}]
        }"#,
    );
    let engine = open(&lake, Some(lake.root().join("policy.json"))).await.unwrap();
    assert_eq!(engine.policy_problems().await.unwrap(), Vec::<String>::new());
    let lin = session_of(&engine, "lin");
    let sql = "SELECT county, count(*) AS rows, count(DISTINCT taxpayer_id) AS keys, sum(income) AS income, \
               sum(penalty) AS penalty FROM tax.filing GROUP BY county ORDER BY county";
    assert_snapshot!(table(&lin, sql).await, @r#"
    +--------+------+------+--------+---------+
    | county | rows | keys | income | penalty |
    +--------+------+------+--------+---------+
    | KS     | 4    | 1    | 71     | 60      |
    | north  | 5    | 1    | 1820   | 10020   |
    |        | 3    | 1    | 180    | 240     |
    +--------+------+------+--------+---------+
    "#);
    assert_eq!(
        error(&lin, "SELECT sum(income) FROM tax.filing WHERE year = 2023").await.kind(),
        ErrorKind::NotFound
    );
    let access = engine.access("lin", "tax", "filing").await.unwrap().unwrap();
    assert_snapshot!(access.minimum_group.unwrap().to_string(), @"at least 3 of taxpayer_id in each combination of county, year");
}

#[tokio::test]
async fn a_rule_that_cannot_be_meant_is_refused() {
    let lake = whole();
    let refused = async |group: &str| {
        lake.write(
            "policy.json",
            format!(
                r#"{{"tables": [{{"table": "filing", "privileges": ["SELECT"], "minimum_group": {group}}}]}}"#
            ),
        );
        match open(&lake, Some(lake.root().join("policy.json"))).await {
            Err(error) => error
                .to_string()
                .replace(&lake.root().join("policy.json").display().to_string(), "policy.json"),
            Ok(engine) => {
                let shown = error(&session_of(&engine, "lin"), "SELECT count(*) FROM tax.filing").await;
                assert_eq!(shown.kind(), ErrorKind::NotAllowed, "{group}");
                engine.policy_problems().await.unwrap().join("\n")
            }
        }
    };
    assert_snapshot!(refused(r#"{"key": "taxpayer_id", "size": 2}"#).await, @"policy.json: tables, entry 1: minimum_group has the size 2, and 3 is the smallest: of two, each knows the other");
    assert_snapshot!(refused(r#"{"key": "taxpayer_id", "size": -3}"#).await, @"policy.json: invalid value: integer `-3`, expected u32 at line 1 column 108");
    assert_snapshot!(refused(r#"{"key": "taxpayer_id"}"#).await, @"policy.json: missing field `size` at line 1 column 97");
    assert_snapshot!(refused(r#"{"key": "year", "size": 3, "dimensions": ["year"]}"#).await, @r#"policy.json: tables, entry 1: minimum_group has its key "year" among its dimensions"#);
    assert_snapshot!(refused(r#"{"key": "taxpayer_id", "size": 3, "dimensions": ["year", "year"]}"#).await, @r#"policy.json: tables, entry 1: minimum_group has the dimension "year" twice"#);
    assert_snapshot!(refused(r#"{"key": "taxpayer", "size": 3}"#).await, @r#"tables, entry 1: tax.filing: minimum_group has the key "taxpayer", and there is no such column"#);
    assert_snapshot!(refused(r#"{"key": "taxpayer_id", "size": 3, "dimensions": ["bureau"]}"#).await, @r#"tables, entry 1: tax.filing: minimum_group has the dimension "bureau", and there is no such column"#);
}

/// A query may tell 0.0 from -0.0, which stand in one cell.
#[tokio::test]
async fn a_dimension_is_of_a_type_whose_equal_values_are_the_same() {
    let lake = TestLake::new();
    let rates: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![0.0, 0.0, -0.0]));
    lake.parquet("tax/rate/a.parquet", &[("id", int64(&[1, 2, 3])), ("rate", rates)]);
    lake.write(
        "policy.json",
        r#"{"tables": [{"privileges": ["SELECT"], "minimum_group": {"key": "id", "size": 3, "dimensions": ["rate"]}}]}"#,
    );
    let engine = open(&lake, Some(lake.root().join("policy.json"))).await.unwrap();
    assert_snapshot!(engine.policy_problems().await.unwrap().join("\n"), @r#"tables, entry 1: tax.rate: minimum_group has the dimension "rate", which is Float64, and must be text, whole numbers, decimals, dates, times and booleans"#);
}

#[tokio::test]
async fn a_scan_for_personal_data_says_why_it_looks_at_nothing() {
    let lake = whole();
    let engine = open(&lake, Some(lake.root().join("policy.json"))).await.unwrap();
    let lin = session_of(&engine, "lin");
    let refused = lin.scan("tax", "filing", 100).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotAllowed);
    assert_snapshot!(refused.to_string(), @"scanning tax.filing is not allowed: a scan looks at single values, and the policy shows it to lin in groups of at least 3 alone; let somebody scan it who sees its rows");
    assert!(lin.scan("tax", "watched", 100).await.is_ok());
}

/// A cell of enough persons of whom one alone, or two, have a value; and a key that could be summed.
#[tokio::test]
async fn a_value_of_few_is_no_value_however_often_they_have_it() {
    let lake = TestLake::new();
    let fines =
        [Some(501), Some(502), Some(503), None, None, Some(7), Some(8), None, Some(1), Some(2), Some(4)];
    lake.parquet(
        "tax/fine/a.parquet",
        &[
            ("id", int64(&[1, 1, 1, 2, 3, 1, 2, 3, 1, 2, 3])),
            ("county", text(&["HL", "HL", "HL", "HL", "HL", "TT", "TT", "TT", "KS", "KS", "KS"])),
            ("fine", Arc::new(Int64Array::from(fines.to_vec())) as ArrayRef),
        ],
    );
    lake.write(
        "policy.json",
        r#"{"tables": [{"user": "lin", "schema": "tax", "privileges": ["SELECT"],
            "minimum_group": {"key": "id", "size": 3, "dimensions": ["county"]}}]}"#,
    );
    let engine = open(&lake, Some(lake.root().join("policy.json"))).await.unwrap();
    let lin = session_of(&engine, "lin");
    let told =
        table(&lin, "SELECT county, sum(fine), count(fine), count(*) FROM tax.fine GROUP BY 1 ORDER BY 1")
            .await;
    assert_snapshot!(told, @r#"
    +--------+--------------------+----------------------+----------+
    | county | sum(tax.fine.fine) | count(tax.fine.fine) | count(*) |
    +--------+--------------------+----------------------+----------+
    | HL     |                    | 0                    | 5        |
    | KS     | 7                  | 3                    | 3        |
    | TT     |                    | 0                    | 3        |
    +--------+--------------------+----------------------+----------+
    "#);
    assert_eq!(value(&lin, "SELECT count(id) + count(DISTINCT id) FROM tax.fine").await, "14");
    for sum in ["SELECT sum(id) FROM tax.fine", "SELECT avg(id) FROM tax.fine"] {
        let refused = error(&lin, sum).await.to_string();
        assert!(refused.contains("its key is only counted"), "{sum}: {refused}");
    }
}
