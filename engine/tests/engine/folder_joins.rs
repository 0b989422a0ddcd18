//! Joins of tables in folders of the columns they are joined by: folder by folder, same answers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use tithe_engine::Session;

use crate::support::{TestLake, table, value};

/// Rows of a folder; enough bytes that a join of all is worth dividing.
const ROWS: i64 = 60_000;

/// Numbers that scatter, so that files do not become small.
fn scattered(number: i64, salt: i64) -> i64 {
    let mixed = number.wrapping_add(salt).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9_u64.cast_signed()) >> 1
}

/// A folder of a table; keys are `from..from + ROWS / step`, each `step` times, and some are NULL.
fn write(lake: &TestLake, name: &str, from: i64, step: i64, salt: i64) {
    let rows = || 0..ROWS;
    let key: Int64Array =
        rows().map(|row| (scattered(row, salt) % 50 != 0).then(|| from + row / step)).collect();
    let value: Int64Array = rows().map(|row| Some(scattered(row, salt + 1))).collect();
    let kind: StringArray = rows()
        .map(|row| Some(["甲", "乙", "丙"][usize::try_from(scattered(row, 9).rem_euclid(3)).unwrap()]))
        .collect();
    let columns: [(&str, ArrayRef); 3] =
        [("key", Arc::new(key)), ("value", Arc::new(value)), ("kind", Arc::new(kind))];
    lake.parquet(name, &columns);
}

/// `s.head` and `s.item` in folders of periods, each with one that the other has not, and some without a period; `s.flat`
/// has the rows of `s.item` in one folder.
fn lake() -> TestLake {
    let lake = TestLake::new();
    for period in 1..=9 {
        if period < 9 {
            write(&lake, &format!("s/head/period=2024-0{period}/a.parquet"), 0, 1, period);
        }
        if period > 1 {
            write(&lake, &format!("s/item/period=2024-0{period}/a.parquet"), 20_000, 2, 100 + period);
        }
    }
    write(&lake, "s/item/period=2024-05/b.parquet", 1_000_000, 2, 200);
    for table_name in ["head", "item"] {
        write(&lake, &format!("s/{table_name}/period=__HIVE_DEFAULT_PARTITION__/a.parquet"), 0, 3, 300);
    }
    lake
}

const SUMS: &str = "count(*) AS n, sum(h.value % 1000) AS a, sum(i.value % 1000) AS b, min(h.key) AS c, max(i.key) AS d, count(h.period) AS e, count(i.period) AS f";

/// Where periods are computed no folder is known by them.
fn both_ways(sql: &str) -> [String; 2] {
    ["", " || ''"].map(|nothing| sql.replace("$nothing", nothing))
}

async fn check(session: &Session, sql: &str) {
    let [by_folder, at_once] = both_ways(sql);
    let plan = table(session, &format!("EXPLAIN {by_folder}")).await;
    assert!(plan.contains("InTurnsExec"), "{by_folder}\n{plan}");
    let plan = table(session, &format!("EXPLAIN {at_once}")).await;
    assert!(!plan.contains("InTurnsExec"), "{at_once}\n{plan}");
    let rows = table(session, &by_folder).await;
    assert_eq!(rows, table(session, &at_once).await, "{by_folder}");
    assert!(rows.lines().count() > 4, "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_by_folder_are_joins() {
    let lake = lake();
    for partitions in [1, 2, 3] {
        let session = lake.session_within(partitions, None).await;
        for join in ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"] {
            let sql = format!(
                "SELECT {SUMS} FROM s.head h {join} s.item i ON h.period$nothing = i.period$nothing AND h.key = i.key"
            );
            check(&session, &sql).await;
        }
    }
    let session = lake.session_within(2, None).await;
    for sql in [
        // Sides that are filtered and computed, a condition between both, and groups by what is joined by.
        format!(
            "SELECT h.period, h.kind, {SUMS} FROM (SELECT period$nothing AS period, kind, key + 1 AS key, value FROM s.head WHERE \
             value % 3 = 0) h JOIN (SELECT * FROM s.item WHERE kind <> '甲') i ON i.period$nothing = h.period AND h.key = i.key \
             AND h.value < i.value GROUP BY h.period, h.kind ORDER BY 1, 2"
        ),
        "SELECT count(*) AS n, sum(value % 1000) AS s FROM s.head h WHERE EXISTS (SELECT 1 FROM s.item i WHERE i.period$nothing = \
         h.period$nothing AND i.key = h.key)"
            .to_owned(),
        "SELECT count(*) AS n, sum(value % 1000) AS s FROM s.head h WHERE NOT EXISTS (SELECT 1 FROM s.item i WHERE i.period$nothing \
         = h.period$nothing AND i.key = h.key)"
            .to_owned(),
        // The join's rows are divided once more, for groups by a key.
        format!(
            "SELECT count(*) AS n, sum(x) AS x FROM (SELECT h.key, {SUMS}, sum(h.value % 7) AS x FROM s.head h JOIN s.item i ON \
             h.period$nothing = i.period$nothing AND h.key = i.key GROUP BY h.key) q"
        ),
    ] {
        check(&session, &sql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_by_other_columns_is_done_at_once() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    for sql in [
        "SELECT count(*) AS n FROM s.head h JOIN s.item i ON h.key = i.key",
        "SELECT count(*) AS n FROM s.head h JOIN s.item i ON h.period = i.kind AND h.key = i.key",
        // One folder for each thread: nothing to take turns with.
        "SELECT count(*) AS n FROM s.head h JOIN s.item i ON h.period = i.period AND h.key = i.key WHERE h.period IN ('2024-03', '2024-04')",
    ] {
        let plan = table(&session, &format!("EXPLAIN {sql}")).await;
        assert!(!plan.contains("InTurnsExec"), "{sql}\n{plan}");
    }
    let counted = value(
        &session,
        "SELECT count(*) FROM s.head h JOIN s.item i ON h.period = i.period AND h.key = i.key",
    )
    .await;
    assert!(counted.parse::<u64>().unwrap() > 100_000, "{counted}");
}
