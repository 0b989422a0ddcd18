//! Columns whose texts repeat: read as codes, same answers; row groups whose dictionaries have no text that is asked for
//! are not read.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tithe_engine::{EngineOptions, Principal, Session};

use crate::support::{TestLake, message, table, value};

/// Text of a row; `None` is NULL.
type TextOf = fn(i64) -> Option<String>;

/// Writes rows `from..to` in row groups of 5,000: `n`, and two texts.
fn write(lake: &TestLake, name: &str, (from, to): (i64, i64), x: TextOf, y: TextOf, dictionary: bool) {
    let numbers = Int64Array::from_iter_values(from..to);
    let x: StringArray = (from..to).map(x).collect();
    let y: StringArray = (from..to).map(y).collect();
    let columns: [(&str, ArrayRef); 3] = [("n", Arc::new(numbers)), ("x", Arc::new(x)), ("y", Arc::new(y))];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(5_000))
        .set_dictionary_enabled(dictionary)
        .build();
    let file = File::create(lake.path(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn county(n: i64) -> Option<String> {
    (n % 11 != 0).then(|| format!("縣市 {}", n * n % 22))
}

fn other_county(n: i64) -> Option<String> {
    (n % 13 != 0).then(|| format!("縣市 {}", n % 31))
}

fn kind(n: i64) -> Option<String> {
    (n % 3 != 0).then(|| {
        ["應稅", "零稅率", "免稅", "一個比十二個位元組長的稅別"][usize::try_from(n % 4).unwrap()].to_owned()
    })
}

fn nothing(_: i64) -> Option<String> {
    None
}

/// Files whose dictionaries differ, one without any text in `y`, one of an older shape.
fn lake() -> TestLake {
    let lake = TestLake::new();
    write(&lake, "s/t/a.parquet", (0, 12_000), county, kind, true);
    write(&lake, "s/t/b.parquet", (12_000, 19_000), other_county, kind, true);
    write(&lake, "s/t/c.parquet", (19_000, 21_000), county, nothing, true);
    lake
}

async fn session(lake: &TestLake, options: EngineOptions) -> Session {
    lake.engine(options).await.session(Principal::local()).unwrap()
}

const GROUPS: [&str; 7] = [
    "SELECT $x AS a, count(*) AS c, sum(n) AS s, min(n) AS l, count($y) AS k FROM s.t GROUP BY 1",
    "SELECT $x AS a, $y AS b, count(*) AS c, avg(n) AS m FROM s.t GROUP BY 1, 2",
    "SELECT $x AS a, n % 3 AS b, count(*) FILTER (WHERE n > 7000) AS c, max($y) AS m FROM s.t GROUP BY 1, 2",
    "SELECT $y AS a, sum(n) AS s FROM s.t WHERE $x LIKE '%1%' AND n % 2 = 0 GROUP BY 1",
    "SELECT $y AS a, count(*) AS c FROM s.t WHERE $x IS NOT NULL AND $y IS NULL GROUP BY 1",
    "SELECT $x AS a, count(*) AS c FROM s.t WHERE $x IN ('縣市 3', '縣市 4', '縣市 30') OR $y = '免稅' GROUP BY 1",
    "SELECT k AS a, sum(c) AS c FROM (SELECT $x AS k, $y AS j, count(*) AS c FROM s.t GROUP BY 1, 2) GROUP BY 1",
];

/// An expression has no codes: `substr(x, 1)` is the text itself.
fn both_ways(sql: &str) -> [String; 2] {
    [("x", "y"), ("substr(x, 1)", "substr(y, 1)")]
        .map(|(x, y)| format!("{} ORDER BY 1, 2", sql.replace("$x", x).replace("$y", y)))
}

#[tokio::test]
async fn groups_by_codes_are_groups_by_texts() {
    let lake = lake();
    for partitions in [2, 3] {
        let options = EngineOptions { target_partitions: Some(partitions), ..EngineOptions::default() };
        let session = session(&lake, options).await;
        for sql in GROUPS {
            let [coded, plain] = both_ways(sql);
            let plan = table(&session, &format!("EXPLAIN {coded}")).await;
            assert!(plan.contains("CodedGroupsExec"), "{plan}");
            let plan = table(&session, &format!("EXPLAIN {plain}")).await;
            assert!(!plan.contains("CodedGroupsExec"), "{plan}");
            assert_eq!(table(&session, &coded).await, table(&session, &plain).await, "{sql}");
        }
    }
}

#[tokio::test]
async fn groups_by_codes_fit_into_little_memory() {
    let lake = TestLake::new();
    let text: TextOf = |n| Some(format!("一個比十二個位元組長的名稱 {}", n % 400));
    for file in 0..4 {
        write(
            &lake,
            &format!("s/t/{file}.parquet"),
            (file * 50_000, file * 50_000 + 50_000),
            text,
            text,
            true,
        );
    }
    let memory_limit = Some(1500 << 10);
    let small = EngineOptions { target_partitions: Some(2), memory_limit, ..EngineOptions::default() };
    let small = session(&lake, small).await;
    let sql =
        "SELECT count(*) AS c, sum(s) AS s FROM (SELECT x, n % 300 AS k, sum(n) AS s FROM s.t GROUP BY 1, 2)";
    let large = session(&lake, EngineOptions::default()).await;
    assert_eq!(table(&small, sql).await, table(&large, sql).await);
}

#[tokio::test]
async fn rows_that_do_not_repeat_go_on_as_they_are() {
    let lake = TestLake::new();
    // Each text twice in a file, far more pairs than slots.
    let x: TextOf = |n| Some((n % 1000).to_string());
    let y: TextOf = |n| Some((n / 250).to_string());
    for file in 0..2 {
        write(&lake, &format!("s/t/{file}.parquet"), (file * 300_000, file * 300_000 + 300_000), x, y, true);
    }
    let session =
        session(&lake, EngineOptions { target_partitions: Some(2), ..EngineOptions::default() }).await;
    let sql = "SELECT $x AS a, $y AS b, count(*) AS c, sum(n) AS s FROM s.t GROUP BY 1, 2";
    let [coded, plain] = both_ways(sql)
        .map(|sql| format!("SELECT count(*) AS c, sum(c) AS d, sum(s) AS e, max(a) AS f FROM ({sql}) q"));
    assert_eq!(table(&session, &coded).await, table(&session, &plain).await);
}

#[tokio::test]
async fn texts_that_are_not_codes_stay_texts() {
    let lake = lake();
    write(&lake, "s/t/d.parquet", (21_000, 41_000), county, kind, false);
    let session =
        session(&lake, EngineOptions { target_partitions: Some(2), ..EngineOptions::default() }).await;
    for sql in GROUPS {
        let [coded, plain] = both_ways(sql);
        let plan = table(&session, &format!("EXPLAIN {coded}")).await;
        assert!(!plan.contains("CodedGroupsExec"), "{plan}");
        assert_eq!(table(&session, &coded).await, table(&session, &plain).await, "{sql}");
    }
}

#[tokio::test]
async fn a_small_rest_is_read_like_the_others() {
    let lake = TestLake::new();
    // A last row group of 26 rows whose texts do not repeat, as of a writer that cuts rows into groups of one size.
    let x: TextOf = |n| if n < 15_000 { county(n) } else { Some(format!("no other row has this text {n}")) };
    write(&lake, "s/t/a.parquet", (0, 15_026), x, kind, true);
    // A small file without a dictionary, as one that was added last.
    write(&lake, "s/t/b.parquet", (16_000, 17_000), other_county, kind, false);
    let session =
        session(&lake, EngineOptions { target_partitions: Some(2), ..EngineOptions::default() }).await;
    for sql in GROUPS {
        let [coded, plain] = both_ways(sql);
        let plan = table(&session, &format!("EXPLAIN {coded}")).await;
        assert!(plan.contains("CodedGroupsExec"), "{plan}");
        assert_eq!(table(&session, &coded).await, table(&session, &plain).await, "{sql}");
    }
    for condition in ["x LIKE '%縣%'", "x LIKE '%text 15007'", "y LIKE '%稅%' AND x IS NOT NULL", "y IS NULL"]
    {
        let counted = value(&session, &format!("SELECT count(*) FROM s.t WHERE {condition}")).await;
        let summed = format!("SELECT sum(CASE WHEN {condition} THEN 1 ELSE 0 END) FROM s.t");
        assert_eq!(counted, value(&session, &summed).await, "{condition}");
    }
}

#[tokio::test]
async fn row_groups_without_the_text_are_left_out() {
    let lake = TestLake::new();
    // The texts of each row group are its own.
    let x: TextOf = |n| Some(format!("貨品 {:03}", n / 5_000));
    write(&lake, "s/t/a.parquet", (0, 40_000), x, kind, true);
    write(&lake, "s/t/b.parquet", (40_000, 80_000), x, nothing, true);
    let session =
        session(&lake, EngineOptions { target_partitions: Some(2), ..EngineOptions::default() }).await;
    for (condition, rows, files) in [
        ("x LIKE '%貨品 009%'", 5_000, 1),
        ("x LIKE '%品 00%' AND x NOT LIKE '%3'", 45_000, 2),
        ("x LIKE '%團購%'", 0, 0),
        ("character_length(x) = 6 AND right(x, 1) = '1'", 10_000, 2),
        ("y LIKE '%零%' OR y IS NULL", 0, 2),
        ("y LIKE '%稅%'", 26_666, 1),
    ] {
        let plan = table(&session, &format!("EXPLAIN SELECT n FROM s.t WHERE {condition}")).await;
        assert_eq!(plan.matches(".parquet").count(), files, "{condition}: {plan}");
        let counted = value(&session, &format!("SELECT count(*) FROM s.t WHERE {condition}")).await;
        let summed = value(
            &session,
            &format!("SELECT coalesce(sum(CASE WHEN {condition} THEN 1 ELSE 0 END), 0) FROM s.t"),
        )
        .await;
        assert_eq!(counted, summed, "{condition}");
        if rows > 0 {
            assert_eq!(counted, rows.to_string(), "{condition}");
        }
    }
    // What fails for a text fails for its rows.
    let failing = "SELECT count(*) FROM s.t WHERE 1 / (CAST(right(x, 3) AS BIGINT) - 9) = 5";
    assert!(message(&session, failing).await.contains("zero"));
    // Another file with the same name has other texts.
    let other: TextOf = |n| Some(format!("團購 {}", n % 7));
    let asked = "SELECT count(*) FROM s.t WHERE x LIKE '%團購%'";
    assert_eq!(value(&session, asked).await, "0");
    write(&lake, "s/t/b.parquet", (40_000, 80_001), other, nothing, true);
    assert_eq!(value(&session, asked).await, "40001");
}
