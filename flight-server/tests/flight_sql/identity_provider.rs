//! Users of an identity provider, whose keys and tokens a library that is not ours makes.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tithe_flight_server::{IdentityProviderOptions, ServeError, ServeOptions};
use tithe_testkit::python_or_skip;
use tokio::net::TcpListener;
use tonic::Code;

use crate::clients::check;
use crate::login::{USERS, logged_in, users_file};
use crate::support::{Client, Server, tests_folder, tls_files};

#[derive(Deserialize)]
struct Made {
    keys: Vec<Value>,
    tokens: BTreeMap<String, String>,
}

/// A provider, and a token of it for each method of signing.
async fn provider(python: &std::path::Path) -> (IdentityProviderOptions, BTreeMap<String, String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let keys = Arc::new(OnceLock::<Value>::new());
    let configuration = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
    let published = Arc::clone(&keys);
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(|| async move { configuration.to_string() }))
        .route(
            "/keys",
            get(move || async move { published.get().map(Value::to_string).unwrap_or_default() }),
        );
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut command = Command::new(python);
    command.arg(tests_folder().join("python/tokens.py")).arg(&issuer);
    let made = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Made = serde_json::from_slice(&made.stdout).unwrap();
    keys.set(json!({"keys": made.keys})).unwrap();
    let options = IdentityProviderOptions {
        issuer,
        audience: "tithe".to_owned(),
        user_claim: "sub".to_owned(),
        groups_claim: None,
        authority: None,
    };
    (options, made.tokens)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_of_signing_lets_users_in() {
    let Some(python) = python_or_skip("every_method_of_signing_lets_users_in") else { return };
    let (options, tokens) = provider(&python).await;
    let server = Server::with(|serve| {
        serve.tls = Some(tls_files());
        serve.identity_provider = Some(options);
    })
    .await;
    assert_eq!(tokens.len(), 9);
    let (uri, certificate) = (server.uri("grpc+tls"), tls_files().certificate);
    let mut arguments = vec![uri.as_str(), certificate.to_str().unwrap()];
    arguments.extend(tokens.values().map(String::as_str));
    check(&python, "bearer.py", &arguments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_and_tokens_live_side_by_side() {
    let Some(python) = python_or_skip("passwords_and_tokens_live_side_by_side") else { return };
    let (options, tokens) = provider(&python).await;
    let issuer = options.issuer.clone();
    let folder = TempDir::new().unwrap();
    let users = users_file(&folder);
    let server = Server::with(|serve| {
        serve.tls = Some(tls_files());
        serve.users = Some(users);
        serve.identity_provider = Some(options);
    })
    .await;
    let client = logged_in(server.tls_channel().await, USERS[0]).await;
    assert_eq!(client.value("SELECT 1").await, "1");
    let bearer = format!("Bearer {}", tokens["ES256"]);
    let client = Client::new(server.tls_channel().await).with_header("authorization", &bearer);
    assert_eq!(client.value("SELECT 2").await, "2");
    let (code, message) = Client::new(server.tls_channel().await).refusal("SELECT 1").await;
    assert_eq!(code, Code::Unauthenticated);
    let expected = format!(
        "this server wants to know who you are: connect with a user name and password, or with a token of {issuer} in \
         the header authorization (Bearer …)"
    );
    assert_eq!(message, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_not_take_the_name_of_a_user_with_a_password() {
    let Some(python) = python_or_skip("a_token_does_not_take_the_name_of_a_user_with_a_password") else {
        return;
    };
    let (options, tokens) = provider(&python).await;
    let folder = TempDir::new().unwrap();
    let users = users_file(&folder);
    let text = std::fs::read_to_string(&users).unwrap().replace(USERS[0].0, "user of ES256");
    std::fs::write(&users, text).unwrap();
    let server = Server::with(|serve| {
        serve.users = Some(users);
        serve.identity_provider = Some(options);
    })
    .await;
    let bearer = |method: &str| format!("Bearer {}", tokens[method]);
    let client = Client::new(server.channel().await).with_header("authorization", &bearer("ES256"));
    let (code, message) = client.refusal("SELECT 1").await;
    assert_eq!(code, Code::Unauthenticated);
    assert!(message.contains("its user has a password on this server"), "{message}");
    let client = Client::new(server.channel().await).with_header("authorization", &bearer("ES384"));
    assert_eq!(client.value("SELECT 1").await, "1");
}

/// Groups come with the token, and reach rules that name them, roles of theirs and tenants.
#[tokio::test(flavor = "multi_thread")]
async fn the_groups_of_a_token_are_those_of_the_policy() {
    let Some(python) = python_or_skip("the_groups_of_a_token_are_those_of_the_policy") else { return };
    let (options, tokens) = provider(&python).await;
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("policy.json");
    let rules = json!({
        "groups": [{"group": "稽核", "users": []}],
        "roles": [{"role": "auditor", "groups": ["稽核"]}],
        "tenants": [{"group": "taipei", "table": "bureau", "filter": "bureau_code = 'A01'"},
                    {"group": "kaohsiung", "table": "bureau", "filter": "bureau_code = 'E01'"}],
        "tables": [{"schema": "ref", "table": "bureau", "privileges": ["SELECT"]},
                   {"role": "auditor", "schema": "ref", "table": "county", "privileges": ["SELECT"]}],
    });
    std::fs::write(&policy, rules.to_string()).unwrap();
    let options = IdentityProviderOptions { groups_claim: Some("groups".to_owned()), ..options };
    let with_groups =
        Server::under_policy(&policy, |serve| serve.identity_provider = Some(options.clone())).await;
    let bearer = async |server: &Server, method: &str| {
        let bearer = format!("Bearer {}", tokens[method]);
        Client::new(server.channel().await).with_header("authorization", &bearer)
    };
    let bureau = "SELECT string_agg(bureau_code, ',') FROM ref.bureau";
    let counties = "SELECT count(*) > 0 FROM ref.county";
    let taipei = bearer(&with_groups, "ES256").await;
    assert_eq!(taipei.value(bureau).await, "A01");
    assert_eq!(taipei.value(counties).await, "true");
    let kaohsiung = bearer(&with_groups, "ES384").await;
    assert_eq!(kaohsiung.value(bureau).await, "E01");
    assert_eq!(kaohsiung.refusal(counties).await.0, Code::NotFound);
    assert_eq!(bearer(&with_groups, "EdDSA").await.refusal(bureau).await.0, Code::NotFound);
    // A server that was not told of a claim takes no group from a token.
    let options = IdentityProviderOptions { groups_claim: None, ..options };
    let without = Server::under_policy(&policy, |serve| serve.identity_provider = Some(options)).await;
    assert_eq!(bearer(&without, "ES256").await.refusal(bureau).await.0, Code::NotFound);
}

#[tokio::test]
async fn a_provider_that_is_none_is_told_when_starting() {
    let engine = crate::support::engine(&tithe_testkit::sample_lake(), None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new()).await });
    let start = async |issuer: &str| -> ServeError {
        let identity_provider = IdentityProviderOptions {
            issuer: issuer.to_owned(),
            audience: "tithe".to_owned(),
            user_claim: "sub".to_owned(),
            groups_claim: None,
            authority: None,
        };
        let options =
            ServeOptions { identity_provider: Some(identity_provider), ..crate::support::on_a_free_port() };
        let served = tithe_flight_server::serve(Arc::clone(&engine), options, std::future::pending(), |_| ());
        served.await.unwrap_err()
    };
    let error = start("http://login.example").await.to_string();
    assert!(error.starts_with("http://login.example is no address for an identity provider"), "{error}");
    let error = start(&elsewhere).await.to_string();
    assert!(error.contains("does not answer as an identity provider: it says 404"), "{error}");
}
