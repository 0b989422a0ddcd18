//! Rollups under a policy: nobody is told more than the table would tell, and who sees a table in part is answered from a
//! rollup where its keys say which part.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, StringArray};
use tithe_engine::{Engine, EngineOptions, ErrorKind, Principal, Session};

use crate::support::{Random, TestLake, ask, int64, text};

/// `whole` sees everything; the others a part, by what is a key of the rollup and by what is not.
const POLICY: &str = r#"{
  "tables": [
    {"user": "owner", "privileges": ["SELECT", "INSERT", "DELETE", "OWNERSHIP"]},
    {"user": "whole", "privileges": ["SELECT"]},
    {"user": "office", "table": "t", "privileges": ["SELECT"], "filter": "office = 'o1'"},
    {"user": "key", "table": "t", "privileges": ["SELECT"], "filter": "county <> 'c1'"},
    {"user": "county", "table": "t", "privileges": ["SELECT"], "filter": "county IN ('c0', 'c2')"},
    {"user": "year", "table": "t", "privileges": ["SELECT"], "filter": "day >= DATE '2024-02-01'"},
    {"user": "cut", "table": "t", "privileges": ["SELECT"], "filter": "day >= DATE '2024-02-02'"},
    {"user": "row", "table": "t", "privileges": ["SELECT"], "filter": "amount < 50"},
    {"user": "masked", "table": "t", "privileges": ["SELECT"],
     "columns": [{"name": "county", "mask": "CASE WHEN county = 'c1' THEN 'hidden' ELSE county END"}]},
    {"user": "swapped", "table": "t", "privileges": ["SELECT"],
     "columns": [{"name": "county", "mask": "office"}, {"name": "amount", "mask": "amount * 0"}]},
    {"user": "narrow", "table": "t", "privileges": ["SELECT"],
     "columns": [{"name": "amount", "allow": false}]},
    {"user": "(office|county|key|year|cut|row|masked|swapped|narrow|groups)", "table": "county", "privileges": ["SELECT"]},
    {"user": "groups", "table": "t", "privileges": ["SELECT"],
     "minimum_group": {"key": "person", "size": 3, "dimensions": ["county"]}}
  ]
}"#;

const BY_MONTH: &str = "SELECT county, office, date_trunc('month', day), count(*), sum(amount), max(amount) FROM tax.t \
                        GROUP BY 1, 2, 3";

fn condition(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => format!("county = 'c{}'", random.below(4)),
        1 => format!("office <> 'o{}'", random.below(3)),
        2 => {
            format!("day {} DATE '2024-0{}-01'", random.one_of(&["<", ">=", "<=", ">"]), 1 + random.below(4))
        }
        3 => format!("date_part('month', day) = {}", 1 + random.below(4)),
        4 => "county IS NULL".to_owned(),
        5 => match random.below(4) {
            0 => format!("amount > {}", random.below(100)),
            1 => format!("1 / (amount - {}) = 0", random.below(100)),
            2 => format!("1 / (CASE WHEN county = 'c{}' THEN 0 ELSE 1 END) = 1", random.below(4)),
            _ => format!("county LIKE 'c{}%'", random.below(4)),
        },
        6 => format!("NOT ({})", condition(random, depth - 1)),
        _ => {
            let both = random.one_of(&["AND", "OR"]);
            format!("({} {both} {})", condition(random, depth - 1), condition(random, depth - 1))
        }
    }
}

