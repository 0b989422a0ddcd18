//! Every portable query and those of TPC-H, answered again by DuckDB from the same Parquet files.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Value, json};
use tithe_queries::{LibraryQuery, library};
use tithe_testkit::{
    TPCH_SCALE, TpchQuery, open, python_or_skip, sample_lake, sample_session, tpch_lake, tpch_queries,
};

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

/// What a query of TPC-H yields that is not exact in both: DuckDB divides decimals in floating point.
const QUOTIENTS: [&str; 6] = ["avg_qty", "avg_price", "avg_disc", "mkt_share", "promo_revenue", "avg_yearly"];

async fn tpch_case(session: &tithe_engine::Session, query: &TpchQuery) -> Value {
    let asked = session.query(&query.sql).await.expect(&query.name);
    let schema = asked.schema();
    let columns: Vec<[&str; 2]> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            _ if QUOTIENTS.contains(&field.name().as_str()) => [field.name().as_str(), "quotient"],
            DataType::Int32 | DataType::Int64 => [field.name().as_str(), "integer"],
            DataType::Decimal128(..) => [field.name().as_str(), "decimal"],
            DataType::Date32 => [field.name().as_str(), "date"],
            DataType::Utf8 | DataType::Utf8View => [field.name().as_str(), "text"],
            other => panic!("{}: a column of {other}", query.name),
        })
        .collect();
    let rows: Vec<Value> = asked.collect().await.expect(&query.name).iter().flat_map(rows).collect();
    json!({
        "name": query.name, "sql": query.sql, "schema": "tpch", "ordered": query.ordered, "columns": columns,
        "rows": rows,
    })
}

/// Has DuckDB answer the cases from the files of `lake`.
fn compare(python: &Path, lake: &Path, cases: &[Value]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cases.json");
    serde_json::to_writer(File::create(&file).expect("a file"), cases).expect("cases");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/library/duckdb_check.py");
    let output = Command::new(python).arg(script).arg(lake).arg(&file).output().expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(&format!("{} queries agree", cases.len())), "{said}");
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
    compare(&python, &sample_lake(), &cases);
}

#[test]
fn duckdb_answers_tpch_identically() {
    let Some(python) = python_or_skip("duckdb_answers_tpch_identically") else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cases: Vec<Value> = runtime.block_on(async {
        let session = open(&tpch_lake()).await;
        let setting =
            session.query("SET datafusion.catalog.default_schema = 'tpch'").await.expect("a setting");
        setting.collect().await.expect("a setting that is made");
        let mut cases = Vec::new();
        for query in tpch_queries(TPCH_SCALE) {
            cases.push(tpch_case(&session, &query).await);
        }
        cases
    });
    let empty = cases.iter().filter(|case| case["rows"].as_array().is_none_or(Vec::is_empty));
    let empty: Vec<&Value> = empty.map(|case| &case["name"]).collect();
    assert!(empty.is_empty(), "these say nothing: {empty:?}");
    compare(&python, &tpch_lake(), &cases);
}
