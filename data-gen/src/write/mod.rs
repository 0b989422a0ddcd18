//! Files: where they are put while incomplete, and how rows become Parquet or JSON lines.

mod columns;
mod json_lines;
mod parquet_file;
mod staging;

pub(crate) use columns::{Column, boolean, date, decimal, float, integer, small, text, text_or_null, time};
pub(crate) use json_lines::{Compression, JsonLines, Lines};
pub(crate) use parquet_file::{Record, Table, write_parquet};
pub(crate) use staging::{Staging, TableName};
