//! What a policy file says, and when it holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use datafusion::scalar::ScalarValue;
use insta::assert_snapshot;
use tithe_engine::{Engine, EngineError, EngineOptions, ErrorKind, Principal, Session};

use crate::support::{TestLake, ask, error, int64, table, text, value};

/// `tax.taxpayer` of three bureaus, and `tax.rate`.
fn lake() -> TestLake {
    let lake = TestLake::new();
    lake.parquet(
        "tax/taxpayer/a.parquet",
        &[
            ("taxpayer_id", text(&["A1", "B2", "C3"])),
            ("name", text(&["陳一", "李二", "王三"])),
            ("bureau", text(&["KS", "TP", "KS"])),
            ("income", int64(&[10, 20, 30])),
        ],
    );
    lake.numbers("tax/rate/a.parquet", &[5]);
    lake
}

async fn open(lake: &TestLake, policy: &str) -> Result<Arc<Engine>, EngineError> {
    lake.write("policy.json", policy);
    let options = EngineOptions {
        lake: Some(lake.root().to_str().unwrap().parse().unwrap()),
        policy: Some(policy_path(lake)),
        ..EngineOptions::default()
    };
    Engine::open(options).await
}

fn policy_path(lake: &TestLake) -> PathBuf {
    lake.root().join("policy.json")
}

fn session_of(engine: &Arc<Engine>, user: &str) -> Session {
    engine.session(Principal::from(user)).unwrap()
}

async fn as_user(lake: &TestLake, policy: &str, user: &str) -> Session {
    session_of(&open(lake, policy).await.unwrap(), user)
}

#[tokio::test]
async fn nothing_is_permitted_that_no_rule_permits() {
    let lake = lake();
    for policy in [
        "{}",
        r#"{"tables": []}"#,
        r#"{"tables": [{"user": "wang", "privileges": ["SELECT"]}]}"#,
        r#"{"tables": [{"privileges": []}, {"privileges": ["SELECT"]}]}"#,
        r#"{"tables": [{"privileges": ["INSERT", "OWNERSHIP"]}]}"#,
        r#"{"tables": [{"user": "li", "privileges": ["SELECT"]}]}"#,
        r#"{"tables": [{"user": "LIN", "privileges": ["SELECT"]}]}"#,
        r#"{"tables": [{"group": ".*", "privileges": ["SELECT"]}]}"#,
        r#"{"tables": [{"role": ".*", "privileges": ["SELECT"]}]}"#,
    ] {
        let session = as_user(&lake, policy, "lin").await;
        let denied = error(&session, "SELECT n FROM tax.rate").await;
        assert_eq!(denied.kind(), ErrorKind::NotFound, "{policy}: {denied}");
        assert_eq!(session.tables().await.unwrap(), [], "{policy}");
        assert_eq!(value(&session, "SELECT 1").await, "1");
    }
}

