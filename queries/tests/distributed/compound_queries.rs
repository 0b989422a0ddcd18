//! Queries made up from a seed that put several tables, or the same one several times, together.

use crate::random_queries::{Dice, TABLES, Table, filter};
use crate::support::Oracle;

const QUERIES: u64 = 50;

/// The sums and counts of a table by its key.
fn by_key(dice: &mut Dice, table: Table) -> String {
    let number = dice.one(table.numbers);
    let filter = filter(dice, table, "t");
    format!(
        "(SELECT t.{key} AS k, sum(t.{number}) AS x, count(*) AS n FROM {name} t WHERE {filter} GROUP BY t.{key})",
        key = table.key,
        name = table.name
    )
}

/// A query, and whether it orders its rows in full.
fn query(dice: &mut Dice) -> (String, bool) {
    let table = dice.one(&TABLES);
    let other = dice.one(&TABLES);
    let Table { name, key, .. } = table;
    let (group, second) = (dice.one(table.groups), dice.one(table.groups));
    let number = dice.one(table.numbers);
    let filter_a = filter(dice, table, "a");
    let filter_b = filter(dice, other, "b");
    match dice.below(11) {
        0 => {
            let kinds = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"];
            let (first_kind, second_kind) = (dice.one(&kinds), dice.one(&kinds));
            let third = dice.one(&TABLES);
            let (a, b, c) = (by_key(dice, table), by_key(dice, other), by_key(dice, third));
            (
                format!(
                    "SELECT a.k, a.x, b.n, c.x AS z FROM {a} a {first_kind} {b} b ON a.k = b.k \
                     {second_kind} {c} c ON coalesce(a.k, b.k) = c.k"
                ),
                false,
            )
        }
        1 => {
            let kind = dice.one(&["LEFT SEMI", "LEFT ANTI", "RIGHT SEMI", "RIGHT ANTI"]);
            let (a, b) = (by_key(dice, table), by_key(dice, other));
            let more = dice.one(&["", " AND a.x > b.x", " AND a.n <= b.n"]);
            (format!("SELECT * FROM {a} a {kind} JOIN {b} b ON a.k = b.k{more}"), false)
        }
        2 => {
            let exists = dice.one(&["EXISTS", "NOT EXISTS"]);
            (
                format!(
                    "SELECT a.{key} AS k, count(*) AS n, min(a.{number}) AS x FROM {name} a WHERE {filter_a} AND {exists} \
                     (SELECT 1 FROM {} b WHERE b.{} = a.{key} AND {filter_b}) GROUP BY a.{key}",
                    other.name, other.key
                ),
                false,
            )
        }
        3 => (
            format!(
                "SELECT a.{key} AS k, a.{number} AS x, (SELECT max(b.{}) FROM {} b WHERE b.{} = a.{key}) AS y \
                 FROM {name} a WHERE {filter_a} AND a.{number} >= (SELECT median(c.{number}) FROM {name} c \
                 WHERE c.{group} = a.{group})",
                dice.one(other.numbers),
                other.name,
                other.key
            ),
            false,
        ),
        4 => {
            // A column cannot stand twice in one set.
            let other_group = table.groups.iter().find(|column| **column != group);
            let second = if group == second { other_group.expect("two groups") } else { second };
            let sets = match dice.below(3) {
                0 => format!("GROUPING SETS ((a.{group}, a.{second}), (a.{second}), ())"),
                1 => format!("ROLLUP (a.{group}, a.{second})"),
                _ => format!("CUBE (a.{group}, a.{second})"),
            };
            (
                format!(
                    "SELECT a.{group} AS g, a.{second} AS h, sum(a.{number}) AS x, count(DISTINCT a.{key}) AS n \
                     FROM {name} a WHERE {filter_a} GROUP BY {sets}"
                ),
                false,
            )
        }
        5 => {
            // DataFusion 55.2 does not plan windows over a column that is grouped by twice.
            let other_group = table.groups.iter().find(|column| **column != key);
            let group = if group == key { other_group.expect("two groups") } else { group };
            let function = dice.one(&[
                "lag(x, 1, 0)",
                "lead(x)",
                "first_value(x)",
                "last_value(k)",
                "nth_value(x, 2)",
                "ntile(4)",
                "dense_rank()",
                "row_number()",
            ]);
            let frame = dice.one(&["sum(x)", "min(x)", "max(x)", "count(k)"]);
            let width = 1 + dice.below(4);
            (
                format!(
                    "SELECT g, k, x, {function} OVER (PARTITION BY g ORDER BY x, k) AS f, {frame} OVER (PARTITION BY g \
                     ORDER BY x, k ROWS BETWEEN {width} PRECEDING AND 1 FOLLOWING) AS s FROM (SELECT a.{group} AS g, \
                     a.{key} AS k, sum(a.{number}) AS x FROM {name} a WHERE {filter_a} GROUP BY a.{group}, a.{key})"
                ),
                false,
            )
        }
        6 => {
            let (a, b) = (by_key(dice, table), by_key(dice, other));
            let union = dice.one(&["UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
            (
                format!(
                    "SELECT k, x, n FROM (SELECT * FROM {a} a {union} SELECT * FROM {b} b) \
                     ORDER BY x DESC NULLS LAST, k, n LIMIT {} OFFSET {}",
                    1 + dice.below(40),
                    dice.below(20)
                ),
                true,
            )
        }
        7 => (
            format!(
                "SELECT DISTINCT a.{group} AS g, b.k FROM {name} a JOIN {} b ON a.{key} = b.k WHERE {filter_a} \
                 ORDER BY g NULLS FIRST, k LIMIT {}",
                by_key(dice, other),
                1 + dice.below(60)
            ),
            true,
        ),
        8 => (
            format!(
                "SELECT a.{group} AS g, sum(a.{number}) FILTER (WHERE a.{number} % 2 = 0) AS x, count(DISTINCT \
                 a.{second}) AS d, count(DISTINCT a.{key}) AS n, bool_or(a.{number} > 1000) AS b, \
                 array_agg(DISTINCT a.{second} ORDER BY a.{second}) AS l, avg(a.{number}) AS m \
                 FROM {name} a WHERE {filter_a} GROUP BY a.{group}"
            ),
            false,
        ),
        9 => {
            let a = by_key(dice, table);
            (
                format!(
                    "WITH t AS {a} SELECT p.k, p.x, q.n FROM t p JOIN t q ON p.k = q.k WHERE p.x > \
                     (SELECT min(x) FROM t) AND q.k NOT IN (SELECT b.{} FROM {} b WHERE {filter_b} AND b.{} IS NOT NULL)",
                    other.key, other.name, other.key
                ),
                false,
            )
        }
        _ => (
            format!(
                "SELECT g, max(r) AS r, sum(x) AS s FROM (SELECT a.{group} AS g, a.{number} AS x, rank() OVER \
                 (PARTITION BY a.{key} ORDER BY a.{number}) AS r FROM {name} a WHERE {filter_a}) \
                 WHERE r <= {} GROUP BY g HAVING sum(x) IS NOT NULL ORDER BY g NULLS FIRST LIMIT 25",
                1 + dice.below(5)
            ),
            true,
        ),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compound_queries_give_the_same_answer_on_workers() {
    let compared = Oracle::start().await.compare_made_up(QUERIES, |seed| query(&mut Dice(seed))).await;
    assert_eq!(compared.failed, Vec::<String>::new(), "these compare nothing");
    assert!(compared.distributed > 30, "only {} ran on workers", compared.distributed);
}
