//! Statements and their rows.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use insta::assert_snapshot;

use crate::support::{Server, statement, ticket};

#[tokio::test(flavor = "multi_thread")]
async fn values_arrive_as_they_are() {
    let server = Server::start().await;
    let client = server.client().await;
    let sql = "SELECT tax_type, name_zh FROM ref.tax_type ORDER BY tax_type LIMIT 3";
    assert_snapshot!(client.table(sql).await, @r#"
    +-------------------+---------+
    | tax_type          | name_zh |
    +-------------------+---------+
    | agricultural_land | 田賦    |
    | amusement         | 娛樂稅  |
    | business_vat      | 營業稅  |
    +-------------------+---------+
    "#);
    let sql = "SELECT NULL AS nothing, '營業稅' AS text, CAST(1.50 AS DECIMAL(10, 2)) AS money, DATE '2024-02-29' AS day, \
               to_timestamp('2024-01-01T08:00:00+08:00') AS instant, [1, NULL, 3] AS list, \
               named_struct('a', 1, 'b', '二') AS record, X'00ff' AS bytes, true AS yes";
    assert_snapshot!(client.table(sql).await, @r#"
    +---------+--------+-------+------------+---------------------+----------+---------------+-------+------+
    | nothing | text   | money | day        | instant             | list     | record        | bytes | yes  |
    +---------+--------+-------+------------+---------------------+----------+---------------+-------+------+
    |         | 營業稅 | 1.50  | 2024-02-29 | 2024-01-01T00:00:00 | [1, , 3] | {a: 1, b: 二} | 00ff  | true |
    +---------+--------+-------+------------+---------------------+----------+---------------+-------+------+
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_reading_statement_is_answered() {
    let server = Server::start().await;
    let client = server.client().await;
    for sql in [
        "SELECT 1",
        "  SELECT 1 ; ",
        "-- a comment\nSELECT 1",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM a UNION ALL SELECT 2",
        "VALUES (1), (2)",
        "SHOW TABLES",
        "SHOW COLUMNS FROM tax.taxpayer",
        "SHOW FUNCTIONS",
        "SHOW datafusion.execution.batch_size",
        "DESCRIBE tax.taxpayer",
        "EXPLAIN SELECT * FROM tax.taxpayer",
        "EXPLAIN ANALYZE SELECT count(*) FROM ref.county",
        "SELECT * FROM information_schema.tables",
    ] {
        let rows = client.query(sql).await.unwrap_or_else(|status| panic!("{sql}: {status}"));
        assert!(rows.iter().map(RecordBatch::num_rows).sum::<usize>() > 0, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rows_still_have_columns() {
    let server = Server::start().await;
    let client = server.client().await;
    let command = statement("SELECT taxpayer_id, name FROM tax.taxpayer WHERE false");
    let (schema, batches) = client.fetch(&command).await.unwrap();
    assert_eq!(
        schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(),
        ["taxpayer_id", "name"]
    );
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_arrives_whole_and_in_order() {
    let server = Server::start().await;
    let client = server.client().await;
    let batches = client.query("SELECT value FROM generate_series(1, 300000) ORDER BY value").await.unwrap();
    let values =
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
    assert!(values.eq(1..=300_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_can_be_fetched_again_and_by_several() {
    let server = Server::start().await;
    let client = server.client().await;
    let info = client.query_info("SELECT * FROM ref.county ORDER BY 1").await.unwrap();
    let first = client.messages(ticket(&info)).await.unwrap();
    let again = client.messages(ticket(&info)).await.unwrap();
    assert_eq!(first, again);
    let other = server.client().await;
    let (left, right) = tokio::join!(client.messages(ticket(&info)), other.messages(ticket(&info)));
    assert_eq!((left.unwrap(), right.unwrap()), (first.clone(), first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_seen_by_the_next_query() {
    let lake = tempfile::TempDir::new().unwrap();
    let table = lake.path().join("notes/line");
    std::fs::create_dir_all(&table).unwrap();
    std::fs::write(table.join("a.jsonl"), "{\"n\": 1}\n").unwrap();
    let server = Server::on(lake.path(), |_options| ()).await;
    let client = server.client().await;
    assert_eq!(client.value("SELECT sum(n) FROM notes.line").await, "1");
    std::fs::write(table.join("b.jsonl"), "{\"n\": 2}\n").unwrap();
    assert_eq!(client.value("SELECT sum(n) FROM notes.line").await, "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_at_once() {
    let server = Server::start().await;
    let client = server.client().await;
    let asked = (0..40).map(|number| {
        let client = client.clone();
        async move { client.value(&format!("SELECT count(*) + {number} FROM ref.county")).await }
    });
    let counted = futures::future::join_all(asked).await;
    let expected: Vec<_> = (22..62).map(|count: i64| count.to_string()).collect();
    assert_eq!(counted, expected);
}
