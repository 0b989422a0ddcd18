//! Queries made up from a seed: filters, groups, joins, windows, limits, unions, DISTINCT.

use crate::support::Oracle;

const QUERIES: u64 = 60;

/// SplitMix64: the same sequence everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A table, its key, what groups it, and a whole number in it.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) groups: &'static [&'static str],
    pub(crate) numbers: &'static [&'static str],
}

pub(crate) const TABLES: [Table; 5] = [
    Table {
        name: "invoice.header",
        key: "seller_ban",
        groups: &["period", "seller_county_code", "tax_kind", "seller_industry_code", "buyer_ban"],
        numbers: &["sales_amount", "tax_amount", "total_amount"],
    },
    Table {
        name: "tax.vat_return",
        key: "ban",
        groups: &["period", "form", "ban"],
        numbers: &["sales_amount", "output_tax", "input_tax", "tax_payable"],
    },
    Table {
        name: "tax.payment",
        key: "taxpayer_id",
        groups: &["tax_type", "county_code"],
        numbers: &["amount"],
    },
    Table {
        name: "tax.revenue_monthly",
        key: "county_code",
        groups: &["tax_type", "county_code", "month"],
        numbers: &["net_collections"],
    },
    Table {
        name: "tax.withholding",
        key: "payee_id",
        groups: &["code", "year", "bureau_code", "payer_ban"],
        numbers: &["gross_amount", "withheld_amount"],
    },
];

pub(crate) fn filter(dice: &mut Dice, table: Table, alias: &str) -> String {
    let (group, number) = (dice.one(table.groups), dice.one(table.numbers));
    match dice.below(5) {
        0 => format!("{alias}.{number} > {}", dice.below(50_000)),
        1 => format!("{alias}.{number} BETWEEN {} AND {}", dice.below(1000), 1000 + dice.below(1_000_000)),
        2 => format!("{alias}.{group} IS NOT NULL AND {alias}.{number} % {} = 0", 2 + dice.below(5)),
        3 => format!("length(CAST({alias}.{group} AS VARCHAR)) > {}", dice.below(6)),
        _ => "true".to_owned(),
    }
}

/// A query, and whether it orders its rows in full.
fn query(dice: &mut Dice) -> (String, bool) {
    let table = dice.one(&TABLES);
    let (name, key) = (table.name, table.key);
    let (group, second) = (dice.one(table.groups), dice.one(table.groups));
    let number = dice.one(table.numbers);
    let filter_a = filter(dice, table, "a");
    match dice.below(9) {
        0 => {
            let aggregate = dice.one(&["sum", "min", "max", "count", "avg", "median"]);
            (
                format!(
                    "SELECT a.{group} AS g, {aggregate}(a.{number}) AS x, count(*) AS n FROM {name} a \
                     WHERE {filter_a} GROUP BY a.{group} ORDER BY g NULLS FIRST"
                ),
                true,
            )
        }
        1 => (
            format!(
                "SELECT a.{group} AS g, a.{second} AS h, sum(a.{number}) AS x, count(DISTINCT a.{key}) AS n \
                 FROM {name} a WHERE {filter_a} GROUP BY a.{group}, a.{second} HAVING count(*) > {}",
                dice.below(3)
            ),
            false,
        ),
        2 => (
            format!(
                "SELECT a.{key} AS k, a.{number} AS x FROM {name} a WHERE {filter_a} \
                 ORDER BY x DESC, k LIMIT {} OFFSET {}",
                1 + dice.below(50),
                dice.below(10)
            ),
            true,
        ),
        3 => {
            let other = dice.one(&TABLES);
            let filter_b = filter(dice, other, "b");
            let kind = dice.one(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
            (
                format!(
                    "SELECT a.k, a.x, b.y FROM (SELECT a.{key} AS k, sum(a.{number}) AS x FROM {name} a \
                     WHERE {filter_a} GROUP BY a.{key}) a {kind} (SELECT b.{} AS k, count(*) AS y FROM {} b \
                     WHERE {filter_b} GROUP BY b.{}) b ON a.k = b.k",
                    other.key, other.name, other.key
                ),
                false,
            )
        }
        4 => (
            format!(
                "SELECT k, x, rank() OVER (PARTITION BY g ORDER BY x DESC, k) AS r, \
                 sum(x) OVER (PARTITION BY g ORDER BY x, k ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s \
                 FROM (SELECT a.{group} AS g, a.{key} AS k, sum(a.{number}) AS x FROM {name} a WHERE {filter_a} \
                 GROUP BY a.{group}, a.{key})"
            ),
            false,
        ),
        5 => {
            let other = dice.one(&TABLES);
            let union = dice.one(&["UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
            let filter_b = filter(dice, other, "b");
            (
                format!(
                    "SELECT a.{key} AS k FROM {name} a WHERE {filter_a} {union} \
                     SELECT b.{} FROM {} b WHERE {filter_b}",
                    other.key, other.name
                ),
                false,
            )
        }
        6 => (format!("SELECT DISTINCT a.{group}, a.{second} AS h FROM {name} a WHERE {filter_a}"), false),
        7 => {
            let other = dice.one(&TABLES);
            let filter_b = filter(dice, other, "b");
            let is = dice.one(&["IN", "NOT IN"]);
            (
                format!(
                    "SELECT a.{key} AS k, count(*) AS n, max(a.{number}) AS x FROM {name} a WHERE {filter_a} \
                     AND a.{key} {is} (SELECT b.{} FROM {} b WHERE {filter_b} AND b.{} IS NOT NULL) GROUP BY a.{key}",
                    other.key, other.name, other.key
                ),
                false,
            )
        }
        _ => (
            format!(
                "SELECT count(*) AS n, sum(a.{number}) AS x, min(a.{group}) AS g, \
                 (SELECT max({number}) FROM {name}) AS m, approx_distinct(a.{key}) > 0 AS d \
                 FROM {name} a WHERE {filter_a}"
            ),
            true,
        ),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_queries_give_the_same_answer_on_workers() {
    let compared = Oracle::start().await.compare_made_up(QUERIES, |seed| query(&mut Dice(seed))).await;
    assert!(compared.distributed > 20, "only {} ran on workers", compared.distributed);
}
