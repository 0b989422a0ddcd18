//! Everything that would change something is refused, by every way in.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch};
use arrow_flight::sql::{
    CommandStatementIngest, CommandStatementSubstraitPlan, CommandStatementUpdate, ProstMessageExt,
};
use arrow_flight::{Action, Criteria, FlightData};
use futures::{TryStreamExt, stream};
use tonic::{Code, Status};

use crate::support::{Client, Server, descriptor};

async fn put(client: &Client, command: &impl ProstMessageExt) -> Status {
    let first = FlightData { flight_descriptor: Some(descriptor(command)), ..FlightData::default() };
    match client.flight.clone().do_put(stream::iter([first])).await {
        Err(status) => status,
        Ok(answer) => answer.into_inner().try_collect::<Vec<_>>().await.expect_err("a refusal"),
    }
}

fn update(query: &str) -> CommandStatementUpdate {
    CommandStatementUpdate { query: query.to_owned(), transaction_id: None }
}

fn ingest(table: &str) -> CommandStatementIngest {
    CommandStatementIngest {
        table_definition_options: None,
        table: table.to_owned(),
        schema: None,
        catalog: None,
        temporary: false,
        transaction_id: None,
        options: Default::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_change_something() {
    let server = Server::start().await;
    let client = server.client().await;
    let folder = tempfile::TempDir::new().unwrap();
    let copied = folder.path().join("stolen.csv");
    let copy = format!("COPY tax.taxpayer TO '{}'", copied.display());
    for sql in [
        "CREATE TABLE mine AS SELECT 1",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE SCHEMA mine",
        "CREATE EXTERNAL TABLE secret STORED AS CSV LOCATION '/etc/passwd'",
        "DROP TABLE tax.taxpayer",
        "INSERT INTO ref.county SELECT * FROM ref.county",
        "SELECT * INTO mine FROM ref.county",
        "SET datafusion.execution.batch_size = 1",
        "SET tithe.skip_bad_lines = true",
        "RESET datafusion.execution.batch_size",
        "EXPLAIN ANALYZE INSERT INTO ref.county SELECT * FROM ref.county",
        "PREPARE p AS SELECT 1",
        &copy,
    ] {
        let (code, message) = client.refusal(sql).await;
        assert_eq!(code, Code::PermissionDenied, "{sql}: {message}");
        assert!(message.contains("this server only reads; use SELECT"), "{sql}: {message}");
    }
    assert!(!copied.exists());
    assert_eq!(client.value("SELECT count(*) FROM ref.county").await, "22");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_nobody_knows_here() {
    let server = Server::start().await;
    let client = server.client().await;
    for sql in
        ["DELETE FROM ref.county", "UPDATE ref.county SET name_zh = 'x'", "GRANT SELECT ON a TO b", "BEGIN"]
    {
        let (code, message) = client.refusal(sql).await;
        assert!(matches!(code, Code::PermissionDenied | Code::InvalidArgument), "{sql}: {code:?} {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads() {
    let server = Server::start().await;
    let client = server.client().await;
    let check = async |status: Status, code: Code, expected: &str| {
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(expected), "{status}");
    };
    let long = "x".repeat(2_000_000);
    check(put(&client, &update("DELETE FROM t")).await, Code::PermissionDenied, "DELETE is not allowed")
        .await;
    check(put(&client, &update(&long)).await, Code::PermissionDenied, "xxx… is not allowed").await;
    check(put(&client, &ingest("mine")).await, Code::PermissionDenied, "loading rows into mine").await;
    check(put(&client, &ingest(&long)).await, Code::PermissionDenied, "this server only reads").await;
    let substrait = CommandStatementSubstraitPlan::default();
    check(put(&client, &substrait).await, Code::Unimplemented, "send SQL text instead").await;
    let bare = client.flight.clone().do_put(stream::iter([FlightData::default()])).await.unwrap_err();
    check(bare, Code::InvalidArgument, "no descriptor").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_is_refused_before_it_is_read() {
    let server = Server::start().await;
    let mut client = server.client().await.sql;
    let column = Arc::new(Int64Array::from_iter_values(0..100_000));
    let batch = RecordBatch::try_from_iter([("n", column as _)]).unwrap();
    let upload = stream::iter((0..500).map(move |_| Ok(batch.clone())));
    let sent = client.execute_ingest(ingest("mine"), upload);
    let error = tokio::time::timeout(Duration::from_secs(20), sent).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("is not allowed"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_not_have() {
    let server = Server::start().await;
    let client = server.client().await;
    let check = |status: Status, code: Code, expected: &str| {
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(expected), "{status}");
    };
    let act = async |name: &str, body: &'static [u8]| {
        let action = Action { r#type: name.to_owned(), body: body.into() };
        client.flight.clone().do_action(action).await.expect_err("a refusal")
    };
    check(act("BeginTransaction", b"").await, Code::Unimplemented, "no transactions");
    check(act("Reboot", b"").await, Code::Unimplemented, "no action \"Reboot\"");
    check(act(&"x".repeat(1_000_000), b"").await, Code::Unimplemented, "ListActions");
    check(act("CreatePreparedStatement", b"\xff").await, Code::InvalidArgument, "is not what it takes");
    let flights = client.flight.clone().list_flights(Criteria::default()).await.unwrap_err();
    check(flights, Code::Unimplemented, "ask for its tables");
    let exchange =
        client.flight.clone().do_exchange(stream::iter([FlightData::default()])).await.unwrap_err();
    check(exchange, Code::Unimplemented, "send SQL");
    let substrait = client.info(&CommandStatementSubstraitPlan::default()).await.unwrap_err();
    check(substrait, Code::Unimplemented, "send SQL text instead");
    let in_transaction = arrow_flight::sql::CommandStatementQuery {
        query: "SELECT 1".to_owned(),
        transaction_id: Some(b"t".as_slice().into()),
    };
    check(client.info(&in_transaction).await.unwrap_err(), Code::InvalidArgument, "names a transaction");
    let nonsense = arrow_flight::FlightDescriptor::new_cmd(b"SELECT 1".as_slice());
    let nonsense = client.flight.clone().get_flight_info(nonsense).await.unwrap_err();
    check(nonsense, Code::InvalidArgument, "not a Flight SQL command");
    let path = arrow_flight::FlightDescriptor::new_path(vec!["tax".to_owned()]);
    check(
        client.flight.clone().get_flight_info(path).await.unwrap_err(),
        Code::InvalidArgument,
        "Flight SQL driver",
    );

    let actions = client.flight.clone().list_actions(arrow_flight::Empty {}).await.unwrap();
    let actions: Vec<_> = actions.into_inner().try_collect().await.unwrap();
    assert_eq!(actions.len(), 7);
}