fn query(random: &mut Random) -> String {
    let group = random.one_of(&[
        "county",
        "office",
        "date_trunc('month', day)",
        "date_part('year', day)",
        "upper(county)",
        "coalesce(county, office)",
    ]);
    let value =
        random.one_of(&["count(*)", "sum(amount)", "max(amount)", "count(DISTINCT county)", "min(office)"]);
    let condition = condition(random, 2);
    match random.below(4) {
        0 => format!("SELECT {value} AS v FROM tax.t WHERE {condition}"),
        1 => format!("SELECT {group} AS g, {value} AS v FROM tax.t WHERE {condition} GROUP BY g"),
        2 => format!(
            "SELECT c.name, {value} AS v FROM tax.county c JOIN tax.t t ON t.county = c.code WHERE {condition} GROUP BY c.name"
        ),
        _ => format!(
            "SELECT g, v FROM (SELECT {group} AS g, {value} AS v FROM tax.t GROUP BY 1 HAVING count(*) > {}) x",
            random.below(40)
        ),
    }
}

fn write(lake: &TestLake, name: &str, rows: usize, random: &mut Random) {
    let mut of = |prefix: &str, end: usize| -> Vec<Option<String>> {
        (0..rows).map(|_| (random.below(12) > 0).then(|| format!("{prefix}{}", random.below(end)))).collect()
    };
    let (county, office) = (of("c", 4), of("o", 3));
    let persons: Vec<String> = (0..rows).map(|_| format!("p{}", random.below(9))).collect();
    let days = (0..rows).map(|_| 19723 + i32::try_from(random.below(130)).unwrap()).collect::<Vec<_>>();
    let amounts = (0..rows).map(|_| i64::try_from(random.below(100)).unwrap()).collect::<Vec<_>>();
    let texts =
        |values: Vec<Option<String>>| Arc::new(values.into_iter().collect::<StringArray>()) as ArrayRef;
    lake.parquet(
        name,
        &[
            ("county", texts(county)),
            ("office", texts(office)),
            ("person", text(&persons.iter().map(String::as_str).collect::<Vec<_>>())),
            ("day", Arc::new(Date32Array::from(days))),
            ("amount", int64(&amounts)),
        ],
    );
}

fn lake(random: &mut Random) -> TestLake {
    let lake = TestLake::new();
    for part in 0..3 {
        write(&lake, &format!("tax/t/part-{part}.parquet"), 200, random);
    }
    lake.parquet(
        "tax/county/a.parquet",
        &[("code", text(&["c0", "c1", "c2", "c3", "hidden"])), ("name", text(&["A", "B", "A", "C", "H"]))],
    );
    lake.write("policy.json", POLICY);
    lake
}

async fn engine(lake: &TestLake, policy: Option<&Path>) -> Arc<Engine> {
    lake.engine(EngineOptions { policy: policy.map(Path::to_path_buf), ..EngineOptions::default() }).await
}

fn session(engine: &Arc<Engine>, user: &str) -> Session {
    engine.session(Principal { name: user.to_owned(), groups: BTreeSet::new() }).unwrap()
}

async fn rows(session: &Session, sql: &str) -> String {
    match ask(session, sql).await {
        Ok(answer) => {
            let mut lines: Vec<&str> = answer.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        }
        Err(error) => format!("{:?}", error.kind()),
    }
}

const USERS: [&str; 10] =
    ["whole", "office", "key", "county", "year", "cut", "row", "masked", "swapped", "narrow"];

/// The answer of `user` with rollups, which is the one without; and whether it is from one.
async fn same(engine: &Arc<Engine>, user: &str, sql: &str) -> bool {
    let (with, without) = (session(engine, user), session(engine, user));
    ask(&without, "SET tithe.query.rollups = false").await.unwrap();
    assert_eq!(rows(&with, sql).await, rows(&without, sql).await, "{user}: {sql}");
    match with.query(sql).await {
        Ok(query) => !query.rollups().unwrap().is_empty(),
        Err(_) => false,
    }
}

