//! What is not laid out, and who may not.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use tithe_engine::{EngineOptions, ErrorKind, LayoutOptions, LayoutOrder, Principal, SessionOptions};

use super::{lay_out, options, parquet_files, sorted_by};
use crate::support::{TestLake, int64, value};

#[tokio::test]
async fn what_cannot_be_laid_out_is_said_in_one_sentence() {
    let lake = TestLake::new();
    lake.parquet("s/t/k=1/a.parquet", &[("n", int64(&[1])), ("m", int64(&[2]))]);
    lake.numbers("s/empty/a.parquet", &[]);
    lake.write("s/raw/a.jsonl", "{\"n\": 1}\n");
    lake.numbers("s/made/a.parquet", &[1]);
    lake.write("s/made/_jobs/nightly/log/0000000001.json", "{}");
    let session = lake.session().await;
    let check = async |name: &str, order: LayoutOrder| {
        lay_out(&session, name, &options(order)).await.unwrap_err().to_string()
    };
    let z_order = |columns: &[&str]| LayoutOrder::ZOrder(columns.iter().map(|c| (*c).to_owned()).collect());
    assert_snapshot!(check("s.tt", sorted_by(&["n"])).await, @"table s.tt does not exist; did you mean s.t?");
    assert_snapshot!(check("s.t", sorted_by(&["nn"])).await, @"column nn does not exist; s.t has n, m");
    assert_snapshot!(check("s.t", sorted_by(&["seller"])).await, @"column seller does not exist; s.t has n, m");
    assert_snapshot!(check("s.t", sorted_by(&["n", "n"])).await, @"table s.t cannot be written: n is named twice: name it once");
    assert_snapshot!(check("s.t", sorted_by(&["k"])).await, @"table s.t cannot be written: its folders are those of k already, and within one all rows have the same: leave k out");
    assert_snapshot!(check("s.t", z_order(&["n"])).await, @"table s.t cannot be written: a Z-order takes 2 to 6 columns, not 1: sort by one, or name those that are filtered by most");
    assert_snapshot!(check("s.empty", sorted_by(&["n"])).await, @"table s.empty cannot be written: it has no rows, and there is nothing to lay out");
    assert_snapshot!(check("s.raw", sorted_by(&["n"])).await, @"laying out s.raw is not allowed: its files are raw ones as they were delivered; make a table of them with CREATE TABLE … AS SELECT, and lay that out");
    assert_snapshot!(check("s.made", sorted_by(&["n"])).await, @"laying out s.made is not allowed: it is the output of the job nightly, which would miss its files: lay out a copy, made with CREATE TABLE … AS SELECT");
    let read_only = lake.read_only().await;
    let refused = lay_out(&read_only, "s.t", &options(sorted_by(&["n"]))).await.unwrap_err();
    assert_snapshot!(refused.to_string(), @"laying out s.t is not allowed: this session is read only");
    assert_eq!(parquet_files(&lake, "s/t"), ["s/t/k=1/a.parquet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_policy_it_takes_the_right_to_write_and_to_see_all() {
    let lake = TestLake::new();
    lake.parquet("s/t/a.parquet", &[("n", int64(&[3, 1, 2])), ("secret", int64(&[9, 9, 9]))]);
    lake.write(
        "policy.json",
        r#"{"tables": [
            {"user": "owner", "schema": "s", "privileges": ["SELECT", "OWNERSHIP"]},
            {"user": "writer", "schema": "s", "privileges": ["SELECT", "INSERT", "DELETE"]},
            {"user": "adder", "schema": "s", "privileges": ["SELECT", "INSERT"]},
            {"user": "part", "schema": "s", "privileges": ["SELECT", "OWNERSHIP"], "filter": "n < 3"},
            {"user": "masked", "schema": "s", "privileges": ["SELECT", "OWNERSHIP"],
             "columns": [{"name": "secret", "mask": "0"}]}
        ]}"#,
    );
    let engine = lake
        .engine(EngineOptions { policy: Some(lake.root().join("policy.json")), ..EngineOptions::default() })
        .await;
    let mut told = BTreeMap::new();
    for user in ["adder", "part", "masked", "nobody", "writer", "owner"] {
        let session = engine.session(Principal::from(user)).unwrap();
        let by_n = LayoutOptions { force: true, ..options(sorted_by(&["n"])) };
        let result = lay_out(&session, "s.t", &by_n).await;
        if let Err(error) = &result {
            assert!(matches!(error.kind(), ErrorKind::NotAllowed | ErrorKind::NotFound), "{error}");
        }
        told.insert(
            user,
            result.map(|report| report.rows.to_string()).unwrap_or_else(|error| error.to_string()),
        );
    }
    assert_snapshot!(format!("{told:#?}"), @r#"
    {
        "adder": "laying out s.t is not allowed: the policy does not grant you OWNERSHIP of it, or INSERT and DELETE on it",
        "masked": "laying out s.t is not allowed: you see it in part, and the rest would be lost",
        "nobody": "table s.t does not exist",
        "owner": "3",
        "part": "laying out s.t is not allowed: you see it in part, and the rest would be lost",
        "writer": "3",
    }
    "#);
    let open = lake.session().await;
    assert_eq!(value(&open, "SELECT sum(n) + sum(secret) FROM s.t").await, "33");
    let options = SessionOptions { read_only: true, ..SessionOptions::default() };
    let reader = engine.session_with(Principal::from("owner"), options).unwrap();
    let refused = lay_out(&reader, "s.t", &LayoutOptions::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotAllowed);
}
