//! How much one client may ask for.

use std::time::{Duration, Instant};

use futures::future::join_all;
use tonic::Code;

use crate::support::{ENDLESS, Server, ticket};

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_too_long() {
    let server = Server::with(|options| options.max_statement_bytes = 100).await;
    let client = server.client().await;
    let (code, message) = client.refusal(&format!("SELECT '{}'", "x".repeat(92))).await;
    assert_eq!(code, Code::ResourceExhausted);
    assert_eq!(message, "the statement has 101 bytes, and max_statement_bytes allows 100: shorten it");
    assert_eq!(client.value(&format!("SELECT length('{}') AS n", "x".repeat(75))).await, "75");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_of_a_megabyte_is_served() {
    let server = Server::start().await;
    let client = server.client().await;
    assert_eq!(client.value(&format!("SELECT length('{}') AS n", "x".repeat(1_000_000))).await, "1000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_takes_too_long() {
    let server = Server::with(|options| options.query_timeout = Some(Duration::from_millis(500))).await;
    let client = server.client().await;
    let since = Instant::now();
    let (code, message) = client.refusal(ENDLESS).await;
    assert_eq!(code, Code::DeadlineExceeded, "{message}");
    assert!(message.contains("query_timeout (0.5 s)"), "{message}");
    assert!(since.elapsed() < Duration::from_secs(20));
    assert_eq!(client.value("SELECT 1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server() {
    let server = Server::with(|options| {
        options.max_concurrent_queries = 2;
        options.max_queued_queries = 1;
        options.queue_timeout = Duration::from_millis(700);
    })
    .await;
    let client = server.client().await;
    let endless = ticket(&client.query_info(ENDLESS).await.unwrap());
    let running: Vec<_> = (0..2)
        .map(|_| {
            let (client, endless) = (client.clone(), endless.clone());
            tokio::spawn(async move { client.messages(endless).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let refusals = join_all((0..2).map(|_| client.refusal("SELECT 1"))).await;
    let has = |word: &str| {
        refusals.iter().any(|(code, message)| *code == Code::ResourceExhausted && message.contains(word))
    };
    assert!(has("max_queued_queries (1) are waiting"), "{refusals:?}");
    assert!(has("none ended within queue_timeout"), "{refusals:?}");
    // What needs no place is still answered.
    assert!(client.info(&arrow_flight::sql::CommandGetCatalogs {}).await.is_ok());
    running.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(client.value("SELECT 1").await, "1");
}
