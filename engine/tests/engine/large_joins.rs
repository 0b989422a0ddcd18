//! Joins of which no side fits into memory: sorted and merged on disk, the same answers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use tithe_engine::{EngineOptions, ErrorKind, Principal, Session};
use tithe_testkit::{coordinator, options_for, workers};

use crate::support::{TestLake, ask, mixed, plan, table};

/// Rows `0..rows`: `k` is a key that some rows share, with NULLs; `text` is as long as a name and an address.
fn write(lake: &TestLake, name: &str, rows: i64, salt: i64) {
    let key = |row: i64| (mixed(row, salt) % 50 != 0).then(|| mixed(row, salt) % rows);
    let number: Int64Array = (0..rows).map(key).collect();
    let code: StringArray = (0..rows).map(|row| key(row).map(|key| format!("{key:08}"))).collect();
    let text: StringArray =
        (0..rows).map(|row| Some(format!("臺北市中正區愛國西路二號 {row:012}"))).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("n", Arc::new(Int64Array::from_iter_values(0..rows))),
        ("k", Arc::new(number)),
        ("code", Arc::new(code)),
        ("text", Arc::new(text)),
    ];
    lake.nullable(name, &columns);
}

fn lake() -> TestLake {
    let lake = TestLake::new();
    write(&lake, "s/a/a.parquet", 60_000, 1);
    write(&lake, "s/b/a.parquet", 80_000, 2);
    lake
}

const CONDITIONS: [&str; 3] = ["a.k = b.k", "a.code = b.code AND a.k = b.k", "a.code = b.code AND a.n < b.n"];
const KINDS: [&str; 4] = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"];

/// How many sorts merge at once, and so how far 12 MiB go, hangs on what else the machine does.
async fn table_within_little(session: &Session, sql: &str) -> String {
    for _ in 0..4 {
        match ask(session, sql).await {
            Err(error) if error.kind() == ErrorKind::Limit => {}
            answer => return answer.unwrap_or_else(|error| panic!("{sql}: {error}")),
        }
    }
    table(session, sql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sides_beyond_the_memory_are_merged() {
    let lake = lake();
    let large = lake.session_within(2, None).await;
    for (partitions, conditions) in [(1, &CONDITIONS[..1]), (3, &CONDITIONS)] {
        let small = lake.session_within(partitions, Some(12 << 20)).await;
        // As large beside the memory as usual ones are beside a few hundred MiB.
        table(&small, "SET datafusion.execution.batch_size = 512").await;
        table(&small, "SET datafusion.execution.sort_in_place_threshold_bytes = 65536").await;
        for kind in KINDS {
            for on in conditions {
                let sql = format!(
                    "SELECT count(*) AS c, count(a.n) AS a, count(b.n) AS b, sum(a.n % 97 * (b.n % 89)) AS s, \
                     max(a.text) AS t, min(b.text) AS u FROM s.a a {kind} s.b b ON {on}"
                );
                let shown = plan(&small, &sql).await;
                assert!(shown.contains("SortMergeJoinExec"), "{sql}\n{shown}");
                let shown = plan(&large, &sql).await;
                assert!(shown.contains("HashJoinExec"), "{sql}\n{shown}");
                assert_eq!(table_within_little(&small, &sql).await, table(&large, &sql).await, "{sql}");
            }
        }
        for sql in [
            "SELECT count(*) AS c, max(text) AS t FROM s.a WHERE k IN (SELECT k FROM s.b)",
            "SELECT count(*) AS c, max(text) AS t FROM s.a a WHERE NOT EXISTS (SELECT 1 FROM s.b b WHERE b.k = a.k)",
            "SELECT count(*) AS c, max(text) AS t FROM s.a WHERE k NOT IN (SELECT k FROM s.b WHERE k IS NOT NULL)",
        ] {
            assert_eq!(table_within_little(&small, sql).await, table(&large, sql).await, "{sql}");
        }
    }
}

#[tokio::test]
async fn small_sides_are_hashed_within_little_memory() {
    let lake = lake();
    write(&lake, "s/c/a.parquet", 1_000, 3);
    let small = lake.session_within(2, Some(24 << 20)).await;
    let shown = plan(&small, "SELECT sum(b.n) FROM s.b b JOIN s.c c ON b.k = c.k").await;
    assert!(shown.contains("HashJoinExec") && !shown.contains("SortMergeJoinExec"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sorts_of_texts_from_files_fit_where_the_texts_do() {
    let lake = lake();
    let sql = "SELECT count(*) AS c, sum(place * (n % 7)) AS s FROM (SELECT n, row_number() OVER (ORDER BY text DESC) AS place, \
               code FROM s.b) q WHERE code <> ''";
    let large = lake.session_within(2, None).await;
    let small = lake.session_within(2, Some(24 << 20)).await;
    assert!(plan(&small, sql).await.contains("CompactTextsExec"));
    assert_eq!(table(&small, sql).await, table(&large, sql).await);
}

/// The coordinator has little memory, and workers enough: they merge because it planned so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_that_are_merged_are_merged_on_workers() {
    let lake = lake();
    let workers = workers(lake.root(), 2).await;
    let options = EngineOptions { memory_limit: Some(12 << 20), ..options_for(lake.root()) };
    let cluster = coordinator(options, &workers).await.session(Principal::local()).unwrap();
    let here = lake.session_within(2, None).await;
    for kind in KINDS {
        let sql = format!(
            "SELECT count(*) AS c, sum(a.n % 97 * (b.n % 89)) AS s, max(a.text) AS t FROM s.a a {kind} s.b b ON a.code = b.code"
        );
        let shown = plan(&cluster, &sql).await;
        assert!(shown.contains("SortMergeJoinExec") && shown.contains("NetworkShuffleExec"), "{shown}");
        assert_eq!(table(&cluster, &sql).await, table(&here, &sql).await, "{sql}");
    }
}
