//! Starting and stopping.

use std::time::Duration;

use insta::assert_snapshot;
use tempfile::TempDir;
use tithe_engine::ErrorKind;
use tithe_flight_server::{ServeOptions, serve};
use tithe_testkit::sample_lake;
use tonic::Code;

use crate::login::users_file;
use crate::support::{ENDLESS, Server, engine, on_a_free_port, ticket, tls_files};

/// Kind and text of the error of a server that must not start.
async fn refused(options: ServeOptions) -> (ErrorKind, String) {
    let engine = engine(&sample_lake(), None).await;
    let never = std::future::pending();
    let started = serve(engine, options, never, |addresses| panic!("listens on {addresses:?}"));
    let error = tokio::time::timeout(Duration::from_secs(10), started).await.unwrap().unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_may_reach_it_only_with_tls_and_users() {
    let folder = TempDir::new().unwrap();
    let users = Some(users_file(&folder));
    let tls = Some(tls_files());
    let everywhere = |tls, users| ServeOptions { tls, users, ..ServeOptions::new(([0, 0, 0, 0], 0).into()) };
    let check = async |options: ServeOptions| {
        let (kind, message) = refused(options).await;
        assert_eq!(kind, ErrorKind::Usage);
        message
    };
    assert_snapshot!(check(everywhere(None, None)).await, @"refusing to listen on 0.0.0.0:0, which other machines can reach, without TLS and users: configure a TLS certificate with its key, and a users file or an identity provider, or listen on 127.0.0.1");
    assert_snapshot!(check(everywhere(tls.clone(), None)).await, @"refusing to listen on 0.0.0.0:0, which other machines can reach, without users: configure a TLS certificate with its key, and a users file or an identity provider, or listen on 127.0.0.1");
    assert_snapshot!(check(everywhere(None, users.clone())).await, @"refusing to listen on 0.0.0.0:0, which other machines can reach, without TLS: configure a TLS certificate with its key, and a users file or an identity provider, or listen on 127.0.0.1");
    let every_v6 = ServeOptions::new("[::]:0".parse().unwrap());
    assert!(check(every_v6).await.contains("TLS and users"));
    let mapped = ServeOptions::new("[::ffff:10.0.0.1]:0".parse().unwrap());
    assert!(check(mapped).await.contains("TLS and users"));
    let server = Server::with(|options| *options = everywhere(tls, users)).await;
    assert!(server.address.ip().is_unspecified());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use() {
    let server = Server::start().await;
    let (kind, message) = refused(ServeOptions::new(server.address)).await;
    assert_eq!(kind, ErrorKind::Connection);
    let expected = format!("port {} of 127.0.0.1 is in use by another program", server.address.port());
    assert!(message.contains(&expected), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_this_machine_does_not_have() {
    let folder = TempDir::new().unwrap();
    let (tls, users) = (Some(tls_files()), Some(users_file(&folder)));
    let (kind, message) =
        refused(ServeOptions { tls, users, ..ServeOptions::new(([192, 0, 2, 1], 0).into()) }).await;
    assert_eq!(kind, ErrorKind::Connection);
    assert!(message.starts_with("cannot listen on 192.0.2.1:0: "), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_used() {
    let folder = TempDir::new().unwrap();
    let broken = folder.path().join("broken.pem");
    std::fs::write(&broken, "not PEM").unwrap();
    let check = async |options: ServeOptions, expected: &str| {
        let (kind, message) = refused(options).await;
        assert_eq!(kind, ErrorKind::Usage);
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains('\n'), "{message}");
    };
    let with_tls = |files| ServeOptions { tls: Some(files), ..on_a_free_port() };
    let mut files = tls_files();
    files.key = folder.path().join("none.pem");
    check(with_tls(files.clone()), "none.pem").await;
    files.key.clone_from(&broken);
    check(with_tls(files), "broken.pem").await;
    let users = Some(broken);
    check(ServeOptions { users, ..on_a_free_port() }, "users file").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_server_stops_at_once() {
    let server = Server::start().await;
    let client = server.client().await;
    assert_eq!(client.value("SELECT 1").await, "1");
    let (ended, took) = server.stop().await;
    ended.unwrap();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(client.query_info("SELECT 1").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn running_queries_are_finished() {
    let server = Server::start().await;
    let client = server.client().await;
    let sql = "SELECT max(value % 7) FROM generate_series(1, 30000000)";
    let info = client.query_info(sql).await.unwrap();
    let fetching = tokio::spawn({
        let client = client.clone();
        async move { client.messages(ticket(&info)).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (ended, _took) = server.stop().await;
    ended.unwrap();
    assert_eq!(fetching.await.unwrap().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_ended_and_told() {
    let server = Server::with(|options| options.drain_timeout = Duration::from_millis(300)).await;
    let client = server.client().await;
    let info = client.query_info(ENDLESS).await.unwrap();
    let fetching = tokio::spawn({
        let client = client.clone();
        async move { client.messages(ticket(&info)).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (ended, took) = server.stop().await;
    ended.unwrap();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let status = fetching.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains("the server is stopping"), "{status}");
}
