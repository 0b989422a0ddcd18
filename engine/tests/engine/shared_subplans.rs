//! Aggregates that a query asks for several times: computed once, with the same answers.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use insta::assert_snapshot;
use tithe_engine::Session;

use crate::support::{Random, TestLake, message, metric, plan, table, value};

/// Rows `from..to`: `n` is their number; the others have NULLs.
fn write(lake: &TestLake, name: &str, from: i64, to: i64) {
    let mut random = Random(from.cast_unsigned());
    let mut column = |most: usize| -> Vec<Option<i64>> {
        let value = |_row| (random.below(9) > 0).then(|| i64::try_from(random.below(most)).unwrap());
        (from..to).map(value).collect()
    };
    let text = |keys: Vec<Option<i64>>| -> StringArray {
        keys.into_iter().map(|key| key.map(|key| format!("統一編號 {key:08}"))).collect()
    };
    let columns: [(&str, ArrayRef); 4] = [
        ("n", Arc::new(Int64Array::from_iter_values(from..to))),
        ("seller", Arc::new(text(column(20)))),
        ("buyer", Arc::new(text(column(25)))),
        ("amount", Arc::new(Int64Array::from_iter(column(1000)))),
    ];
    lake.nullable(name, &columns);
}

fn lake() -> TestLake {
    let lake = TestLake::new();
    write(&lake, "s/t/a.parquet", 0, 9_000);
    write(&lake, "s/t/b.parquet", 9_000, 12_500);
    write(&lake, "s/t/c.parquet", 12_500, 13_000);
    lake
}

const TRADE: &str = "(SELECT seller, buyer, sum(amount) AS total, count(*) AS c, avg(amount) FILTER (WHERE n > 100) AS mean, \
                     min(amount) AS low FROM s.t WHERE n > -$number GROUP BY seller, buyer)";

const JOINED: &str = "(SELECT l.seller, r.buyer, sum(l.amount) AS total, max(r.amount) AS other, count(*) AS pairs FROM s.t l JOIN \
                      s.t r ON l.n = r.n + 1 AND l.amount + r.amount <> 77 WHERE l.n > -$number GROUP BY l.seller, r.buyer)";

/// `sql` with the aggregate in place of each `$trade` or `$joined`: always the same, and each with a condition of its own that is
/// always true.
fn both_ways(sql: &str) -> [String; 2] {
    let (mut once, mut apart) = (sql.to_owned(), sql.to_owned());
    let mut number = 0;
    for (name, aggregate) in [("$trade", TRADE), ("$joined", JOINED)] {
        once = once.replace(name, &aggregate.replace("$number", "1"));
        while apart.contains(name) {
            number += 1;
            apart = apart.replacen(name, &aggregate.replace("$number", &number.to_string()), 1);
        }
    }
    [once, apart]
}

/// Aggregates of which not all columns are asked for in the same way.
const OF_OTHER_COLUMNS: [(&str, usize); 7] = [
    (
        "SELECT count(*) AS n, sum(a.total) AS total FROM $trade a JOIN $trade b ON a.seller = b.buyer AND a.buyer = b.seller",
        2,
    ),
    (
        "SELECT a.seller, b.total AS t FROM $trade a JOIN $trade b ON a.seller = b.buyer AND a.buyer = b.seller ORDER BY 1, 2",
        2,
    ),
    // Neither has all that the other has.
    (
        "SELECT count(*) AS n, sum(a.total) AS t, sum(b.c) AS c FROM $trade a JOIN $trade b ON a.seller = b.buyer AND a.buyer = \
         b.seller",
        0,
    ),
    // The third has.
    (
        "SELECT count(*) AS n, sum(a.total) AS t, sum(b.c) AS c FROM $trade a JOIN $trade b ON a.seller = b.buyer AND a.buyer = \
         b.seller JOIN $trade c ON a.seller = c.seller AND a.buyer = c.buyer WHERE c.total > c.c * 100",
        3,
    ),
    (
        "SELECT seller, buyer, mean, low, c FROM $trade a WHERE low = (SELECT min(low) FROM $trade b) OR c = (SELECT max(c) FROM \
         $trade d) OR EXISTS (SELECT 1 FROM $trade e WHERE e.buyer = a.seller AND e.seller = a.buyer AND e.mean > 700) ORDER BY 1, 2",
        4,
    ),
    // Made of rows that are joined, from either side.
    (
        "SELECT count(*) AS n, sum(a.total) AS t, sum(a.pairs) AS p FROM $joined a JOIN $joined b ON a.seller = b.buyer AND a.buyer \
         = b.seller",
        2,
    ),
    (
        "SELECT count(*) AS n, sum(b.total) AS t, sum(b.other) AS p FROM $joined a LEFT JOIN $joined b ON a.seller = b.buyer AND \
         a.buyer = b.seller AND b.pairs > 30",
        2,
    ),
];

