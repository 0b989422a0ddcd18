//! Records kept in a directory, and who may query them.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::scalar::ScalarValue;
use futures::StreamExt;
use insta::assert_snapshot;
use tithe_engine::{Engine, EngineError, EngineOptions, ErrorKind, Principal, Session, verify_audit};

use crate::support::{TestLake, ask, error, int64, table, value};

const OUTCOMES: &str = "SELECT query, who, sql, outcome, rows, error FROM audit.query WHERE sql NOT LIKE '%audit%' \
                        ORDER BY query";

fn lake() -> TestLake {
    let lake = TestLake::new();
    lake.parquet("s/t/a.parquet", &[("n", int64(&[1, 2, 3]))]);
    lake
}

fn directory(lake: &TestLake) -> PathBuf {
    lake.root().join(".audit/稽核")
}

async fn open(lake: &TestLake, policy: Option<&str>) -> Result<Arc<Engine>, EngineError> {
    if let Some(policy) = policy {
        lake.write("policy.json", policy);
    }
    let options = EngineOptions {
        lake: Some(lake.root().to_str().unwrap().parse().unwrap()),
        policy: policy.map(|_| lake.root().join("policy.json")),
        audit: Some(directory(lake)),
        ..EngineOptions::default()
    };
    Engine::open(options).await
}

fn session_of(engine: &Arc<Engine>, user: &str) -> Session {
    engine.session(Principal::from(user)).unwrap()
}

