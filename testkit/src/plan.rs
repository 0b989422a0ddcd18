//! Plans as text for snapshots.

use std::path::Path;

use arrow::array::AsArray;
use tithe_engine::Session;

/// The optimized logical plan, without the lake's path.
///
/// # Panics
/// When the statement cannot be planned.
pub async fn optimized_plan(session: &Session, sql: &str, lake: &Path) -> String {
    let explained = session.query(&format!("EXPLAIN FORMAT INDENT {sql}")).await.expect("a plan");
    let batches = explained.collect().await.expect("a plan");
    for batch in &batches {
        let kinds =
            arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8).expect("kinds of plan");
        let plans = arrow::compute::cast(batch.column(1), &arrow::datatypes::DataType::Utf8).expect("plans");
        let logical = kinds.as_string::<i32>().iter().position(|kind| kind == Some("logical_plan"));
        if let Some(row) = logical {
            return redacted(plans.as_string::<i32>().value(row), lake);
        }
    }
    panic!("EXPLAIN shows no logical plan");
}

/// The text with the lake's directory written as `LAKE`.
#[must_use]
pub fn redacted(text: &str, lake: &Path) -> String {
    let path = lake.display().to_string();
    text.replace(&path, "LAKE").replace(path.trim_start_matches('/'), "LAKE")
}
