//! Prints the queries of the TPC-H benchmark as `benches/compare/compare.py` reads them.
//!
//! `cargo run --release -p tithe-benches --bin tpch_queries -- [SCALE]`

use std::error::Error;
use std::io::{Write, stdout};

use serde_json::json;
use tithe_benches as _;
use tithe_testkit::tpch_queries;

fn main() -> Result<(), Box<dyn Error>> {
    let scale = std::env::args().nth(1).map(|text| text.parse()).transpose()?.unwrap_or(1.0);
    let queries: Vec<_> = tpch_queries(scale)
        .into_iter()
        // What is not ordered in full may still choose among rows of equal rank.
        .map(|query| json!({"name": query.name, "sql": query.sql, "unordered": !query.ordered, "ties": true}))
        .collect();
    writeln!(stdout(), "{}", json!({"query": queries}))?;
    Ok(())
}
