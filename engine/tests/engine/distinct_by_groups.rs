//! What is counted distinct beside other aggregates: grouped by first, the same answers, in less memory.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
};
use insta::assert_snapshot;
use tithe_engine::Session;
use tithe_testkit::optimized_plan;

use crate::support::{self, Random, TestLake, table, value};

fn write(lake: &TestLake, name: &str, rows: usize, random: &mut Random) {
    macro_rules! column {
        ($kind:ty, $value:expr) => {{
            let value = $value;
            let values = (0..rows).map(|_| (random.below(8) > 0).then(|| value(&mut *random)));
            values.collect::<$kind>()
        }};
    }
    let number = |random: &mut Random, end| i64::try_from(random.below(end)).unwrap();
    let money = column!(Decimal128Array, |random: &mut Random| i128::from(number(random, 5_000)));
    let columns: [(&str, ArrayRef); 7] = [
        ("county", Arc::new(column!(StringArray, |random: &mut Random| format!("縣市{}", random.below(9))))),
        ("name", Arc::new(column!(StringArray, |random: &mut Random| format!("name {}", random.below(300))))),
        (
            "day",
            Arc::new(column!(Date32Array, |random: &mut Random| i32::try_from(random.below(40)).unwrap())),
        ),
        ("n", Arc::new(column!(Int64Array, |random: &mut Random| number(random, 1_000) - 500))),
        ("yes", Arc::new(column!(BooleanArray, |random: &mut Random| random.below(2) > 0))),
        ("money", Arc::new(money.with_precision_and_scale(12, 2).unwrap())),
        ("float", Arc::new(column!(Float64Array, |random: &mut Random| random.below(9) as f64 / 7.0))),
    ];
    lake.parquet(name, &columns);
}

fn lake() -> TestLake {
    let (lake, mut random) = (TestLake::new(), Random(19));
    for (part, rows) in [3_000, 500, 1_700].into_iter().enumerate() {
        write(&lake, &format!("s/t/{part}.parquet"), rows, &mut random);
    }
    lake
}

async fn plan(session: &Session, sql: &str) -> String {
    optimized_plan(session, sql, Path::new("/lake")).await
}

fn is_grouped(plan: &str) -> bool {
    plan.contains("SubqueryAlias: groups of groups")
}

/// What is counted distinct twice, as one value and as another, is left as it is.
fn the_other_way(sql: &str) -> String {
    sql.replacen(" FROM ", ", count(DISTINCT float) AS left_alone FROM ", 1)
}

/// That the answer is what it is where sets are kept; and whether it is of groups.
async fn check(session: &Session, sql: &str, expected: bool) {
    let shown = plan(session, sql).await;
    assert_eq!(is_grouped(&shown), expected, "{sql}\n{shown}");
    let other = the_other_way(sql);
    assert!(!is_grouped(&plan(session, &other).await), "{other}");
    let columns = session.query(sql).await.unwrap().schema();
    let names: Vec<String> = columns.fields().iter().map(|field| format!("\"{}\"", field.name())).collect();
    let order = (1..=names.len()).map(|place| place.to_string()).collect::<Vec<_>>().join(", ");
    let whole = format!("SELECT {} FROM ({sql}) q ORDER BY {order}", names.join(", "));
    let other = format!("SELECT {} FROM ({other}) q ORDER BY {order}", names.join(", "));
    assert_eq!(table(session, &whole).await, table(session, &other).await, "{sql}");
    let query = session.query(&format!("SELECT {} FROM ({}) q", names.join(", "), the_other_way(sql))).await;
    assert_eq!(columns.fields(), query.unwrap().schema().fields(), "{sql}");
}

const GROUPS: [&str; 6] = ["county", "county, yes", "day", "n % 7", "upper(county)", "name"];
const DISTINCT: [&str; 5] = ["name", "day", "money", "substr(name, 1, 6)", "yes"];
const CALLS: [&str; 14] = [
    "count(*)",
    "count(n)",
    "sum(n)",
    "sum(money)",
    "avg(n)",
    "avg(money)",
    "min(name)",
    "max(day)",
    "max(money)",
    "bool_or(yes)",
    "count(*) FILTER (WHERE yes)",
    "sum(n) FILTER (WHERE county < '縣市5')",
    "avg(n) FILTER (WHERE n > 0)",
    "count(name)",
];

