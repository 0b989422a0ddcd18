//! The library of queries: its answers, against snapshots, DuckDB and what the generator knows.

#![cfg(test)]

mod creators;
mod detection;
mod duckdb;
mod forecast_sums;
mod golden;
