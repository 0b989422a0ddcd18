//! The gRPC health service.

use std::time::Duration;

use tempfile::TempDir;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::login::users_file;
use crate::support::Server;

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_readyz_says_and_asks_nobody_to_log_in() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("lake");
    std::fs::create_dir(&root).unwrap();
    let users = Some(users_file(&folder));
    let server = Server::on(&root, |options| options.users = users).await;
    let mut health = HealthClient::new(server.channel().await);
    let mut becomes = async |service: &str, expected: ServingStatus| {
        for _ in 0..150 {
            let status = health.check(of(service)).await.map(|answer| answer.into_inner().status());
            if status.is_ok_and(|status| status == expected) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{service:?} is not {expected:?}");
    };
    becomes("", ServingStatus::Serving).await;
    becomes("arrow.flight.protocol.FlightService", ServingStatus::Serving).await;
    std::fs::remove_dir(&root).unwrap();
    becomes("", ServingStatus::NotServing).await;
    becomes("arrow.flight.protocol.FlightService", ServingStatus::NotServing).await;
    assert_eq!(health.check(of("other")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_is_told_of_the_end_and_does_not_delay_it() {
    let server = Server::start().await;
    let mut health = HealthClient::new(server.channel().await);
    let mut watched = health.watch(of("")).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let (ended, took) = server.stop().await;
    ended.unwrap();
    assert!(took < Duration::from_secs(10), "{took:?}");
    // It may have been told once more that all was well before.
    let mut last = watched.message().await.unwrap().unwrap().status();
    while last == ServingStatus::Serving {
        last = watched.message().await.unwrap().expect("it is told before the end").status();
    }
    assert_eq!(last, ServingStatus::NotServing);
}
