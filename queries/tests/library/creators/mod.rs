//! The creators' queries against what the generator knows, and against documents that mean ill.

mod estimates;
mod links;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::DataType;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;
use tithe_data_gen::{GenerateOptions, Silent, generate};
use tithe_engine::Session;
use tithe_queries::find;
use tithe_testkit::open;

const SEEDS: [u64; 3] = [1, 2, 3];

/// Lakes of 200 creators, one a seed.
static LAKES: LazyLock<Vec<TempDir>> = LazyLock::new(|| {
    SEEDS
        .into_iter()
        .map(|seed| {
            let folder = TempDir::new().expect("a folder");
            let options = GenerateOptions {
                scale: 0.01,
                seed,
                out: folder.path().to_owned(),
                threads: None,
                overwrite: false,
            };
            generate(&options, &Silent).expect("a lake");
            folder
        })
        .collect()
});

type Row = BTreeMap<String, String>;

/// The rows of an answer as texts; NULL is empty.
async fn rows(session: &Session, sql: &str) -> Vec<Row> {
    let batches = session.query(sql).await.expect(sql).collect().await.expect(sql);
    batches.iter().flat_map(batch_rows).collect()
}

fn batch_rows(batch: &RecordBatch) -> Vec<Row> {
    let columns: Vec<(String, StringArray)> = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            (field.name().clone(), cast(column, &DataType::Utf8).expect("text").as_string::<i32>().clone())
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|(name, texts)| {
                    let text = arrow::array::Array::is_valid(texts, row).then(|| texts.value(row));
                    (name.clone(), text.unwrap_or_default().to_owned())
                })
                .collect()
        })
        .collect()
}

async fn library(session: &Session, query: &str, parameters: &[(&str, &str)]) -> Vec<Row> {
    let given = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    rows(session, &find(query).expect(query).bind(&given).expect("parameters")).await
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or(f64::NAN)
}

/// Copies a lake, so that a test may change it.
fn copied(from: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            let target = to.join(path.file_name().expect("a name"));
            if path.is_dir() {
                copy(&path, &target);
            } else {
                fs::copy(&path, &target).expect("a copy");
            }
        }
    }
    let folder = TempDir::new().expect("a folder");
    copy(from, folder.path());
    folder
}

/// Writes the answer of a query over a table.
async fn rewrite(lake: &Path, table: &str, sql: &str) {
    write_rows(lake, table, 0, sql).await;
}

/// Writes the answer of a query as a part of a table.
async fn write_rows(lake: &Path, table: &str, part: usize, sql: &str) {
    let session = open(lake).await;
    let batches = session.query(sql).await.expect(sql).collect().await.expect(sql);
    let schema = batches[0].schema();
    let whole = concat_batches(&schema, &batches).expect("one batch");
    let file = fs::File::create(lake.join(table).join(format!("part-{part:05}.parquet"))).expect("a file");
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), None).expect("a writer");
    writer.write(&whole).expect("rows");
    writer.close().expect("a file");
}

/// One JSON line.
fn channel(id: &str, title: &str, description: &str, statistics: &str) -> String {
    let text = |text: &str| serde_json::Value::from(text);
    format!(
        r#"{{"kind":"youtube#channel","id":{},"snippet":{{"title":{},"description":{},"customUrl":{},"publishedAt":"2020-01-01T00:00:00Z"}},"statistics":{statistics},"topicDetails":{{"topicCategories":["https://en.wikipedia.org/wiki/Food"]}},"status":{{"madeForKids":false}},"collected_at":"2026-01-20T02:00:00Z"}}"#,
        text(id),
        text(title),
        text(description),
        text(&format!("@{id}")),
    )
}
