//! Do the fraud queries find what was planted? Precision and recall against what the generator knows.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use tithe_engine::Session;
use tithe_queries::find;
use tithe_testkit::sample_session;

type Key = Vec<String>;

async fn keys(session: &Session, sql: &str, columns: &[&str]) -> BTreeSet<Key> {
    let batches = session.query(sql).await.expect("a plan").collect().await.expect("rows");
    batches.iter().flat_map(|batch| batch_keys(batch, columns)).collect()
}

fn batch_keys(batch: &RecordBatch, columns: &[&str]) -> Vec<Key> {
    let texts: Vec<_> = columns
        .iter()
        .map(|name| cast(batch.column_by_name(name).expect(name), &DataType::Utf8).expect("text"))
        .collect();
    (0..batch.num_rows())
        .map(|row| texts.iter().map(|text| text.as_string::<i32>().value(row).to_owned()).collect())
        .collect()
}

async fn found(session: &Session, query: &str, columns: &[&str]) -> BTreeSet<Key> {
    let sql = find(query).expect(query).bind(&BTreeMap::new()).expect("defaults");
    keys(session, &sql, columns).await
}

/// Shares of the found that were planted, and of the planted that were found.
fn precision_and_recall(found: &BTreeSet<Key>, planted: &BTreeSet<Key>) -> (f64, f64) {
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let both = found.intersection(planted).count();
    (share(both, found.len()), share(both, planted.len()))
}

fn check(what: &str, found: &BTreeSet<Key>, planted: &BTreeSet<Key>, least: (f64, f64)) {
    assert!(!planted.is_empty(), "{what}: nothing was planted");
    let (precision, recall) = precision_and_recall(found, planted);
    println!("{what}: {} found, {} planted, precision {precision:.3}, recall {recall:.3}", found.len(), planted.len());
    assert!(
        precision >= least.0 && recall >= least.1,
        "{what}: precision {precision:.3}, recall {recall:.3}, expected at least {least:?}\n\
         only found: {:?}\nonly planted: {:?}",
        found.difference(planted).take(20).collect::<Vec<_>>(),
        planted.difference(found).take(20).collect::<Vec<_>>()
    );
}
