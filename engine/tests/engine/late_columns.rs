//! Columns that are read for the rows alone that are kept.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use crate::support::{TestLake, int64, metric, mixed, table};

/// Eight files of rows whose texts are all different, with NULLs; one file has a column more.
fn wide(lake: &TestLake) {
    for file in 0..8 {
        let rows: Vec<i64> = (file * 5_000..(file + 1) * 5_000).collect();
        let texts = |salt| -> ArrayRef {
            let text = |row: &i64| (mixed(*row, salt) % 50 > 0).then(|| format!("統{row}-{salt}"));
            Arc::new(StringArray::from(rows.iter().map(text).collect::<Vec<_>>()))
        };
        let mut columns = vec![
            ("n", int64(&rows.iter().map(|row| mixed(*row, 5)).collect::<Vec<_>>())),
            ("key", texts(0)),
            ("a", texts(1)),
            ("b", texts(2)),
            ("c", texts(3)),
        ];
        if file == 0 {
            columns.push(("late", int64(&rows)));
        }
        lake.nullable(&format!("s/t/p={}/{file}.parquet", file / 4), &columns);
    }
}

/// Rows that the reader of files left out while it decoded them.
async fn left_out(session: &tithe_engine::Session, sql: &str) -> f64 {
    let plan = table(session, &format!("EXPLAIN ANALYZE {sql}")).await;
    plan.lines()
        .filter(|line| line.contains("DataSourceExec"))
        .map(|line| metric(line, "pushdown_rows_pruned"))
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn wide_rows_of_which_few_are_kept() {
    let lake = TestLake::new();
    wide(&lake);
    for partitions in [1, 3] {
        let session = lake.session_within(partitions, None).await;
        let columns = "n, key, a, b, c, late, p";
        let by_place = |order, condition| {
            let places =
                format!("SELECT *, row_number() OVER (ORDER BY {order}) AS place FROM s.t WHERE {condition}");
            format!("SELECT {columns} FROM ({places}) WHERE place <= 7 ORDER BY place")
        };
        for (sql, all) in [
            (format!("SELECT {columns} FROM s.t ORDER BY n, key LIMIT 7"), by_place("n, key", "true")),
            (
                format!("SELECT {columns} FROM s.t WHERE p = 1 AND n > 1000 ORDER BY n DESC, key LIMIT 7"),
                by_place("n DESC, key", "p = 1 AND n > 1000"),
            ),
            (
                format!("SELECT {columns}, length(a) FROM s.t WHERE key = '統777-0'"),
                format!("SELECT {columns}, length(a) FROM s.t WHERE key || '' = '統777-0'"),
            ),
        ] {
            let expected = table(&session, &all).await;
            assert!(expected.lines().count() > 4, "{expected}");
            assert_eq!(table(&session, &sql).await, expected, "{sql}, {partitions}");
            // The first rows of an order are known when the first file has been read; where several are read at a time, that may be late.
            if partitions == 1 {
                assert!(left_out(&session, &sql).await > 4_000.0, "{sql}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_columns_at_once_where_that_costs_less() {
    let lake = TestLake::new();
    wide(&lake);
    let session = lake.session_within(2, None).await;
    for sql in [
        // Hardly anything is read besides.
        "SELECT n, key FROM s.t ORDER BY n LIMIT 7",
        "SELECT n, key FROM s.t WHERE key = '統777-0'",
        // Many rows may be kept.
        "SELECT * FROM s.t WHERE n > 1000",
        "SELECT * FROM s.t ORDER BY n",
        // What may fail is not asked before what it was written after.
        "SELECT * FROM s.t WHERE key = '統777-0' AND 10 / (n - 5) > 0",
    ] {
        assert!(left_out(&session, sql).await == 0.0, "{sql}");
    }
}