const QUERIES: [(&str, usize); 8] = [
    (
        "SELECT a.seller, a.buyer, a.total, b.total AS back FROM $trade a JOIN $trade b ON a.seller = b.buyer AND a.buyer = \
         b.seller ORDER BY 1, 2",
        2,
    ),
    (
        "SELECT a.seller, count(*) AS c, sum(a.total) AS r, sum(b.total) AS s FROM $trade a LEFT JOIN $trade b ON a.buyer = \
         b.seller AND b.c > 2 WHERE a.c > 1 GROUP BY a.seller ORDER BY 1",
        2,
    ),
    (
        "SELECT seller, buyer, total FROM $trade a UNION ALL SELECT buyer, seller, total FROM $trade b ORDER BY 1, 2, 3",
        2,
    ),
    (
        "SELECT count(*) AS c, min(x) AS x FROM (SELECT total AS x FROM $trade a UNION ALL (SELECT total FROM $trade b LIMIT 3)) q",
        2,
    ),
    ("SELECT seller, buyer FROM $trade a WHERE total = (SELECT max(total) FROM $trade b) ORDER BY 1, 2", 2),
    (
        "SELECT a.seller, a.total FROM $trade a WHERE a.buyer IN (SELECT seller FROM $trade b WHERE total > 3000) ORDER BY 1, 2",
        2,
    ),
    (
        "SELECT a.seller, a.total, b.total AS p, c.total AS q FROM $trade a JOIN $trade b ON a.seller = b.buyer JOIN $trade c ON \
         b.seller = c.buyer AND c.seller = a.buyer WHERE a.c + b.c + c.c > 14 ORDER BY 1, 2, 3, 4",
        3,
    ),
    (
        "SELECT a.seller, a.s, b.s AS t FROM (SELECT seller, sum(total) AS s, sum(c) AS c FROM $trade x GROUP BY seller) a JOIN \
         (SELECT buyer, sum(total) AS s, sum(c) AS c FROM $trade y GROUP BY buyer) b ON a.seller = b.buyer WHERE a.c + b.c > 300 \
         ORDER BY 1",
        2,
    ),
];