#[tokio::test]
async fn the_records_are_a_table() {
    let lake = lake();
    let engine = open(&lake, None).await.unwrap();
    let session = session_of(&engine, "local");
    table(&session, "SELECT n FROM s.t WHERE n > 1").await;
    ask(&session, "SELECT * FROM s.u").await.unwrap_err();
    ask(&session, "SELECT 1 / (n - 1) FROM s.t").await.unwrap_err();
    let mut running = session.query("SELECT * FROM s.t").await.unwrap().execute().await.unwrap();
    running.next().await.unwrap().unwrap();
    assert_snapshot!(table(&session, OUTCOMES).await, @r#"
    +-------+-------+-------------------------------+------------+------+---------------------------------------------+
    | query | who   | sql                           | outcome    | rows | error                                       |
    +-------+-------+-------------------------------+------------+------+---------------------------------------------+
    | 1     | local | SELECT n FROM s.t WHERE n > 1 | done       | 2    |                                             |
    | 3     | local | SELECT * FROM s.u             | refused    | 0    | table s.u does not exist; did you mean s.t? |
    | 4     | local | SELECT 1 / (n - 1) FROM s.t   | failed     | 0    | division by zero                            |
    | 6     | local | SELECT * FROM s.t             | unfinished |      |                                             |
    +-------+-------+-------------------------------+------------+------+---------------------------------------------+
    "#);
    drop(running);
    let ended = "SELECT outcome, ended_at >= began_at AS later, array_to_string(columns, ' ') AS columns, \
                 array_to_string(tables, ' ') AS tables FROM audit.query WHERE sql = 'SELECT * FROM s.t'";
    assert_snapshot!(table(&session, ended).await, @r#"
    +-----------+-------+---------+--------+
    | outcome   | later | columns | tables |
    +-----------+-------+---------+--------+
    | cancelled | true  | s.t.n   | s.t    |
    +-----------+-------+---------+--------+
    "#);
    assert_snapshot!(table(&session, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'audit'").await, @r#"
    +------------+
    | table_name |
    +------------+
    | query      |
    +------------+
    "#);
    assert!(
        session.tables().await.unwrap().iter().any(|info| info.schema == "audit" && info.table == "query")
    );
    drop((session, engine));
    let verified = verify_audit(&directory(&lake)).unwrap();
    let engine = open(&lake, None).await.unwrap();
    let session = session_of(&engine, "local");
    assert_eq!(value(&session, "SELECT max(query) FROM audit.query").await, (verified.last + 1).to_string());
    assert!(verify_audit(&directory(&lake)).unwrap().last > verified.last);
}

#[tokio::test]
async fn bound_values_are_on_record() {
    let lake = lake();
    let engine = open(&lake, None).await.unwrap();
    let session = session_of(&engine, "local");
    let values = [ScalarValue::Utf8(Some("王".to_owned())), ScalarValue::Int64(Some(1))];
    let query = session.query_with("SELECT n, ? AS who FROM s.t WHERE n > ?", &values);
    query.await.unwrap().collect().await.unwrap();
    let bound = "SELECT array_to_string(parameters, '|') FROM audit.query WHERE rows = 2";
    assert_eq!(value(&session, bound).await, "王|1");
}

#[tokio::test]
async fn a_query_that_nobody_ends_has_begun() {
    let lake = lake();
    let engine = open(&lake, None).await.unwrap();
    let session = session_of(&engine, "local");
    let running = session.query("SELECT n FROM s.t").await.unwrap().execute().await.unwrap();
    // As if the process were killed: nothing that would write an end is run.
    std::mem::forget(running);
    let left =
        "SELECT outcome, ended_at, rows, milliseconds FROM audit.query WHERE sql = 'SELECT n FROM s.t'";
    assert_snapshot!(table(&session, left).await, @r#"
    +------------+----------+------+--------------+
    | outcome    | ended_at | rows | milliseconds |
    +------------+----------+------+--------------+
    | unfinished |          |      |              |
    +------------+----------+------+--------------+
    "#);
}

#[tokio::test]
async fn only_auditors_see_it() {
    let lake = lake();
    let policy = r#"{
      "roles": [{"role": "auditor", "users": ["wu"]}],
      "tables": [
        {"role": "auditor", "schema": "audit", "privileges": ["SELECT"], "filter": "who <> current_user",
         "columns": [{"name": "error", "allow": false}]},
        {"privileges": ["SELECT"]}
      ]}"#;
    let engine = open(&lake, Some(policy)).await.unwrap();
    let (lin, wu) = (session_of(&engine, "lin"), session_of(&engine, "wu"));
    table(&lin, "SELECT n FROM s.t").await;
    for sql in ["SELECT * FROM audit.query", "SELECT count(*) FROM audit.query", "DESCRIBE audit.query"] {
        let denied = error(&lin, sql).await;
        assert_eq!(denied.kind(), ErrorKind::NotFound, "{sql}: {denied}");
    }
    let named = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'audit'";
    assert_eq!(value(&lin, named).await, "0");
    assert_eq!(value(&wu, named).await, "1");
    assert!(lin.tables().await.unwrap().iter().all(|info| info.schema != "audit"));
    assert_snapshot!(table(&wu, "SELECT who, sql, outcome FROM audit.query WHERE outcome <> 'refused'").await, @r#"
    +-----+-----------------------------------------------------------------------------+---------+
    | who | sql                                                                         | outcome |
    +-----+-----------------------------------------------------------------------------+---------+
    | lin | SELECT n FROM s.t                                                           | done    |
    | lin | SELECT count(*) FROM information_schema.tables WHERE table_schema = 'audit' | done    |
    +-----+-----------------------------------------------------------------------------+---------+
    "#);
    error(&wu, "SELECT error FROM audit.query").await;
    assert_eq!(engine.policy_problems().await.unwrap(), Vec::<String>::new());
    let access = engine.access("wu", "audit", "query").await.unwrap().unwrap();
    assert!(access.permitted && access.filters.len() == 1, "{access:?}");
    assert!(!engine.access("lin", "audit", "query").await.unwrap().unwrap().permitted);
}

#[tokio::test]
async fn without_a_policy_only_whoever_sits_here_sees_it() {
    let lake = lake();
    let engine = open(&lake, None).await.unwrap();
    let denied = error(&session_of(&engine, "lin"), "SELECT * FROM audit.query").await;
    assert_eq!(denied.kind(), ErrorKind::NotFound, "{denied}");
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_answered() {
    let lake = lake();
    let engine = open(&lake, None).await.unwrap();
    let session = session_of(&engine, "local");
    // Before the first record there is no file yet, and now it cannot be made.
    std::fs::create_dir(directory(&lake).join("audit-00000000000000000001.jsonl")).unwrap();
    let unrecorded = error(&session, "SELECT n FROM s.t").await;
    assert!(matches!(unrecorded, EngineError::Audit { .. }), "{unrecorded}");
    std::fs::remove_dir(directory(&lake).join("audit-00000000000000000001.jsonl")).unwrap();
    assert_eq!(value(&session, "SELECT count(*) FROM s.t").await, "3");
    verify_audit(&directory(&lake)).unwrap();
}

#[tokio::test]
async fn records_of_many_queries_at_once_are_one_chain() {
    let lake = lake();
    let engine = open(&lake, None).await.unwrap();
    let queries = (0..40).map(|k| {
        let session = session_of(&engine, "local");
        tokio::spawn(async move { value(&session, &format!("SELECT {k} + count(*) FROM s.t")).await })
    });
    for query in queries.collect::<Vec<_>>() {
        query.await.unwrap();
    }
    assert_eq!(verify_audit(&directory(&lake)).unwrap().last, 80);
    let session = session_of(&engine, "local");
    assert_eq!(value(&session, "SELECT count(*) FROM audit.query WHERE outcome = 'done'").await, "40");
}

#[tokio::test]
async fn groups_and_roles_are_those_of_the_policy_that_decided_and_of_the_token() {
    let lake = lake();
    let policy = r#"{
      "groups": [{"group": "南區國稅局", "users": ["lin"]}],
      "roles": [{"role": "analyst", "groups": ["南區國稅局"]}, {"role": "auditor", "users": ["wu"]}],
      "tables": [{"role": "auditor", "schema": "audit", "privileges": ["SELECT"]},
                 {"role": "analyst", "schema": "s", "privileges": ["SELECT"]}]}"#;
    let engine = open(&lake, Some(policy)).await.unwrap();
    let lin = Principal { groups: ["chiefs".to_owned()].into(), ..Principal::from("lin") };
    let query = engine.session(lin.clone()).unwrap().with_query_id(uuid::Uuid::from_u128(7));
    table(&query, "SELECT n FROM s.t").await;
    error(&engine.session(lin).unwrap(), "SELECT n FROM s.u").await;
    error(&session_of(&engine, "nobody"), "SELECT n FROM s.t").await;
    let seen = "SELECT who, array_to_string(groups, ' ') AS groups, array_to_string(roles, ' ') AS roles, outcome, \
                CASE WHEN outcome = 'done' THEN id END AS id, policy = 'unrestricted' AS free \
                FROM audit.query WHERE who <> 'wu' ORDER BY query";
    assert_snapshot!(table(&session_of(&engine, "wu"), seen).await, @r#"
    +--------+-------------------+---------+---------+--------------------------------------+-------+
    | who    | groups            | roles   | outcome | id                                   | free  |
    +--------+-------------------+---------+---------+--------------------------------------+-------+
    | lin    | chiefs 南區國稅局 | analyst | done    | 00000000-0000-0000-0000-000000000007 | false |
    | lin    | chiefs 南區國稅局 | analyst | refused |                                      | false |
    | nobody |                   |         | refused |                                      | false |
    +--------+-------------------+---------+---------+--------------------------------------+-------+
    "#);
    // Another policy does not change what was on record, and is what later queries are recorded under.
    lake.write("policy.json", policy.replace("[\"lin\"]", "[]"));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    error(&session_of(&engine, "lin"), "SELECT n FROM s.t").await;
    let before_and_after = "SELECT sql, array_to_string(roles, ' ') AS roles FROM audit.query WHERE who = 'lin' \
                            AND sql LIKE '%s.t%' ORDER BY query";
    assert_snapshot!(table(&session_of(&engine, "wu"), before_and_after).await, @r#"
    +-------------------+---------+
    | sql               | roles   |
    +-------------------+---------+
    | SELECT n FROM s.t | analyst |
    | SELECT n FROM s.t |         |
    +-------------------+---------+
    "#);
}

/// As they were written before records had `id`, `groups` and `roles`.
#[tokio::test]
async fn records_of_before_stay_in_the_chain() {
    use sha2::{Digest, Sha256};
    let lake = lake();
    let mut previous = "0".repeat(64);
    let mut text = String::new();
    for (sequence, event, end) in [(1, "begin", "null"), (2, "end", "3")] {
        let outcome = if event == "end" { "\"done\"" } else { "null" };
        let line = format!(
            "{{\"sequence\":{sequence},\"previous\":\"{previous}\",\"event\":\"{event}\",\"query\":1,\
             \"began_at\":\"2026-01-05T01:02:03.000004Z\",\"written_at\":\"2026-01-05T01:02:04.000005Z\",\"who\":\"林\",\
             \"sql\":\"SELECT n FROM s.t\",\"parameters\":[],\"tables\":[\"s.t\"],\"columns\":[\"s.t.n\"],\
             \"policy\":\"unrestricted\",\"outcome\":{outcome},\"error\":null,\"rows\":{end},\"milliseconds\":{end}}}"
        );
        previous = Sha256::digest(line.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&line);
        text.push('\n');
    }
    std::fs::create_dir_all(directory(&lake)).unwrap();
    std::fs::write(directory(&lake).join("audit-00000000000000000001.jsonl"), text).unwrap();
    let engine = open(&lake, None).await.unwrap();
    let session = session_of(&engine, "local");
    table(&session, "SELECT 7").await;
    let all = "SELECT query, who, sql, groups IS NULL AS before, id IS NULL AS unnamed, rows FROM audit.query \
               WHERE outcome <> 'unfinished' ORDER BY query";
    assert_snapshot!(table(&session, all).await, @r#"
    +-------+-------+-------------------+--------+---------+------+
    | query | who   | sql               | before | unnamed | rows |
    +-------+-------+-------------------+--------+---------+------+
    | 1     | 林    | SELECT n FROM s.t | true   | true    | 3    |
    | 3     | local | SELECT 7          | false  | false   | 1    |
    +-------+-------+-------------------+--------+---------+------+
    "#);
    drop((session, engine));
    assert_eq!(verify_audit(&directory(&lake)).unwrap().first, 1);
    assert!(verify_audit(&directory(&lake)).unwrap().last >= 6);
}

/// The same rule that shows the table shows queries that have left no record yet.
#[tokio::test]
async fn live_queries_are_seen_as_the_table_is() {
    let lake = lake();
    let policy = r#"{
      "roles": [{"role": "auditor", "users": ["wu"]}],
      "tables": [
        {"role": "auditor", "schema": "audit", "privileges": ["SELECT"],
         "filter": "NOT array_has(tables, 's.secret')",
         "columns": [{"name": "error", "allow": false}, {"name": "sql", "mask": "left(sql, 6)"}]},
        {"user": "chen", "schema": "audit", "privileges": ["SELECT"],
         "minimum_group": {"key": "who", "size": 3, "dimensions": []}},
        {"privileges": ["SELECT"]}
      ]}"#;
    lake.parquet("s/secret/a.parquet", &[("n", int64(&[1]))]);
    let engine = open(&lake, Some(policy)).await.unwrap();
    let lin = session_of(&engine, "lin");
    let mut live = Vec::new();
    for sql in ["SELECT n FROM s.t", "SELECT n FROM s.secret"] {
        let mut query = lin.query(sql).await.unwrap().live();
        query.set("outcome", "running");
        query.set("rows", 3);
        query.set("error", "稅");
        live.push(query);
    }
    assert_eq!(live[0].text("sql"), "SELECT n FROM s.t");
    let seen = session_of(&engine, "wu").audited(&live).await.unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(
        (seen[0].text("who"), seen[0].text("sql"), seen[0].text("outcome")),
        ("lin", "SELECT", "running")
    );
    assert_eq!((seen[0].get("rows"), seen[0].get("error")), (Some(&3.into()), None));
    // Who is no auditor, and who sees the table in groups alone.
    for user in ["lin", "chen"] {
        assert!(session_of(&engine, user).audited(&live).await.unwrap().is_empty(), "{user}");
    }
    assert!(session_of(&engine, "wu").audited(&[]).await.unwrap().is_empty());
}
