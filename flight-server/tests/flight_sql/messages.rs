//! How large the messages are that carry rows.

use arrow_flight::utils::flight_data_to_batches;
use prost::Message;

use crate::support::{Client, Server, ticket};

/// What clients accept unless told otherwise.
const LIMIT: usize = 4 << 20;

/// Number of messages with rows, number of rows.
async fn check(client: &Client, sql: &str) -> (usize, usize) {
    let info = client.query_info(sql).await.unwrap();
    let messages = client.messages(ticket(&info)).await.unwrap();
    for message in &messages {
        assert!(message.encoded_len() <= LIMIT, "{} bytes in a message of {sql}", message.encoded_len());
    }
    let batches = flight_data_to_batches(&messages).unwrap();
    (messages.len() - 1, batches.iter().map(|batch| batch.num_rows()).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_stay_below_four_megabytes() {
    let server = Server::start().await;
    let client = server.client().await;
    assert_eq!(check(&client, "SELECT * FROM generate_series(1, 500000)").await.1, 500_000);
    let wide = format!(
        "SELECT {} FROM generate_series(1, 20000)",
        (0..100).map(|column| format!("value AS c{column}")).collect::<Vec<_>>().join(", ")
    );
    assert_eq!(check(&client, &wide).await.1, 20_000);
    // One row of a thousand is a thousand times as large as the others.
    let skewed = "SELECT value, repeat('稅', CASE WHEN value % 1000 = 0 THEN 300000 ELSE 3 END) AS text, \
                  [repeat('x', CASE WHEN value % 1000 = 500 THEN 900000 ELSE 3 END)] AS list \
                  FROM generate_series(1, 10000)";
    let (messages, rows) = check(&client, skewed).await;
    assert_eq!(rows, 10_000);
    assert!(messages < 60, "{messages} messages");
    check(&client, "SELECT * FROM third_party.page_raw").await;
    check(&client, "SELECT * FROM third_party.video_raw").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_content_with_defaults_can_read_everything() {
    let server = Server::start().await;
    // Arrow's Go and Rust clients refuse messages of more than 4 MiB.
    let mut client = server.client().await.sql;
    let sql = "SELECT repeat('x', 1000000 + CAST(value AS INT)) AS x FROM generate_series(1, 20)";
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let stream = client.do_get(ticket(&info)).await.unwrap();
    let batches: Vec<_> = futures::TryStreamExt::try_collect(stream).await.unwrap();
    assert_eq!(batches.iter().map(|batch: &arrow::array::RecordBatch| batch.num_rows()).sum::<usize>(), 20);
}
