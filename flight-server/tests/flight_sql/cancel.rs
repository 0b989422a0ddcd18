//! Queries that end before they are done.

use std::time::Duration;

use arrow_flight::sql::{ActionCancelQueryRequest, ActionCancelQueryResult, Any, ProstMessageExt};
use arrow_flight::{Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo};
use futures::TryStreamExt;
use prost::Message;
use tonic::Code;

use crate::support::{Client, ENDLESS, Server, ticket};

async fn act(client: &Client, name: &str, body: Vec<u8>) -> bytes::Bytes {
    let action = Action { r#type: name.to_owned(), body: body.into() };
    let answer = client.flight.clone().do_action(client.request(action)).await.unwrap();
    answer.into_inner().try_next().await.unwrap().expect("a result").body
}

async fn cancel(client: &Client, info: &FlightInfo) -> CancelStatus {
    let request = CancelFlightInfoRequest { info: Some(info.clone()) };
    let body = act(client, "CancelFlightInfo", request.encode_to_vec()).await;
    CancelFlightInfoResult::decode(body).unwrap().status()
}

/// `CancelQuery`, which older drivers send.
async fn cancel_old(client: &Client, info: &FlightInfo) -> i32 {
    let request = ActionCancelQueryRequest { info: info.encode_to_vec().into() };
    let body = act(client, "CancelQuery", request.as_any().encode_to_vec()).await;
    let any = Any::decode(body).unwrap();
    any.unpack::<ActionCancelQueryResult>().unwrap().unwrap().result
}

/// Asks until the query runs and is cancelled.
async fn cancelled(client: &Client, info: &FlightInfo) {
    for _ in 0..500 {
        if cancel(client, info).await == CancelStatus::Cancelled {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the query never ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_query_is_cancelled() {
    let server = Server::start().await;
    let client = server.client().await;
    let info = client.query_info(ENDLESS).await.unwrap();
    assert_eq!(cancel(&client, &info).await, CancelStatus::NotCancellable);
    let (rows, ()) = tokio::join!(client.messages(ticket(&info)), cancelled(&client, &info));
    let error = rows.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Cancelled, "the query was cancelled"));
    assert_eq!(cancel(&client, &info).await, CancelStatus::NotCancellable);
    assert_eq!(cancel_old(&client, &info).await, i32::from(CancelStatus::NotCancellable));
}

#[tokio::test(flavor = "multi_thread")]
async fn so_is_one_that_waits_for_its_turn() {
    let server = Server::with(|options| options.max_concurrent_queries = 1).await;
    let client = server.client().await;
    let (running, waiting) =
        (client.query_info(ENDLESS).await.unwrap(), client.query_info("SELECT 1").await.unwrap());
    let first = tokio::spawn({
        let (client, ticket) = (client.clone(), ticket(&running));
        async move { client.messages(ticket).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (rows, ()) = tokio::join!(client.messages(ticket(&waiting)), cancelled(&client, &waiting));
    assert_eq!(rows.unwrap_err().code(), Code::Cancelled);
    cancelled(&client, &running).await;
    assert_eq!(first.await.unwrap().unwrap_err().code(), Code::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_gives_its_place_back() {
    let server = Server::with(|options| {
        options.max_concurrent_queries = 1;
        options.queue_timeout = Duration::from_secs(10);
    })
    .await;
    let client = server.client().await;
    let info = client.query_info(ENDLESS).await.unwrap();
    let impatient = tokio::time::timeout(Duration::from_millis(300), client.messages(ticket(&info))).await;
    assert!(impatient.is_err());
    assert_eq!(client.value("SELECT 1").await, "1");
    // Also one that reads a little of a long answer and leaves.
    let info = client.query_info("SELECT * FROM generate_series(1, 1000000000)").await.unwrap();
    let mut answer = client.flight.clone().do_get(ticket(&info)).await.unwrap().into_inner();
    assert!(answer.message().await.unwrap().is_some());
    drop(answer);
    assert_eq!(client.value("SELECT 1").await, "1");
}
