//! The queries of the TPC-H benchmark.

use tpchgen::q_and_a::queries::query;

/// One of the 22 queries, with the parameters by which implementations are validated.
#[derive(Debug, Clone)]
pub struct TpchQuery {
    /// As in `Q1`.
    pub name: String,
    /// Names the tables without their schema.
    pub sql: String,
    /// Whether it orders its rows in full.
    pub ordered: bool,
}

/// The parameters of every query, in their order, and how many rows the benchmark asks for.
const PARAMETERS: [(&[&str], Option<usize>); 22] = [
    (&["90"], None),
    (&["15", "BRASS", "EUROPE"], Some(100)),
    (&["BUILDING", "1995-03-15"], Some(10)),
    (&["1993-07-01"], None),
    (&["ASIA", "1994-01-01"], None),
    (&["1994-01-01", "0.06", "24"], None),
    (&["FRANCE", "GERMANY"], None),
    (&["BRAZIL", "AMERICA", "ECONOMY ANODIZED STEEL"], None),
    (&["green"], None),
    (&["1993-10-01"], Some(20)),
    // The second is 0.0001 divided by the scale.
    (&["GERMANY"], None),
    (&["MAIL", "SHIP", "1994-01-01"], None),
    (&["special", "requests"], None),
    (&["1995-09-01"], None),
    (&["1996-01-01"], None),
    (&["Brand#45", "MEDIUM POLISHED", "49", "14", "23", "45", "19", "3", "36", "9"], None),
    (&["Brand#23", "MED BOX"], None),
    (&["300"], Some(100)),
    (&["Brand#12", "Brand#23", "Brand#34", "1", "10", "20"], None),
    (&["forest", "1994-01-01", "CANADA"], None),
    (&["SAUDI ARABIA"], Some(100)),
    (&["13", "31", "23", "29", "30", "18", "17"], None),
];

/// Has a parameter that depends on the scale.
const FRACTION: i32 = 11;
/// Orders its rows by a sum alone, and has no limit: equal sums may come in any order.
const UNORDERED: i32 = 11;

/// All 22, in their order, for tables at `scale`.
///
/// # Panics
/// When the generator has other queries than it had.
#[must_use]
pub fn tpch_queries(scale: f64) -> Vec<TpchQuery> {
    let fraction = format!("{:.12}", 0.0001 / scale);
    let fraction = fraction.trim_end_matches('0');
    (1..)
        .zip(PARAMETERS)
        .map(|(number, (parameters, rows))| {
            let of_scale = (number == FRACTION).then_some(fraction);
            let parameters: Vec<&str> = parameters.iter().copied().chain(of_scale).collect();
            let mut sql = match number {
                15 => with_in_place_of_view(query(15).expect("Q15")),
                _ => query(number).expect("22 queries").to_owned(),
            };
            // From the last: `:1` begins `:10`.
            for (place, value) in parameters.iter().enumerate().rev() {
                sql = sql.replace(&format!(":{}", place + 1), value);
            }
            // A precision that DataFusion does not take, and a column without a name.
            sql = sql
                .replace("' day (3)", "' day")
                .replace("sum(l_quantity)\nfrom", "sum(l_quantity) as sum_qty\nfrom");
            let mut sql = sql.trim().trim_end_matches(';').to_owned();
            assert!(!sql.contains(':') && !sql.contains(';'), "Q{number} is not bound: {sql}");
            if let Some(rows) = rows {
                sql.push_str(&format!("\nlimit {rows}"));
            }
            TpchQuery { name: format!("Q{number}"), sql, ordered: number != UNORDERED }
        })
        .collect()
}

/// The approved variant of Q15, in one statement.
fn with_in_place_of_view(sql: &str) -> String {
    let (view, rest) = sql.split_once(";").expect("a view and what asks it");
    let (columns, select) = view.split_once(" as\n").expect("what the view is");
    let columns = columns.trim().strip_prefix("create view ").expect("a view");
    let (asks, _drop) = rest.split_once("drop view").expect("what asks the view");
    format!("with {columns} as ({select})\n{}", asks.trim()).replace(":s", "0").replace(';', "")
}