#[tokio::test]
async fn random_queries_of_everybody_are_answered_as_without_rollups() {
    let mut random = Random(17);
    let lake = lake(&mut random);
    let keeper = engine(&lake, None).await.session(Principal::local()).unwrap();
    keeper.create_rollup("by_month", BY_MONTH).await.unwrap();
    let engine = engine(&lake, Some(&lake.root().join("policy.json"))).await;
    let mut used = std::collections::BTreeMap::new();
    for step in 0..36 {
        match step % 6 {
            0 => {
                keeper.refresh_rollup("tax", "t", "by_month", &()).await.unwrap();
            }
            3 => {
                let file = format!("tax/t/part-{}.parquet", random.below(5));
                let rows = 1 + random.below(60);
                write(&lake, &file, rows, &mut random);
            }
            _ => {}
        }
        let sql = query(&mut random);
        for user in USERS {
            *used.entry(user).or_insert(0) += usize::from(same(&engine, user, &sql).await);
        }
        same(&engine, "groups", &sql).await;
    }
    // Where keys say what is permitted it is used, and where rows do it is not.
    for user in ["whole", "office", "key", "county", "year", "masked"] {
        assert!(used[user] >= 5, "{user}: {used:?}");
    }
    assert_eq!((used["cut"], used["row"]), (0, 0), "{used:?}");
}

#[tokio::test]
async fn which_part_is_answered_from_a_rollup() {
    let mut random = Random(23);
    let lake = lake(&mut random);
    let keeper = engine(&lake, None).await.session(Principal::local()).unwrap();
    keeper.create_rollup("by_month", BY_MONTH).await.unwrap();
    keeper.refresh_rollup("tax", "t", "by_month", &()).await.unwrap();
    let engine = engine(&lake, Some(&lake.root().join("policy.json"))).await;
    let by_county = "SELECT county, sum(amount) FROM tax.t GROUP BY county";
    for (user, sql, expected) in [
        ("whole", by_county, true),
        ("office", by_county, true),
        ("county", by_county, true),
        ("masked", by_county, true),
        ("cut", by_county, false),
        ("row", by_county, false),
        ("swapped", by_county, false),
        ("swapped", "SELECT county, count(*) FROM tax.t GROUP BY county", true),
        ("narrow", "SELECT county, count(*) FROM tax.t GROUP BY county", true),
        ("narrow", by_county, false),
        ("groups", by_county, false),
        // The name of what a rollup is to itself opens nothing.
        (
            "masked",
            r#"SELECT "the table of the rollup".county, sum(t.amount) FROM tax.t t
               JOIN (SELECT code AS county FROM tax.county) AS "the table of the rollup" ON true
               WHERE "the table of the rollup".county <> 'c3' GROUP BY 1"#,
            false,
        ),
    ] {
        assert_eq!(same(&engine, user, sql).await, expected, "{user}: {sql}");
    }
    let hidden = rows(&session(&engine, "masked"), "SELECT count(*) FROM tax.t WHERE county = 'c1'").await;
    assert!(hidden.contains("| 0 "), "{hidden}");
}

#[tokio::test]
async fn who_may_keep_rollups() {
    let mut random = Random(29);
    let lake = lake(&mut random);
    let engine = engine(&lake, Some(&lake.root().join("policy.json"))).await;
    for user in ["whole", "county", "narrow", "nobody"] {
        let refused =
            session(&engine, user).create_rollup("r", "SELECT count(*) FROM tax.t").await.unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::NotAllowed | ErrorKind::NotFound), "{user}: {refused}");
    }
    let owner = session(&engine, "owner");
    owner.create_rollup("r", "SELECT count(*) FROM tax.t").await.unwrap();
    owner.refresh_rollup("tax", "t", "r", &()).await.unwrap();
    assert_eq!(owner.rollups("tax", "t").await.unwrap().len(), 1);
    for user in ["whole", "county"] {
        let user = session(&engine, user);
        assert_eq!(user.rollups("tax", "t").await.unwrap_err().kind(), ErrorKind::NotAllowed);
        assert_eq!(user.drop_rollup("tax", "t", "r").await.unwrap_err().kind(), ErrorKind::NotAllowed);
        let refreshed = user.refresh_rollup("tax", "t", "r", &()).await.unwrap_err();
        assert_eq!(refreshed.kind(), ErrorKind::NotAllowed);
    }
}
