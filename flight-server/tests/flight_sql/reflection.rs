//! gRPC reflection: what a server tells of the protocol is what it speaks.

use std::time::Duration;

use futures::{StreamExt, stream};
use tempfile::TempDir;
use tithe_testkit::python_or_skip;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::clients::check;
use crate::login::users_file;
use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_no_flight_queries_by_what_it_is_told() {
    let Some(python) = python_or_skip("a_client_that_knows_no_flight_queries_by_what_it_is_told") else {
        return;
    };
    let server = Server::start().await;
    check(&python, "reflection.py", &[server.uri("http").trim_start_matches("http://")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_need_not_log_in_and_does_not_delay_the_end() {
    let folder = TempDir::new().unwrap();
    let users = Some(users_file(&folder));
    let server = Server::with(|options| options.users = users).await;
    let mut reflection = ServerReflectionClient::new(server.channel().await);
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    // It asks once, and then keeps the connection without a word.
    let asked = stream::iter([list]).chain(stream::pending());
    let mut told = reflection.server_reflection_info(asked).await.unwrap().into_inner();
    let answer = told.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = answer else { panic!("{answer:?}") };
    let mut names: Vec<String> = listed.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "arrow.flight.protocol.FlightService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection"
        ]
    );
    let (ended, took) = server.stop().await;
    ended.unwrap();
    assert!(took < Duration::from_secs(10), "{took:?}");
}