#[tokio::test]
async fn once_gives_what_twice_gives() {
    let lake = lake();
    for (partitions, batch) in [(1, 8192), (2, 50), (3, 1000)] {
        let session = lake.session_within(partitions, None).await;
        table(&session, &format!("SET datafusion.execution.batch_size = {batch}")).await;
        for (sql, readers) in QUERIES.into_iter().chain(OF_OTHER_COLUMNS) {
            let [once, apart] = both_ways(sql);
            let shown = plan(&session, &once).await;
            assert_eq!(shown.matches("SharedExec: number=1").count(), readers, "{once}\n{shown}");
            assert!(!plan(&session, &apart).await.contains("SharedExec"), "{apart}");
            let expected = table(&session, &apart).await;
            for _ in 0..2 {
                assert_eq!(table(&session, &once).await, expected, "{once}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_shared_may_be_made_of_what_is_shared() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    let sql = "WITH sellers AS (SELECT seller, sum(total) AS total, sum(c) AS c FROM $trade x GROUP BY seller) SELECT a.seller, \
               a.total, b.c, t.buyer, t.total AS part FROM sellers a JOIN sellers b ON a.total = b.total JOIN $trade t ON \
               t.seller = b.seller WHERE a.c + b.c > 10 AND t.c > 3 ORDER BY 1, 4";
    let [once, apart] = both_ways(sql);
    let shown = plan(&session, &once).await;
    let mut times =
        [1, 2].map(|number| shown.matches(&format!("SharedExec: number={number}, readers=2")).count());
    times.sort_unstable();
    // Twice the sellers, in each of which is the trade, which is asked for once more.
    assert_eq!(times, [2, 3], "{shown}");
    assert_eq!(table(&session, &once).await, table(&session, &apart).await);
    // All rows are read once; the other scans were not run.
    let ran = table(&session, &format!("EXPLAIN ANALYZE {once}")).await;
    let scans = ran.lines().filter(|line| line.contains("DataSourceExec") && line.contains("output_rows="));
    let rows = scans.map(|line| metric(line, "output_rows"));
    assert_eq!(rows.sum::<f64>(), 13_000.0, "{ran}");
}

#[tokio::test]
async fn what_is_not_the_same_is_not_shared() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    let ours = "(SELECT seller, sum(amount) AS total FROM s.t WHERE n > 5 GROUP BY seller)";
    for other in [
        "(SELECT seller, sum(amount) AS total FROM s.t WHERE n > 6 GROUP BY seller)",
        "(SELECT seller, sum(amount) AS total FROM s.t WHERE n >= 5 GROUP BY seller)",
        "(SELECT seller, sum(amount) AS total FROM s.t GROUP BY seller)",
        "(SELECT buyer AS seller, sum(amount) AS total FROM s.t WHERE n > 5 GROUP BY buyer)",
        "(SELECT seller, sum(n) AS total FROM s.t WHERE n > 5 GROUP BY seller)",
        "(SELECT seller, max(amount) AS total FROM s.t WHERE n > 5 GROUP BY seller)",
        "(SELECT seller, buyer, sum(amount) AS total FROM s.t WHERE n > 5 GROUP BY seller, buyer)",
        "(SELECT seller, sum(DISTINCT amount) AS total FROM s.t WHERE n > 5 GROUP BY seller)",
        "(SELECT seller, sum(amount) FILTER (WHERE n > 9) AS total FROM s.t WHERE n > 5 GROUP BY seller)",
        "(SELECT seller, sum(amount) AS total FROM s.t WHERE n > 5 AND random() >= 0 GROUP BY seller)",
        "(SELECT seller, sum(amount) AS total FROM (SELECT * FROM s.t LIMIT 12000) q WHERE n > 5 GROUP BY seller)",
    ] {
        let sql = format!(
            "SELECT a.seller, a.total, b.total AS other FROM {ours} a JOIN {other} b ON a.seller = b.seller"
        );
        let shown = plan(&session, &sql).await;
        assert!(!shown.contains("SharedExec"), "{sql}\n{shown}");
    }
    let random = "(SELECT seller, sum(amount * random()) AS total FROM s.t GROUP BY seller)";
    let sql = format!(
        "SELECT a.seller FROM {random} a JOIN {random} b ON a.seller = b.seller WHERE a.total > b.total"
    );
    assert!(!plan(&session, &sql).await.contains("SharedExec"));
    let sql = "WITH RECURSIVE r AS (SELECT 1 AS i, 0 AS total UNION ALL SELECT i + 1, CAST(a.total + b.total AS BIGINT) FROM r, \
               (SELECT sum(amount) AS total FROM s.t) a, (SELECT sum(amount) AS total FROM s.t) b WHERE i < 3) SELECT count(*) FROM r";
    assert!(!plan(&session, sql).await.contains("SharedExec"));
    assert_eq!(value(&session, sql).await, "3");
}

#[tokio::test]
async fn what_fails_fails_for_all() {
    let lake = lake();
    let session = lake.session_within(2, None).await;
    let failing = "(SELECT seller, sum(amount / (n - 7777)) AS total FROM s.t GROUP BY seller)";
    let sql = format!(
        "SELECT a.seller, b.total FROM {failing} a JOIN {failing} b ON a.seller = b.seller AND a.total > b.total - 1"
    );
    assert!(plan(&session, &sql).await.contains("SharedExec"));
    let alone = message(&session, &format!("SELECT * FROM {failing} a")).await;
    assert_eq!(message(&session, &sql).await, alone);
    // The session goes on.
    assert_eq!(value(&session, "SELECT count(*) FROM s.t").await, "13000");
}

#[tokio::test]
async fn rows_beyond_the_memory_are_kept_on_disk() {
    let lake = TestLake::new();
    for file in 0..4 {
        write(&lake, &format!("s/t/{file}.parquet"), file * 60_000, (file + 1) * 60_000);
    }
    let sql = "SELECT count(*) AS c, sum(a.total - b.total) AS s, max(a.k) AS k FROM $groups a JOIN $groups b ON a.k = b.k + 1";
    let groups = "(SELECT n % 100000 AS k, sum(amount) AS total, max(repeat(seller, 4)) AS name FROM s.t WHERE n > -$ GROUP BY 1)";
    let once = sql.replace("$groups", &groups.replace('$', "1"));
    let apart =
        sql.replacen("$groups", &groups.replace('$', "1"), 1).replace("$groups", &groups.replace('$', "2"));
    let large = lake.session_within(2, None).await;
    let expected = table(&large, &apart).await;
    assert_eq!(table(&large, &once).await, expected);
    let small = lake.session_within(2, Some(SMALL)).await;
    assert!(plan(&small, &once).await.contains("SharedExec"));
    for _ in 0..2 {
        assert_eq!(table(&small, &once).await, expected);
    }
}

/// Too little for what is kept, beside a join.
const SMALL: usize = 24 << 20;

/// The operators of `sql`, without the files.
async fn operators(session: &Session, sql: &str) -> String {
    let shown = plan(session, sql).await;
    let physical = shown.lines().skip_while(|line| !line.contains("physical_plan"));
    let operators =
        physical.filter_map(|line| line.split('|').nth(2)).filter(|line| !line.contains("DataSource"));
    operators.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_plan_shows_what_is_shared() {
    let lake = lake();
    let sql = "WITH trade AS (SELECT seller, buyer, sum(amount) AS total FROM s.t GROUP BY seller, buyer) SELECT a.seller, a.total, \
               b.total AS back FROM trade a JOIN trade b ON a.seller = b.buyer AND a.buyer = b.seller";
    assert_snapshot!(operators(&lake.session_within(2, None).await, sql).await);
}
