//! `PollFlightInfo`: before a query is fetched, and while it is.

use std::time::Duration;

use arrow_flight::{
    Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightDescriptor, PollInfo,
};
use futures::TryStreamExt;
use prost::Message;
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::login::{USERS, logged_in, users_file};
use crate::support::{Client, ENDLESS, Server, descriptor, statement, ticket};

async fn poll(client: &Client, descriptor: FlightDescriptor) -> Result<PollInfo, Status> {
    Ok(client.flight.clone().poll_flight_info(client.request(descriptor)).await?.into_inner())
}

/// What asks how far the query with `poll`'s ticket is.
fn running(poll: &PollInfo) -> FlightDescriptor {
    FlightDescriptor::new_cmd(ticket(poll.info.as_ref().unwrap()).ticket)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_ready_at_once_and_nothing_has_run() {
    let server = Server::start().await;
    let client = server.client().await;
    for sql in [ENDLESS, "SELECT 7"] {
        // However often it is asked.
        for _ in 0..3 {
            let answer = poll(&client, descriptor(&statement(sql))).await.unwrap();
            assert_eq!((&answer.flight_descriptor, answer.progress), (&None, Some(1.0)));
            assert_eq!(answer.expiration_time, None);
            let answer = poll(&client, running(&answer)).await.unwrap();
            assert_eq!((answer.flight_descriptor, answer.progress), (None, None), "{sql} runs");
        }
    }
    let answer = poll(&client, descriptor(&statement("SELECT 7"))).await.unwrap();
    assert_eq!(client.messages(ticket(&answer.info.unwrap())).await.unwrap().len(), 2);
    let refused = poll(&client, descriptor(&statement("SELECT nothing"))).await.unwrap_err();
    assert!(refused.message().contains("nothing"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_fetched_tells_how_far_it_is_to_its_owner_alone() {
    let folder = TempDir::new().unwrap();
    let users = Some(users_file(&folder));
    let server = Server::with(|options| options.users = users).await;
    let client = logged_in(server.channel().await, USERS[0]).await;
    let sql = "SELECT max((net_collections + value) % 7) FROM tax.revenue_monthly, generate_series(1, 100000000000)";
    let ready = poll(&client, descriptor(&statement(sql))).await.unwrap();
    let asked = running(&ready);
    let fetching = tokio::spawn({
        let (client, ticket) = (client.clone(), ticket(ready.info.as_ref().unwrap()));
        async move { client.messages(ticket).await }
    });
    let mut told = Vec::new();
    for _ in 0..500 {
        let answer = poll(&client, asked.clone()).await.unwrap();
        if let Some(progress) = answer.progress {
            assert_eq!(answer.flight_descriptor.as_ref(), Some(&asked));
            told.push(progress);
        }
        if told.last().is_some_and(|progress| *progress > 0.0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(told.is_sorted() && told.iter().all(|progress| (0.0..1.0).contains(progress)), "{told:?}");
    assert!(told.last().is_some_and(|progress| *progress > 0.0), "{told:?}");
    let other = logged_in(server.channel().await, USERS[1]).await;
    assert_eq!(poll(&other, asked.clone()).await.unwrap_err().code(), Code::PermissionDenied);
    // What a poll answers is what cancels the query.
    let info = poll(&client, asked.clone()).await.unwrap().info;
    let body = CancelFlightInfoRequest { info }.encode_to_vec().into();
    let action = client.request(Action { r#type: "CancelFlightInfo".to_owned(), body });
    let mut answers = client.flight.clone().do_action(action).await.unwrap().into_inner();
    let cancelled = CancelFlightInfoResult::decode(answers.try_next().await.unwrap().unwrap().body).unwrap();
    assert_eq!(cancelled.status(), CancelStatus::Cancelled);
    assert_eq!(fetching.await.unwrap().unwrap_err().code(), Code::Cancelled);
    let answer = poll(&client, asked).await.unwrap();
    assert_eq!((answer.flight_descriptor, answer.progress), (None, None));
}
