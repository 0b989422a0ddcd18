//! One record for every query.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;

use futures::StreamExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{TestLake, ask, int64, table, text};

/// Gathers the events of `tithe::audit`, for each thread its own.
struct Records;

thread_local! {
    static TAKEN: RefCell<Vec<BTreeMap<String, String>>> = RefCell::default();
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Subscriber for Records {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tithe::audit"
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        TAKEN.with_borrow_mut(|taken| taken.push(fields));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[tokio::test]
async fn every_query_leaves_one_record() {
    // For the whole process: what other tests meet first may otherwise be off for good.
    tracing::subscriber::set_global_default(Records).unwrap();
    let lake = TestLake::new();
    lake.parquet(
        "s/t/a.parquet",
        &[("n", int64(&[1, 2, 3])), ("x", text(&["a", "b", "c"])), ("y", int64(&[1, 1, 1]))],
    );
    let session = lake.session().await;
    let check = |sql: &str, expected: &[(&str, &str)]| {
        let taken = TAKEN.take();
        assert_eq!(taken.len(), 1, "{sql}: {taken:?}");
        for (key, value) in expected {
            assert_eq!(taken[0].get(*key).map(String::as_str), Some(*value), "{sql}: {key} in {taken:?}");
        }
    };
    let sql = "SELECT n FROM s.t WHERE x > 'a'";
    table(&session, sql).await;
    check(
        sql,
        &[
            ("who", "local"),
            ("sql", sql),
            ("tables", "s.t"),
            ("columns", "s.t.n,s.t.x"),
            ("outcome", "done"),
            ("rows", "2"),
            ("policy", "unrestricted"),
        ],
    );
    let sql = "SELECT * FROM s.u";
    ask(&session, sql).await.unwrap_err();
    check(sql, &[("outcome", "refused"), ("error", "table s.u does not exist; did you mean s.t?")]);
    let sql = "SELECT 1 / (n - 1) FROM s.t";
    ask(&session, sql).await.unwrap_err();
    check(sql, &[("outcome", "failed"), ("error", "division by zero"), ("tables", "s.t")]);
    let sql = "SELECT count(*) FROM s.t WHERE y IN (SELECT max(y) FROM s.t)";
    table(&session, sql).await;
    check(sql, &[("tables", "s.t"), ("columns", "s.t.y")]);
    let sql = "SELECT forecast_value FROM ai_forecast(TABLE(s.t), data_col => 'y', timestamp_col => 'n', horizon => 2)";
    table(&session, sql).await;
    check(sql, &[("tables", "s.t"), ("columns", "s.t.n,s.t.y"), ("rows", "2"), ("outcome", "done")]);
    let sql = "SELECT * FROM ai_forecast((SELECT n, y FROM s.t WHERE x > 'a'), data_col => 'y', timestamp_col => 'n')";
    table(&session, sql).await;
    check(sql, &[("tables", "s.t"), ("columns", "s.t.n,s.t.x,s.t.y"), ("rows", "10")]);
    let sql = "SELECT * FROM ai_forecast(TABLE(s.u), data_col => 'y', timestamp_col => 'n')";
    ask(&session, sql).await.unwrap_err();
    check(sql, &[("outcome", "refused"), ("error", "table s.u does not exist; did you mean s.t?")]);
    let sql = "SELECT * FROM s.t";
    let mut stream = session.query(sql).await.unwrap().execute().await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    check(sql, &[("outcome", "cancelled"), ("rows", "3")]);
    let sql = "CREATE VIEW v AS SELECT n FROM s.t";
    table(&session, sql).await;
    check(sql, &[("outcome", "done"), ("tables", "s.t")]);
    session.query("SELECT 1").await.unwrap();
    assert!(TAKEN.take().is_empty(), "a query that never ran left a record");
}
