//! TLS, users, tokens.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use arrow_flight::sql::CommandGetCatalogs;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;
use tithe_flight_server::ServeOptions;
use tonic::Code;
use tonic::transport::Channel;

use crate::support::{Client, Server, ticket, tls_files};

pub(crate) const USERS: [(&str, &str); 2] = [("wang", "通行碼: 7"), ("林小美", "secret")];

/// A hash that is cheap to check; those of `hash_password` take long in a debug build, as they should.
fn cheap_hash(password: &str) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let salt = SaltString::encode_b64(b"a salt for tests").unwrap();
    argon2.hash_password(password.as_bytes(), &salt).unwrap().to_string()
}

pub(crate) fn users_file(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("users.toml");
    let entry = |(name, password): (&str, &str)| {
        format!("[[user]]\nname = \"{name}\"\npassword_hash = \"{}\"\n\n", cheap_hash(password))
    };
    std::fs::write(&path, USERS.map(entry).concat()).unwrap();
    path
}

fn guarded(folder: &TempDir) -> impl FnOnce(&mut ServeOptions) {
    let users = users_file(folder);
    move |options| {
        options.tls = Some(tls_files());
        options.users = Some(users);
    }
}

pub(crate) async fn logged_in(channel: Channel, (name, password): (&str, &str)) -> Client {
    let mut client = Client::new(channel.clone());
    client.sql.handshake(name, password).await.unwrap();
    let token = client.sql.token().expect("a token").clone();
    Client::new(channel).with_header("authorization", &format!("Bearer {token}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn name_and_password_give_a_token_that_works() {
    let folder = TempDir::new().unwrap();
    let server = Server::with(guarded(&folder)).await;
    for user in USERS {
        let client = logged_in(server.tls_channel().await, user).await;
        assert_eq!(client.value("SELECT count(*) FROM ref.county").await, "22");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn name_and_password_with_each_request_also_work() {
    let folder = TempDir::new().unwrap();
    let server = Server::with(guarded(&folder)).await;
    let (name, password) = USERS[0];
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")));
    let client = Client::new(server.tls_channel().await).with_header("authorization", &basic);
    assert_eq!(client.value("SELECT 1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_else_stays_outside() {
    let folder = TempDir::new().unwrap();
    let server = Server::with(guarded(&folder)).await;
    let check = async |authorization: Option<&str>, expected: &str| {
        let client = Client::new(server.tls_channel().await);
        let client = match authorization {
            Some(value) => client.with_header("authorization", value),
            None => client,
        };
        let status = client.info(&CommandGetCatalogs {}).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{status}");
        assert!(status.message().contains(expected), "{status}");
        let ticket = arrow_flight::Ticket::new(b"".as_slice());
        let calls = [
            client.messages(ticket).await.unwrap_err(),
            client.flight.clone().list_actions(client.request(arrow_flight::Empty {})).await.unwrap_err(),
            client
                .flight
                .clone()
                .do_action(client.request(arrow_flight::Action::default()))
                .await
                .unwrap_err(),
            client
                .flight
                .clone()
                .do_put(futures::stream::iter([arrow_flight::FlightData::default()]))
                .await
                .unwrap_err(),
        ];
        for status in calls {
            assert_eq!(status.code(), Code::Unauthenticated, "{status}");
        }
    };
    check(None, "connect with a user name and password").await;
    check(Some("Bearer local"), "connect again").await;
    check(Some(&format!("Bearer {}", "0".repeat(64))), "connect again").await;
    check(Some("Negotiate abc"), "neither").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_slowly_and_tells_nothing() {
    let folder = TempDir::new().unwrap();
    let server = Server::with(guarded(&folder)).await;
    let channel = server.tls_channel().await;
    let since = Instant::now();
    let mut messages = Vec::new();
    for (name, password) in [("wang", "wrong"), ("nobody", "wrong")] {
        let error = Client::new(channel.clone()).sql.handshake(name, password).await.unwrap_err().to_string();
        assert!(error.contains("the user name or the password is wrong"), "{error}");
        messages.push(error);
    }
    assert_eq!(messages[0], messages[1]);
    assert!(since.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_handles_and_running_queries_of_another() {
    let folder = TempDir::new().unwrap();
    let server = Server::with(guarded(&folder)).await;
    let channel = server.tls_channel().await;
    let (wang, lin) = (logged_in(channel.clone(), USERS[0]).await, logged_in(channel, USERS[1]).await);
    let info = wang.query_info("SELECT 1").await.unwrap();
    let status = lin.messages(ticket(&info)).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::PermissionDenied, "the ticket belongs to another user: run the query again")
    );
    wang.messages(ticket(&info)).await.unwrap();

    let mut prepared = wang.sql.clone().prepare("SELECT 1".to_owned(), None).await.unwrap();
    let info = prepared.execute().await.unwrap();
    assert_eq!(lin.messages(ticket(&info)).await.unwrap_err().code(), Code::PermissionDenied);
    let asked = lin.request(info.flight_descriptor.clone().unwrap());
    assert_eq!(lin.flight.clone().get_flight_info(asked).await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_users_lets_any_login_pass() {
    let server = Server::start().await;
    let client = logged_in(server.channel().await, ("anyone", "")).await;
    assert_eq!(client.value("SELECT 1").await, "1");
    // Some clients shake hands without a password.
    let request = futures::stream::iter([arrow_flight::HandshakeRequest::default()]);
    let answer = client.flight.clone().handshake(request).await.unwrap();
    assert!(answer.metadata().get("authorization").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_tls_gets_no_answer() {
    let folder = TempDir::new().unwrap();
    let server = Server::with(guarded(&folder)).await;
    let plain = tonic::transport::Endpoint::from_shared(server.uri("http")).unwrap();
    let failed = match plain.connect().await {
        Ok(channel) => Client::new(channel).info(&CommandGetCatalogs {}).await.is_err(),
        Err(_refused) => true,
    };
    assert!(failed);
    let client = logged_in(server.tls_channel().await, USERS[0]).await;
    assert_eq!(client.value("SELECT 1").await, "1");
}
