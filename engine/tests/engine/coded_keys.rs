//! Groups by what is computed of days and other whole numbers, and by branches: found by codes, same answers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int16Array, Int64Array, StringArray};
use tithe_engine::Session;

use crate::support::{TestLake, message, mixed, table};

/// Rows `from..to`; all columns but `n` have NULLs. Days go from `first` on, `days` of them.
fn write(lake: &TestLake, name: &str, (from, to): (i64, i64), (first, days): (i64, i64)) {
    let rows = || from..to;
    let number = |salt: i64, most: i64| {
        move |row: i64| (mixed(row, salt) % 9 != 0).then(|| mixed(row, salt + 40) % most)
    };
    let day: Date32Array =
        rows().map(|row| number(1, days)(row).map(|day| i32::try_from(first + day).unwrap())).collect();
    let small: Int16Array =
        rows().map(|row| number(2, 70)(row).map(|small| i16::try_from(small - 35).unwrap())).collect();
    let wide: Int64Array = rows().map(|row| number(3, 3)(row).map(|wide| (wide - 1) << 40)).collect();
    let county: StringArray =
        rows().map(|row| number(4, 22)(row).map(|county| format!("縣市 {county}"))).collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("n", Arc::new(Int64Array::from_iter_values(rows()))),
        ("day", Arc::new(day)),
        ("small", Arc::new(small)),
        ("wide", Arc::new(wide)),
        ("county", Arc::new(county)),
    ];
    lake.parquet(name, &columns);
}

/// The ranges of days grow from file to file, to both sides; the last one is far away.
fn lake() -> TestLake {
    let lake = TestLake::new();
    write(&lake, "s/t/a.parquet", (0, 9_000), (19_000, 400));
    write(&lake, "s/t/b.parquet", (9_000, 15_000), (18_700, 1_000));
    write(&lake, "s/t/c.parquet", (15_000, 16_000), (-30, 60));
    write(&lake, "s/far/a.parquet", (0, 9_000), (19_000, 400));
    write(&lake, "s/far/b.parquet", (9_000, 12_000), (60_000, 40_000));
    lake
}

async fn session(lake: &TestLake, partitions: usize) -> Session {
    let session = lake.session_within(partitions, None).await;
    table(&session, "SET datafusion.execution.batch_size = 1000").await;
    session
}

const MONTH: &str = "date_trunc('month', $day)";
const SIZE: &str = "CASE WHEN $small < -20 THEN 'small' WHEN $small < 10 THEN '中' WHEN $small > 30 THEN NULL ELSE 'large' END";
const KEYS: [&str; 14] = [
    MONTH,
    "extract(year FROM $day)",
    "date_part('dow', $day), county",
    "county, date_trunc('quarter', $day)",
    "$day, county",
    "$small % 7",
    "$small * 2 + 1, $day",
    "$small / 10, extract(month FROM $day), county",
    SIZE,
    "CASE WHEN $small = 3 THEN 1 WHEN $day > DATE '2022-05-01' THEN 2 END, county",
    "CASE $small % 3 WHEN 1 THEN DATE '2020-01-01' WHEN 2 THEN DATE '2020-01-02' ELSE DATE '2020-01-01' END",
    "CASE county WHEN '縣市 1' THEN 'one' WHEN '縣市 2' THEN 'two' ELSE 'other' END, $small",
    "county, $wide",
    "CASE WHEN $wide > 0 THEN 'p' ELSE 'n' END, date_trunc('week', $day), $small",
];

/// `sql` where keys have codes and where they have none.
fn both_ways(sql: &str) -> [String; 2] {
    // Of two columns: nothing that is computed once for each number of one.
    let plain = [("day", "day"), ("small", "small"), ("wide", "wide")]
        .map(|(column, name)| (format!("${column}"), format!("(CASE WHEN n < 0 THEN NULL ELSE {name} END)")));
    let coded = ["day", "small", "wide"].map(|column| (format!("${column}"), column.to_owned()));
    [coded, plain]
        .map(|names| names.iter().fold(sql.to_owned(), |sql, (place, column)| sql.replace(place, column)))
}

#[tokio::test]
async fn groups_by_codes_of_keys_are_groups_by_keys() {
    let lake = lake();
    for partitions in [2, 3] {
        let session = session(&lake, partitions).await;
        for table_name in ["s.t", "s.far"] {
            for keys in KEYS {
                let sql = format!(
                    "SELECT {keys}, count(*) AS c, sum(n) AS s, min(county) AS l, count($day) FILTER (WHERE $small > 0) AS d \
                     FROM {table_name} GROUP BY {keys} ORDER BY c, s, l, d"
                );
                let [coded, plain] = both_ways(&sql);
                let shown = table(&session, &format!("EXPLAIN {coded}")).await;
                // Of `s.far` the answers count alone: its texts are not always read as codes.
                assert!(table_name == "s.far" || shown.contains("CodedGroupsExec"), "{coded}\n{shown}");
                let schemas = [&coded, &plain].map(|sql| session.query(sql));
                let [coded_schema, plain_schema] =
                    futures::future::join_all(schemas).await.try_into().unwrap();
                let types = |query: tithe_engine::Query| {
                    query.schema().fields().iter().map(|field| field.data_type().clone()).collect::<Vec<_>>()
                };
                assert_eq!(types(coded_schema.unwrap()), types(plain_schema.unwrap()), "{coded}");
                let (coded_rows, plain_rows) = (rows(&session, &coded).await, rows(&session, &plain).await);
                assert_eq!(coded_rows, plain_rows, "{coded}");
                assert!(coded_rows.len() > 1, "{coded}: {coded_rows:?}");
            }
        }
    }
}

/// Without the line of names, which say how a key is computed.
async fn rows(session: &Session, sql: &str) -> Vec<String> {
    let shown = table(session, sql).await;
    // Frames are as wide as names.
    let mut rows: Vec<String> =
        shown.lines().skip(3).filter(|line| !line.starts_with('+')).map(words).collect();
    rows.sort();
    rows
}

/// Columns are as wide as their names.
fn words(line: &str) -> String {
    line.split('|').map(str::trim).collect::<Vec<_>>().join("|")
}

#[tokio::test]
async fn keys_without_codes_are_left_alone() {
    let lake = lake();
    let session = session(&lake, 2).await;
    for keys in [
        "n",
        "day",
        "day, small",
        "county, n + small",
        "random() > 2",
        "CASE WHEN small > 3 THEN county ELSE 'none' END",
        "1 / small",
    ] {
        let sql = format!("EXPLAIN SELECT {keys}, count(*) FROM s.t GROUP BY {keys}");
        let shown = table(&session, &sql).await;
        assert!(!shown.contains("CodedGroupsExec"), "{keys}\n{shown}");
    }
}

#[tokio::test]
async fn what_fails_for_a_row_fails() {
    let lake = lake();
    write(&lake, "s/ancient/a.parquet", (0, 100), (-1_000_000, 5));
    let session = session(&lake, 2).await;
    let coded =
        message(&session, "SELECT date_trunc('month', day), count(*) FROM s.ancient GROUP BY 1").await;
    let plain = message(&session, "SELECT date_trunc('month', day) FROM s.ancient").await;
    assert_eq!(coded, plain);
}
