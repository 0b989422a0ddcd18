//! What a client sets for its connection.

use std::collections::BTreeMap;

use arrow_flight::Action;
use futures::TryStreamExt;
use prost::{Message, Oneof};
use tonic::{Code, Status};

use crate::support::{Client, Server};

// As `Flight.proto` has them; arrow-flight 59 does not.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(oneof = "OneOf", tags = "1, 3")]
    value: Option<OneOf>,
}

#[derive(Clone, PartialEq, Oneof)]
enum OneOf {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(sfixed64, tag = "3")]
    Number(i64),
}

#[derive(Clone, PartialEq, Message)]
struct Options {
    #[prost(btree_map = "string, message", tag = "1")]
    options: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Errors {
    #[prost(btree_map = "string, message", tag = "1")]
    errors: BTreeMap<String, Outcome>,
}

#[derive(Clone, PartialEq, Message)]
struct Outcome {
    #[prost(int32, tag = "1")]
    value: i32,
}

const INVALID_NAME: i32 = 1;
const INVALID_VALUE: i32 = 2;

fn text(value: &str) -> Value {
    Value { value: Some(OneOf::Text(value.to_owned())) }
}

/// The body of the result, and the cookie that came with it.
async fn act(client: &Client, name: &str, body: Vec<u8>) -> Result<(bytes::Bytes, Option<String>), Status> {
    let action = Action { r#type: name.to_owned(), body: body.into() };
    let answer = client.flight.clone().do_action(client.request(action)).await?;
    let cookie = answer.metadata().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
    Ok((answer.into_inner().try_next().await?.expect("a result").body, cookie))
}

/// The errors by option, and the cookie.
async fn set(client: &Client, name: &str, value: Value) -> (BTreeMap<String, i32>, Option<String>) {
    let request = Options { options: [(name.to_owned(), value)].into() };
    let (body, cookie) = act(client, "SetSessionOptions", request.encode_to_vec()).await.unwrap();
    let errors = Errors::decode(body).unwrap().errors;
    (errors.into_iter().map(|(name, error)| (name, error.value)).collect(), cookie)
}

async fn get(client: &Client, name: &str) -> Option<Value> {
    let (body, _cookie) = act(client, "GetSessionOptions", Vec::new()).await.unwrap();
    Options::decode(body).unwrap().options.remove(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_holds_for_its_connection_until_closed() {
    let server = Server::start().await;
    let client = server.client().await;
    assert_eq!(get(&client, "schema").await, Some(text("public")));
    assert_eq!(get(&client, "catalog").await, Some(text("tithe")));
    assert_eq!(client.refusal("SELECT count(*) FROM county").await.0, Code::NotFound);
    assert!(set(&client, "schema", text("ref")).await.0.is_empty());
    assert_eq!(get(&client, "schema").await, Some(text("ref")));
    assert_eq!(client.value("SELECT count(*) FROM county").await, "22");
    let other = server.client().await;
    assert_eq!(other.refusal("SELECT count(*) FROM county").await.0, Code::NotFound);
    let (closed, _cookie) = act(&client, "CloseSession", Vec::new()).await.unwrap();
    assert_eq!(&*closed, b"\x08\x01");
    assert_eq!(client.refusal("SELECT count(*) FROM county").await.0, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_keeps_it_over_connections() {
    let server = Server::start().await;
    let (errors, cookie) = set(&server.client().await, "schema", text("ref")).await;
    assert!(errors.is_empty());
    let cookie = cookie.expect("a cookie");
    assert!(cookie.starts_with("arrow_flight_session_id="), "{cookie}");
    let later = server.client().await.with_header("cookie", &cookie);
    assert_eq!(later.value("SELECT count(*) FROM county").await, "22");
    let stranger = server.client().await.with_header("cookie", "arrow_flight_session_id=guessed");
    assert_eq!(stranger.refusal("SELECT count(*) FROM county").await.0, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_statement_keeps_the_schema_it_was_made_with() {
    let server = Server::start().await;
    let client = server.client().await;
    set(&client, "schema", text("ref")).await;
    let mut prepared = client.sql.clone().prepare("SELECT * FROM county".to_owned(), None).await.unwrap();
    set(&client, "schema", text("tax")).await;
    let info = prepared.execute().await.unwrap();
    client.messages(crate::support::ticket(&info)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_planned_with_the_settings_of_their_session() {
    let server = Server::start().await;
    let client = server.client().await;
    let hour = "SELECT CAST(TIMESTAMP WITH TIME ZONE '2024-05-01 08:00:00+00' AS TEXT) AS t";
    let (errors, cookie) = set(&client, "time_zone", text("Asia/Taipei")).await;
    assert!(errors.is_empty() && cookie.is_some());
    assert_eq!(get(&client, "time_zone").await, Some(text("Asia/Taipei")));
    assert_eq!(client.value(hour).await, "2024-05-01T16:00:00+08:00");
    // The schema stays beside, and other clients have their own.
    assert!(set(&client, "schema", text("ref")).await.0.is_empty());
    assert_eq!(get(&client, "time_zone").await, Some(text("Asia/Taipei")));
    assert_eq!(get(&server.client().await, "time_zone").await, None);
    assert!(set(&client, "time_zone", text("+00:00")).await.0.is_empty());
    assert_eq!(client.value(hour).await, "2024-05-01T08:00:00Z");

    let rollups = "SELECT value FROM information_schema.df_settings WHERE name = 'tithe.query.rollups'";
    let mut prepared = client.sql.clone().prepare(rollups.to_owned(), None).await.unwrap();
    assert!(set(&client, "tithe.query.rollups", text("false")).await.0.is_empty());
    assert_eq!(client.value(rollups).await, "false");
    // What was prepared is run with the settings of then.
    let info = prepared.execute().await.unwrap();
    let messages = client.messages(crate::support::ticket(&info)).await.unwrap();
    let rows = arrow_flight::utils::flight_data_to_batches(&messages).unwrap();
    let rows = arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string();
    assert!(rows.contains("| true "), "{rows}");
    assert!(set(&client, "tithe.query.rollups", Value { value: None }).await.0.is_empty());
    assert_eq!(client.value(rollups).await, "true");
    assert_eq!(get(&client, "tithe.query.rollups").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_set_is_named() {
    let server = Server::start().await;
    let client = server.client().await;
    let refused = |name: &str, error: i32| BTreeMap::from([(name.to_owned(), error)]);
    assert_eq!(set(&client, "shema", text("tax")).await.0, refused("shema", INVALID_NAME));
    assert_eq!(set(&client, "schema", text("nowhere")).await.0, refused("schema", INVALID_VALUE));
    assert_eq!(set(&client, "schema", text("a'; DROP TABLE x")).await.0, refused("schema", INVALID_VALUE));
    let number = Value { value: Some(OneOf::Number(7)) };
    assert_eq!(set(&client, "schema", number).await.0, refused("schema", INVALID_VALUE));
    assert_eq!(set(&client, "catalog", text("other")).await.0, refused("catalog", INVALID_VALUE));
    assert!(set(&client, "catalog", text("tithe")).await.0.is_empty());
    let zone = "time_zone";
    assert_eq!(set(&client, zone, text("Mars/Olympus")).await.0, refused(zone, INVALID_VALUE));
    let unknown = "tithe.query.rolups";
    assert_eq!(set(&client, unknown, text("true")).await.0, refused(unknown, INVALID_NAME));
    let wrong = "tithe.query.rollups";
    assert_eq!(set(&client, wrong, text("perhaps")).await.0, refused(wrong, INVALID_VALUE));
    // What a read-only session may not change by `SET`.
    let batch = "datafusion.execution.batch_size";
    assert_eq!(set(&client, batch, text("1")).await.0, refused(batch, INVALID_NAME));
    let garbage = act(&client, "SetSessionOptions", vec![0xff, 0xff]).await.unwrap_err();
    assert_eq!(garbage.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_was_set_leaves_no_record_beside_the_query_s() {
    let folder = tempfile::TempDir::new().unwrap();
    let engine = tithe_engine::Engine::open(tithe_engine::EngineOptions {
        lake: Some(tithe_testkit::sample_lake().to_str().unwrap().parse().unwrap()),
        audit: Some(folder.path().join("audit")),
        ..tithe_engine::EngineOptions::default()
    });
    let server = Server::of(engine.await.unwrap(), |_options| ()).await;
    let client = server.client().await;
    set(&client, "schema", text("ref")).await;
    assert_eq!(client.value("SELECT count(*) FROM county").await, "22");
    let records = "SELECT string_agg(sql, '; ' ORDER BY query) FROM audit.query WHERE outcome = 'done'";
    assert_eq!(client.value(records).await, "SELECT count(*) FROM county");
    // The id of an error is that of its record.
    for refused in ["SELECT * FROM no.table", "SELECT 1 / (value - value) FROM generate_series(1, 3)"] {
        let status = client.query(refused).await.unwrap_err();
        let id = status.metadata().get("tithe-query-id").expect("an id").to_str().unwrap().to_owned();
        assert_eq!(client.value(&format!("SELECT sql FROM audit.query WHERE id = '{id}'")).await, refused);
    }
}