#[tokio::test]
async fn groups_give_what_sets_give() {
    let lake = lake();
    let mut random = Random(31);
    for partitions in [1, 3] {
        let session = lake.session_within(partitions, None).await;
        for batch_size in [100, 8192] {
            table(&session, &format!("SET datafusion.execution.batch_size = {batch_size}")).await;
            for _ in 0..30 {
                let distinct = random.one_of(&DISTINCT);
                let mut columns =
                    vec![format!("count(DISTINCT {distinct}) AS d"), "count(*) AS c".to_owned()];
                if random.below(3) == 0 {
                    columns.push(format!("count(DISTINCT {distinct}) FILTER (WHERE n > 300) AS e"));
                }
                for call in 0..=random.below(4) {
                    columns.push(format!("{} AS v{call}", random.one_of(&CALLS)));
                }
                let condition =
                    random.one_of(&["", "", " WHERE n < -9999", " WHERE yes", " WHERE county IS NULL"]);
                let sql = if random.below(5) == 0 {
                    format!("SELECT {} FROM s.t{condition}", columns.join(", "))
                } else {
                    let group = random.one_of(&GROUPS);
                    format!("SELECT {}, {group} FROM s.t{condition} GROUP BY {group}", columns.join(", "))
                };
                check(&session, &sql, true).await;
            }
        }
    }
}

#[tokio::test]
async fn what_groups_do_not_tell_is_counted_in_sets() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    for sql in [
        "SELECT county, count(*) AS c, count(DISTINCT n) AS d FROM s.t GROUP BY county",
        "SELECT county, sum(n) AS s, count(DISTINCT name) AS d FROM s.t GROUP BY county",
        "SELECT county, count(*) AS c, count(DISTINCT name) AS d, count(DISTINCT day) AS e FROM s.t GROUP BY county",
        "SELECT county, count(*) AS c, sum(float) AS f, count(DISTINCT name) AS d FROM s.t GROUP BY county",
        "SELECT county, count(*) AS c, stddev(n) AS f, count(DISTINCT name) AS d FROM s.t GROUP BY county",
        "SELECT county, count(*) AS c, sum(DISTINCT n) AS f, count(DISTINCT name) AS d FROM s.t GROUP BY county",
        "SELECT count(*) AS c, count(DISTINCT CAST(substr(name, 6) AS BIGINT) || '') FILTER (WHERE name IS NOT NULL) AS d FROM s.t",
        "SELECT count(*) AS c, count(DISTINCT float) AS d FROM s.t",
    ] {
        let shown = plan(&session, sql).await;
        assert!(!is_grouped(&shown), "{sql}\n{shown}");
    }
}

#[tokio::test]
async fn the_plan() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    let sql = "SELECT county, count(*) AS c, count(DISTINCT name) AS d, avg(n) FILTER (WHERE yes) AS m, count(DISTINCT name) \
               FILTER (WHERE n > 0) AS e FROM s.t WHERE day IS NOT NULL GROUP BY county HAVING count(*) > 1";
    assert_snapshot!(plan(&session, sql).await);
}

#[tokio::test]
async fn many_groups_need_little_memory() {
    let lake = TestLake::new();
    let names: Vec<String> = (0..150_000).map(|n| format!("invoice number {n:08}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    lake.parquet("s/t/a.parquet", &[("k", support::text(&names)), ("v", support::text(&names))]);
    let session = lake.session_within(2, Some(96 << 20)).await;
    let sql = "SELECT sum(c) FROM (SELECT k, count(*) AS c, count(DISTINCT v) AS d FROM s.t GROUP BY k HAVING count(*) = 1) q";
    assert_eq!(value(&session, sql).await, "150000");
}
