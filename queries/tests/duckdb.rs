//! Every portable query, answered again by DuckDB from the same Parquet files.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Command;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Value, json};
use tithe_queries::{LibraryQuery, library};
use tithe_testkit::{python_or_skip, sample_lake, sample_session};

/// Values as text that loses nothing; `null` where there is none.
fn rows(batch: &RecordBatch) -> Vec<Value> {
    let columns: Vec<Vec<Value>> = batch
        .columns()
        .iter()
        .map(|column| {
            let exact: Vec<Option<String>> = if column.data_type() == &DataType::Float64 {
                column
                    .as_primitive::<Float64Type>()
                    .iter()
                    .map(|value| value.map(|value| format!("{value:?}")))
                    .collect()
            } else {
                let options = FormatOptions::default();
                let shown = ArrayFormatter::try_new(column, &options).expect("a formatter");
                (0..column.len())
                    .map(|row| column.is_valid(row).then(|| shown.value(row).to_string()))
                    .collect()
            };
            exact.into_iter().map(Value::from).collect()
        })
        .collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}

async fn case(session: &tithe_engine::Session, query: &LibraryQuery) -> Value {
    let sql = query.bind(&BTreeMap::new()).expect("defaults for every parameter");
    let batches = session.query(&sql).await.expect(query.name).collect().await.expect(query.name);
    let columns: Vec<[&str; 2]> =
        query.columns.iter().map(|column| [column.name.as_str(), column.sql_type.as_str()]).collect();
    let rows: Vec<Value> = batches.iter().flat_map(rows).collect();
    json!({ "name": query.name, "sql": sql, "columns": columns, "rows": rows })
}

#[test]
fn duckdb_answers_portable_queries_identically() {
    let Some(python) = python_or_skip("duckdb_answers_portable_queries_identically") else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cases: Vec<Value> = runtime.block_on(async {
        let session = sample_session().await;
        let mut cases = Vec::new();
        for query in library().iter().filter(|query| query.portable) {
            cases.push(case(&session, query).await);
        }
        cases
    });
    assert!(cases.len() >= 20, "only {} portable queries", cases.len());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cases.json");
    serde_json::to_writer(File::create(&file).expect("a file"), &cases).expect("cases");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/duckdb_check.py");
    let output =
        Command::new(python).arg(script).arg(sample_lake()).arg(&file).output().expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(&format!("{} queries agree", cases.len())), "{said}");
}