#[tokio::test]
async fn the_first_rule_that_matches_decides() {
    let lake = lake();
    let policy = r#"{
      "groups": [{"group": "audit", "users": ["wu"]}],
      "roles": [{"role": "analyst", "users": ["lin"], "groups": ["audit"]}],
      "tables": [
        {"user": "chen", "privileges": []},
        {"group": "audit", "schema": "tax", "privileges": ["SELECT"]},
        {"role": "analyst", "schema": "tax", "table": "taxpayer", "privileges": ["SELECT"], "filter": "income > 15"},
        {"schema": "tax", "table": "rate", "privileges": ["SELECT"]}
      ]
    }"#;
    let engine = open(&lake, policy).await.unwrap();
    let count = async |user: &str, from: &str| {
        let answer = ask(&session_of(&engine, user), &format!("SELECT count(*) FROM tax.{from}")).await;
        answer.map(|table| table.lines().nth(3).unwrap().trim_matches(['|', ' ']).to_owned()).ok()
    };
    assert_eq!(count("chen", "taxpayer").await, None);
    assert_eq!(count("chen", "rate").await, None);
    assert_eq!(count("wu", "taxpayer").await.as_deref(), Some("3"));
    assert_eq!(count("lin", "taxpayer").await.as_deref(), Some("2"));
    assert_eq!(count("lin", "rate").await.as_deref(), Some("1"));
    assert_eq!(count("anybody", "taxpayer").await, None);
    assert_eq!(count("anybody", "rate").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn columns_are_shown_masked_or_hidden_and_tagged_ones_hidden_unless_named() {
    let lake = lake();
    let policy = r#"{
      "tags": [
        {"tag": "pii.id", "schema": "tax", "column": ".*_id"},
        {"tag": "pii.name", "column": "name"},
        {"tag": "secret.tax", "table": "taxpayer", "column": "income"}
      ],
      "tables": [
        {"user": "plain", "schema": "tax", "privileges": ["SELECT"]},
        {"user": "masked", "schema": "tax", "privileges": ["SELECT"], "columns": [
            {"name": "income", "mask": "income / 10 * 10"},
            {"tag": "pii\\..*", "mask": "concat(current_user, '/', left(bureau, 1))"},
            {"name": "bureau", "mask": "'(' || bureau || ')'"}]},
        {"user": "validator", "schema": "tax", "privileges": ["SELECT"], "columns": [{"tag": ".*"}]}
      ]
    }"#;
    let engine = open(&lake, policy).await.unwrap();
    assert_eq!(engine.policy_problems().await.unwrap(), Vec::<String>::new());
    let all = "SELECT * FROM tax.taxpayer ORDER BY bureau";
    assert_snapshot!(table(&session_of(&engine, "plain"), all).await, @r#"
    +--------+
    | bureau |
    +--------+
    | KS     |
    | KS     |
    | TP     |
    +--------+
    "#);
    assert_snapshot!(table(&session_of(&engine, "masked"), all).await, @r#"
    +-------------+----------+--------+--------+
    | taxpayer_id | name     | bureau | income |
    +-------------+----------+--------+--------+
    | masked/K    | masked/K | (KS)   | 10     |
    | masked/K    | masked/K | (KS)   | 30     |
    | masked/T    | masked/T | (TP)   | 20     |
    +-------------+----------+--------+--------+
    "#);
    assert_snapshot!(table(&session_of(&engine, "validator"), all).await, @r#"
    +-------------+------+--------+--------+
    | taxpayer_id | name | bureau | income |
    +-------------+------+--------+--------+
    | A1          | 陳一 | KS     | 10     |
    | C3          | 王三 | KS     | 30     |
    | B2          | 李二 | TP     | 20     |
    +-------------+------+--------+--------+
    "#);
    // A rule for many tables does not have to fit those that have no such column.
    assert_eq!(value(&session_of(&engine, "masked"), "SELECT n FROM tax.rate").await, "5");
}

#[tokio::test]
async fn a_tenants_filter_is_added_to_every_rule() {
    let lake = lake();
    let policy = r#"{
      "tenants": [
        {"user": "lin|wu", "schema": "tax", "table": "taxpayer", "filter": "bureau = 'KS'"},
        {"user": "wu", "table": "taxpayer", "filter": "income < 20"},
        {"user": "chief", "table": "taxpayer", "filter": "true"}
      ],
      "tables": [
        {"user": "lin|wu|chief|stranger", "table": "taxpayer", "privileges": ["SELECT"],
         "filter": "income >= 10 OR bureau = 'TP'"},
        {"table": "rate", "privileges": ["SELECT"]}
      ]
    }"#;
    let engine = open(&lake, policy).await.unwrap();
    let names = async |user: &str| {
        ask(&session_of(&engine, user), "SELECT string_agg(name, ',' ORDER BY name) FROM tax.taxpayer").await
    };
    assert!(names("lin").await.unwrap().contains("王三,陳一"));
    assert!(names("wu").await.unwrap().contains("| 陳一"));
    assert!(names("chief").await.unwrap().contains("李二,王三,陳一"));
    assert_eq!(names("stranger").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        value(&session_of(&engine, "stranger"), "SELECT n FROM tax.rate").await,
        "5",
        "it has no tenants"
    );
}

#[tokio::test]
async fn a_user_s_name_in_a_filter_is_data() {
    let lake = lake();
    let policy = r#"{"tables": [{"privileges": ["SELECT"], "filter": "CURRENT_USER = name"}]}"#;
    let engine = open(&lake, policy).await.unwrap();
    let count =
        async |user: &str| value(&session_of(&engine, user), "SELECT count(*) FROM tax.taxpayer").await;
    assert_eq!(count("王三").await, "1");
    assert_eq!(count("x' OR '1' = '1").await, "0");
}

#[tokio::test]
async fn a_session_under_a_policy_only_reads() {
    let lake = lake();
    let session = as_user(&lake, r#"{"tables": [{"privileges": ["SELECT"]}]}"#, "lin").await;
    for sql in ["CREATE VIEW v AS SELECT 1", "CREATE TABLE t AS SELECT 1", "COPY tax.rate TO 'x.parquet'"] {
        assert_eq!(error(&session, sql).await.kind(), ErrorKind::NotAllowed, "{sql}");
    }
}

/// Later than the store looks at its file again.
async fn after_a_look() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

#[tokio::test]
async fn a_changed_policy_holds_at_once_and_a_broken_one_never() {
    let lake = lake();
    let everything = r#"{"tables": [{"privileges": ["SELECT"]}]}"#;
    let session = as_user(&lake, everything, "lin").await;
    table(&session, "PREPARE all_rows AS SELECT count(*) FROM tax.taxpayer").await;
    let planned = session.query("SELECT count(*) FROM tax.taxpayer").await.unwrap();
    assert_eq!(value(&session, "EXECUTE all_rows").await, "3");

    lake.write("policy.json", r#"{"tables": [{"privileges": ["SELECT"], "filter": "bureau = 'KS'"}]}"#);
    after_a_look().await;
    assert_snapshot!(planned.collect().await.unwrap_err(), @"the policy changed since the statement was planned: run it again, or prepare it anew");
    assert_snapshot!(error(&session, "EXECUTE all_rows").await, @"the policy changed since the statement was planned: run it again, or prepare it anew");
    assert_eq!(value(&session, "SELECT count(*) FROM tax.taxpayer").await, "2");
    table(&session, "DEALLOCATE all_rows").await;
    table(&session, "PREPARE all_rows AS SELECT count(*) FROM tax.taxpayer").await;
    assert_eq!(value(&session, "EXECUTE all_rows").await, "2");

    for broken in ["", "{", r#"{"tables": [{"privileges": ["SELECT"], "fliter": "false"}]}"#] {
        lake.write("policy.json", broken);
        after_a_look().await;
        assert_eq!(value(&session, "SELECT count(*) FROM tax.taxpayer").await, "2", "{broken}");
    }
    std::fs::remove_file(policy_path(&lake)).unwrap();
    after_a_look().await;
    assert_eq!(value(&session, "SELECT count(*) FROM tax.taxpayer").await, "2");
    lake.write("policy.json", "{}");
    after_a_look().await;
    assert_eq!(error(&session, "SELECT count(*) FROM tax.taxpayer").await.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_when_the_file_is_read() {
    let lake = lake();
    let refused = async |policy: &str| {
        let error = open(&lake, policy).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{policy}");
        error.to_string().replace(&policy_path(&lake).display().to_string(), "policy.json")
    };
    assert_snapshot!(refused("").await, @"policy.json: a policy is a JSON object, {…}: docs/policy.md shows one");
    assert_snapshot!(refused("[]").await, @"policy.json: a policy is a JSON object, {…}: docs/policy.md shows one");
    assert_snapshot!(refused(r#"{"table": []}"#).await, @"policy.json: unknown field `table`, expected one of `groups`, `roles`, `tags`, `tenants`, `tables` at line 1 column 8");
    assert_snapshot!(refused(r#"{"tables": [], "tables": []}"#).await, @"policy.json: duplicate field `tables` at line 1 column 23");
    assert_snapshot!(refused(r#"{"tables": [{"schema": "tax"}]}"#).await, @"policy.json: missing field `privileges` at line 1 column 29");
    assert_snapshot!(refused(r#"{"tables": [{"privileges": ["READ"]}]}"#).await, @"policy.json: unknown variant `READ`, expected one of `SELECT`, `INSERT`, `DELETE`, `UPDATE`, `OWNERSHIP`, `GRANT_SELECT` at line 1 column 34");
    assert_snapshot!(refused(r#"{"tables": [{"user": "(", "privileges": ["SELECT"]}]}"#).await, @r#"
    policy.json: the pattern "(" is no regular expression: regex parse error:
        (
        ^
    error: unclosed group at line 1 column 24
    "#);
    assert_snapshot!(refused(r#"{"tables": [{"privileges": ["SELECT"], "filter": "bureau ="}]}"#).await, @r#"policy.json: "bureau =" is no SQL expression: expected: an expression, found: EOF at line 1 column 60"#);
    assert_snapshot!(refused(r#"{"tables": [{"privileges": [], "filter": "true"}]}"#).await, @"policy.json: tables, entry 1: it has a filter, a minimum_group or columns but does not grant SELECT");
    assert_snapshot!(refused(r#"{"tables": [{"privileges": ["SELECT"], "columns": [{"mask": "1"}]}]}"#).await, @"policy.json: tables, entry 1: an entry of `columns` has neither a name nor a tag");
    assert_snapshot!(refused(r#"{"roles": [{"role": "a", "groups": ["nobody"]}]}"#).await, @r#"policy.json: the role "a" names the group "nobody", which is not in `groups`"#);
    std::fs::remove_file(policy_path(&lake)).unwrap();
    let options = EngineOptions { policy: Some(policy_path(&lake)), ..EngineOptions::default() };
    assert_eq!(Engine::open(options).await.unwrap_err().kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn a_rule_that_does_not_fit_its_table_shows_nothing_and_is_reported() {
    let lake = lake();
    let problems = async |rule: &str| {
        let policy = format!(
            r#"{{"tables": [{{"schema": "tax", "table": "taxpayer", "privileges": ["SELECT"], {rule}}}]}}"#
        );
        let engine = open(&lake, &policy).await.unwrap();
        if !rule.contains("no_such") {
            let denied = error(&session_of(&engine, "lin"), "SELECT name FROM tax.taxpayer").await;
            assert_eq!(denied.kind(), ErrorKind::NotAllowed, "{rule}");
            assert!(!denied.to_string().contains("income"), "{denied}");
        }
        engine.policy_problems().await.unwrap().join("\n")
    };
    assert_snapshot!(problems(r#""filter": "incom > 3""#).await, @r#"tables, entry 1: tax.taxpayer: "incom > 3" does not fit: no field named incom. Did you mean 'tithe.tax.taxpayer.income'? Valid fields are tithe.tax.taxpayer.taxpayer_id, tithe.tax.taxpayer.name, tithe.tax.taxpayer.bureau, tithe.tax.taxpayer.income."#);
    assert_snapshot!(problems(r#""filter": "income""#).await, @r#"tables, entry 1: tax.taxpayer: "income" does not fit: it is Int64, and a filter is true or false"#);
    assert_snapshot!(problems(r#""filter": "income > random()""#).await, @r#"tables, entry 1: tax.taxpayer: "income > random()" does not fit: it gives another value each time"#);
    assert_snapshot!(problems(r#""filter": "income = (SELECT max(n) FROM tax.rate)""#).await, @r#"tables, entry 1: tax.taxpayer: "income = (SELECT max(n) FROM tax.rate)" does not fit: table 'datafusion.tax.rate' not found"#);
    assert_snapshot!(problems(r#""filter": "sum(income) > 3""#).await, @r#"tables, entry 1: tax.taxpayer: "sum(income) > 3" does not fit: it may only look at one row, without subqueries, aggregates and parameters"#);
    assert_snapshot!(problems(r#""filter": "income > $1""#).await, @r#"tables, entry 1: tax.taxpayer: "income > $1" does not fit: it may only look at one row, without subqueries, aggregates and parameters"#);
    assert_snapshot!(problems(r#""columns": [{"name": "income", "mask": "'secret'"}]"#).await, @r#"tables, entry 1, mask of income: tax.taxpayer: "'secret'" does not fit: it is Utf8, and the column that it masks is Int64"#);
    assert_snapshot!(problems(r#""columns": [{"name": "no_such", "allow": false}]"#).await, @r#"tables, entry 1: tax.taxpayer has no column "no_such""#);
}

#[tokio::test]
async fn the_keeper_of_the_policy_is_told_what_a_user_sees() {
    let lake = lake();
    let policy = r#"{
      "tags": [{"tag": "pii.id", "column": "taxpayer_id"}],
      "tables": [
        {"user": "lin", "table": "rate", "privileges": []},
        {"user": "lin", "privileges": ["SELECT"], "filter": "bureau = 'KS'",
         "columns": [{"name": "name", "mask": "NULL"}]}
      ]
    }"#;
    let engine = open(&lake, policy).await.unwrap();
    assert_eq!(
        engine.policy_problems().await.unwrap(),
        [
            "tables, entry 2: tax.rate: \"bureau = 'KS'\" does not fit: no field named bureau. Valid fields are tithe.tax.rate.n."
        ],
        "the filter is tried on every table that the rule names, also where an earlier rule decides for some",
    );
    let access = engine.access("lin", "tax", "taxpayer").await.unwrap().unwrap();
    assert_eq!(access.decision, "permitted by tables entry 2");
    assert_eq!(access.filters, ["bureau = 'KS' (tables, entry 2)"]);
    let columns: Vec<(&str, &str, &str)> = access
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.tags.as_str(), column.shown.as_str()))
        .collect();
    assert_eq!(
        columns,
        [
            ("taxpayer_id", "pii.id", "hidden"),
            ("name", "", "NULL"),
            ("bureau", "", "shown"),
            ("income", "", "shown")
        ]
    );
    let denied = engine.access("lin", "tax", "rate").await.unwrap().unwrap();
    assert_eq!(denied.decision, "denied: the rule that matches, tables entry 1, does not grant SELECT");
    let stranger = engine.access("wu", "tax", "rate").await.unwrap().unwrap();
    assert_eq!(stranger.decision, "denied: no rule matches");
    let unknown = engine.access("lin", "tax", "rat").await.unwrap_err();
    assert_snapshot!(unknown, @"table tax.rat does not exist; did you mean tax.rate?");
}

#[tokio::test]
async fn a_policy_file_is_read_from_where_the_configuration_says() {
    let lake = lake();
    lake.write("tithe.toml", "policy = \"rules/policy.json\"\n");
    let configuration = tithe_engine::Configuration::load(&lake.root().join("tithe.toml")).unwrap();
    assert_eq!(configuration.policy.as_deref(), Some(lake.root().join("rules/policy.json")).as_deref());
    let _unused: Option<&Path> = configuration.engine_options().policy.as_deref();
}

#[tokio::test]
async fn a_pseudonym_joins_what_it_hides_and_needs_the_operator_s_key() {
    let lake = lake();
    lake.parquet(
        "tax/payment/a.parquet",
        &[("payer", text(&["A1", "A1", "C3"])), ("amount", int64(&[1, 2, 4]))],
    );
    let policy = r#"{"tables": [
        {"schema": "tax", "table": "taxpayer", "privileges": ["SELECT"],
         "columns": [{"name": "taxpayer_id", "mask": "pseudonym(taxpayer_id, 'taxpayer')"}]},
        {"schema": "tax", "table": "payment", "privileges": ["SELECT"],
         "columns": [{"name": "payer", "mask": "pseudonym(payer, 'taxpayer')"}]}
    ]}"#;
    let engine = open(&lake, policy).await.unwrap();
    let problem = engine.policy_problems().await.unwrap().join("\n");
    assert!(problem.contains("pseudonym needs a key"), "{problem}");

    lake.write("key", [7; 32]);
    let options = EngineOptions {
        lake: Some(lake.root().to_str().unwrap().parse().unwrap()),
        policy: Some(policy_path(&lake)),
        pseudonym_key_file: Some(lake.root().join("key")),
        ..EngineOptions::default()
    };
    let engine = Engine::open(options.clone()).await.unwrap();
    let session = session_of(&engine, "lin");
    let joined = "SELECT name, sum(amount) AS paid FROM tax.taxpayer JOIN tax.payment ON taxpayer_id = payer \
                  GROUP BY name ORDER BY name";
    assert_snapshot!(table(&session, joined).await, @r#"
    +------+------+
    | name | paid |
    +------+------+
    | 王三 | 4    |
    | 陳一 | 3    |
    +------+------+
    "#);
    assert_eq!(value(&session, "SELECT count(*) FROM tax.taxpayer WHERE taxpayer_id = 'A1'").await, "0");
    let own = error(&session, "SELECT pseudonym('A1', 'taxpayer')").await.to_string();
    assert!(own.contains("under a policy only masks have"), "{own}");
    assert!(!format!("{engine:?}").contains("[7, 7"), "the key is not shown");

    lake.write("key", [7; 31]);
    let short = Engine::open(options).await.unwrap_err().to_string();
    assert!(short.contains("has 31 bytes, and 32 to 4096 are taken"), "{short}");
}

#[tokio::test]
async fn bound_values_meet_the_same_policy() {
    let lake = lake();
    let policy = r#"{"tables": [{"user": "lin", "schema": "tax", "table": "taxpayer", "privileges": ["SELECT"],
      "filter": "bureau = 'KS'", "columns": [{"name": "income", "mask": "0"}, {"name": "name", "allow": false}]}]}"#;
    let session = as_user(&lake, policy, "lin").await;
    let bound = async |sql: &str, value: ScalarValue| {
        let batches = session.query_with(sql, &[value]).await?.collect().await?;
        Ok::<_, EngineError>(batches.iter().map(|batch| batch.num_rows()).sum::<usize>())
    };
    let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
    let by_id = "SELECT * FROM tax.taxpayer WHERE taxpayer_id = ?";
    assert_eq!(bound(by_id, text("A1")).await.unwrap(), 1);
    assert_eq!(bound(by_id, text("B2")).await.unwrap(), 0);
    assert_eq!(bound(by_id, text("' OR true --")).await.unwrap(), 0);
    assert_eq!(bound("SELECT * FROM tax.taxpayer WHERE bureau = $1", text("TP")).await.unwrap(), 0);
    let by_income = "SELECT * FROM tax.taxpayer WHERE income = $1";
    assert_eq!(bound(by_income, ScalarValue::Int64(Some(10))).await.unwrap(), 0);
    assert_eq!(bound(by_income, ScalarValue::Int64(Some(0))).await.unwrap(), 2);
    // Would fail on the row of another bureau, and so tell that it is there.
    let probe = "SELECT 1 / (CASE taxpayer_id WHEN $1 THEN 0 ELSE 1 END) FROM tax.taxpayer";
    assert_eq!(bound(probe, text("B2")).await.unwrap(), 2);
    bound("SELECT * FROM tax.taxpayer WHERE name = ?", text("陳一")).await.unwrap_err();
    bound("SELECT n FROM tax.rate WHERE n = ?", ScalarValue::Int64(Some(5))).await.unwrap_err();
    bound("EXPLAIN SELECT * FROM tax.taxpayer WHERE bureau = ?", text("KS")).await.unwrap_err();
}
