//! Tables that are laid out anew: the same rows, in other files.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use tithe_engine::{EngineError, LayoutOptions, LayoutOrder, LayoutProgress, LayoutReport, Session};

use crate::support::TestLake;

mod files;
mod order;
mod refused;

/// Tells nobody.
struct Quiet;

impl LayoutProgress for Quiet {
    fn begins(&self, _partitions: usize, _there: usize) {}
    fn done(&self, _partition: &str, _rows: u64) {}
    fn waits(&self, _rest: Duration) {}
}

fn options(order: LayoutOrder) -> LayoutOptions {
    LayoutOptions { order, row_group_rows: 100, grace: Duration::ZERO, ..LayoutOptions::default() }
}

fn sorted_by(columns: &[&str]) -> LayoutOrder {
    LayoutOrder::Columns(columns.iter().map(|column| (*column).to_owned()).collect())
}

async fn lay_out(
    session: &Session,
    name: &str,
    options: &LayoutOptions,
) -> Result<LayoutReport, EngineError> {
    let (schema, table) = name.split_once('.').unwrap();
    session.optimize(schema, table, options, &Quiet).await
}

/// Paths of the files below a folder of the lake that readers of Parquet take for data.
fn parquet_files(lake: &TestLake, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![lake.root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "parquet") => {
                    found.push(path.strip_prefix(lake.root()).unwrap().to_str().unwrap().to_owned());
                }
                false => {}
            }
        }
    }
    found.sort();
    found
}

fn notes(lake: &TestLake, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(lake.root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut notes: Vec<String> = names.filter(|name| name.starts_with("_replacement-")).collect();
    notes.sort();
    notes
}

fn footer(lake: &TestLake, file: &str) -> (SchemaRef, Arc<ParquetMetaData>) {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(lake.root().join(file)).unwrap()).unwrap();
    (Arc::clone(reader.schema()), Arc::clone(reader.metadata()))
}

/// Numbers that scatter, the same ones every time.
fn scattered(count: i64) -> Vec<i64> {
    (0..count).map(|n| (n * 7919 + 13) % count).collect()
}
