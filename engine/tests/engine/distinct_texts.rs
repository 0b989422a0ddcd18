//! Texts that are told apart by a set of them.

use std::sync::Arc;

use arrow::array::StringArray;
use tithe_engine::{EngineOptions, Principal, Session};

use crate::support::{TestLake, metric, table, value};

async fn session(lake: &TestLake, memory: Option<usize>, partitions: usize) -> Session {
    let options = EngineOptions {
        memory_limit: memory,
        target_partitions: Some(partitions),
        ..EngineOptions::default()
    };
    lake.engine(options).await.session(Principal::local()).unwrap()
}

/// Short texts, long ones, NULL and the empty one, in two files, many of them several times.
fn texts(lake: &TestLake, rows: i64) {
    for file in 0..2 {
        let texts: Vec<Option<String>> = (0..rows)
            .map(|n| (n * 7919 + file * 13) % (rows * 2 / 3))
            .map(|n| match n % 5 {
                0 => None,
                1 if n < 10 => Some(String::new()),
                1 => Some(format!("{n}")),
                2 => Some(format!("統{n}")),
                3 => Some(format!("發票號碼 {n}, longer than twelve bytes")),
                _ => Some(format!("AB{:08}", n)),
            })
            .collect();
        lake.nullable(&format!("s/t/{file}.parquet"), &[("t", Arc::new(StringArray::from(texts)))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_texts_are_found_as_groups_find() {
    let lake = TestLake::new();
    texts(&lake, 30_000);
    // What is computed of groups is not left to the set.
    let expected = "SELECT count(t), count(*) FROM (SELECT t, count(*) AS n FROM s.t GROUP BY t)";
    let expected = table(&session(&lake, None, 1).await, expected).await;
    for partitions in [1, 2, 5] {
        let session = session(&lake, None, partitions).await;
        let sql = "SELECT count(t), count(*) FROM (SELECT DISTINCT t FROM s.t)";
        let plan = table(&session, &format!("EXPLAIN {sql}")).await;
        assert_eq!(plan.contains("DistinctTextsExec"), partitions > 1, "{plan}");
        let found = table(&session, sql).await;
        assert_eq!(found.lines().nth(3), expected.lines().nth(3), "{partitions}");
        let sorted = "SELECT t FROM (SELECT DISTINCT t FROM s.t) ORDER BY t NULLS FIRST LIMIT 3";
        let first = table(&session, sorted).await;
        let first: Vec<&str> =
            first.lines().skip(3).take(3).map(|line| line.trim_matches(['|', ' '])).collect();
        assert_eq!(first, ["", "", "10001"], "NULL, the empty text and the first that is none");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_for_which_there_is_no_memory_go_to_the_disk() {
    let lake = TestLake::new();
    texts(&lake, 400_000);
    let sql = "SELECT count(t), count(*), sum(length(t)), min(t), max(t) FROM (SELECT DISTINCT t FROM s.t)";
    let expected = table(&session(&lake, None, 2).await, sql).await;
    let narrow = session(&lake, Some(8 << 20), 2).await;
    assert_eq!(table(&narrow, sql).await, expected);
    let plan = table(&narrow, &format!("EXPLAIN ANALYZE {sql}")).await;
    let line = plan.lines().find(|line| line.contains("DistinctTextsExec")).unwrap();
    assert!(metric(line, "spilled_rows") > 0.0, "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_leaves_alone_what_groups_do_better() {
    let lake = TestLake::new();
    texts(&lake, 3_000);
    lake.numbers("s/n/a.parquet", &[1, 2, 2]);
    let session = session(&lake, None, 2).await;
    for sql in [
        "SELECT t, count(*) FROM s.t GROUP BY t",
        "SELECT DISTINCT n FROM s.n",
        "SELECT DISTINCT t, length(t) FROM s.t",
        "SELECT t FROM s.t GROUP BY ROLLUP (t)",
        "SELECT DISTINCT t FROM s.t LIMIT 3",
    ] {
        let plan = table(&session, &format!("EXPLAIN {sql}")).await;
        assert!(!plan.contains("DistinctTextsExec"), "{sql}: {plan}");
    }
    assert_eq!(value(&session, "SELECT count(DISTINCT t) FROM s.t WHERE false").await, "0");
    assert_eq!(
        value(&session, "SELECT count(*) FROM (SELECT DISTINCT t FROM s.t WHERE t IS NULL)").await,
        "1"
    );
}
