//! Filters by texts that repeat: asked once for each text, same answers.

use tithe_engine::Session;

use crate::support::{TestLake, int64, table, text};

const CONDITIONS: [&str; 12] = [
    "x LIKE '%團購%'",
    "x NOT LIKE '%團購%'",
    "x LIKE '手工%' OR x LIKE '%茶'",
    "x ILIKE '%TEA%' AND x <> 'Tea'",
    "x ~ '^(手工|團購).*[0-9]$'",
    "NOT (x LIKE '%1%') AND n > 100",
    "x LIKE '%2%' AND y LIKE '%茶%'",
    "x LIKE '%2%' OR y LIKE '%茶%' OR n % 7 = 0",
    "NOT contains(x, '購')",
    "character_length(x) > 5 OR x IS NULL",
    "upper(x) IN ('TEA', '手工餅乾')",
    "CASE WHEN x LIKE '%茶%' THEN n > 50 ELSE starts_with(x, '團') END",
];

/// Two files of several row groups: texts that repeat, short and long, with NULLs; `y` hardly repeats.
fn lake() -> TestLake {
    let kinds = [
        "團購",
        "手工餅乾",
        "一個比十二個位元組長的團購名稱 1",
        "一個比十二個位元組長的茶",
        "Tea",
        "TEA",
        "",
    ];
    let lake = TestLake::new();
    for file in 0..2 {
        let numbers: Vec<i64> = (0..30_000).map(|row| row * 3 + file).collect();
        let x: Vec<String> =
            numbers.iter().map(|n| kinds[usize::try_from(n * n % 7).unwrap()].to_owned()).collect();
        let y: Vec<String> = numbers.iter().map(|n| format!("茶或者咖啡 {n}")).collect();
        let x: Vec<&str> = x.iter().map(String::as_str).collect();
        let y: Vec<&str> = y.iter().map(String::as_str).collect();
        lake.parquet(
            &format!("s/t/{file}.parquet"),
            &[("n", int64(&numbers)), ("x", text(&x)), ("y", text(&y))],
        );
    }
    lake
}

#[tokio::test]
async fn filters_agree_with_sums_over_all_rows() {
    let lake = lake();
    let session = lake.session().await;
    // An empty text stands for NULL.
    let from = "FROM (SELECT n, nullif(x, '') AS x, y FROM s.t)";
    for condition in CONDITIONS {
        let filtered =
            rows(&session, &format!("SELECT count(*) AS a, sum(n) AS b {from} WHERE {condition}")).await;
        let summed = rows(
            &session,
            &format!(
                "SELECT sum(CASE WHEN {condition} THEN 1 ELSE 0 END) AS a, sum(CASE WHEN {condition} THEN n END) AS b {from}"
            ),
        )
        .await;
        assert_eq!(filtered, summed, "{condition}");
        let stored = condition.replace("x IS NULL", "x = ''");
        let filtered = rows(&session, &format!("SELECT count(*) AS a FROM s.t WHERE {stored}")).await;
        let summed =
            rows(&session, &format!("SELECT sum(CASE WHEN {stored} THEN 1 ELSE 0 END) AS a FROM s.t")).await;
        assert_eq!(filtered, summed, "{stored}");
    }
}

#[tokio::test]
async fn the_plan_says_what_is_asked_once() {
    let lake = lake();
    let session = lake.session().await;
    let plan = |sql: &'static str| {
        let session = session.clone();
        async move { rows(&session, &format!("EXPLAIN {sql}")).await }
    };
    let searched = plan("SELECT n FROM s.t WHERE x LIKE '%團購%' AND n > 5 AND y = x").await;
    assert!(searched.contains("once_per_text(CAST(x@1 AS Utf8View) LIKE %團購%)"), "{searched}");
    for sql in [
        // To compare is as cheap as to look up; two columns have too many pairs; chance differs from row to row.
        "SELECT n FROM s.t WHERE x = '團購'",
        "SELECT n FROM s.t WHERE x LIKE concat('%', y, '%')",
        "SELECT n FROM s.t WHERE concat(x, CAST(random() AS VARCHAR)) LIKE '%5'",
    ] {
        let plan = plan(sql).await;
        assert!(!plan.contains("once_per_text"), "{plan}");
    }
}

#[tokio::test]
async fn a_text_of_a_row_that_is_left_out_is_not_asked_about() {
    let lake = TestLake::new();
    let numbers: Vec<i64> = (0..1000).collect();
    let x: Vec<&str> = numbers.iter().map(|n| if n % 2 == 0 { "7" } else { "not a number" }).collect();
    lake.parquet("s/t/a.parquet", &[("n", int64(&numbers)), ("x", text(&x))]);
    let session = lake.session().await;
    let sql = "SELECT count(*) FROM (SELECT x FROM s.t WHERE n % 2 = 0 ORDER BY n LIMIT 900) \
               WHERE CAST(lower(x) AS BIGINT) = 7";
    assert!(rows(&session, sql).await.contains("500"));
}

/// The rows of an answer without the names of its columns.
async fn rows(session: &Session, sql: &str) -> String {
    table(session, sql).await.lines().skip(3).collect::<Vec<_>>().join("\n")
}
