//! Tickets and handles that the server did not make, or made for someone else.

use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, CommandPreparedStatementQuery, ProstMessageExt, TicketStatementQuery,
};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_flight::{Action, Ticket};
use parquet::arrow::ArrowWriter;
use prost::Message;
use tonic::{Code, Status};

use crate::support::{Client, Server, ticket};

/// The server's own format, as someone would write it who had read its source.
#[derive(Clone, PartialEq, Message)]
struct Forged {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(string, tag = "2")]
    principal: String,
    #[prost(string, tag = "3")]
    sql: String,
    #[prost(string, optional, tag = "4")]
    default_schema: Option<String>,
    #[prost(fixed64, tag = "5")]
    columns: u64,
}

fn forged(principal: &str, sql: &str) -> Vec<u8> {
    let ticket = Forged {
        id: vec![7; 16],
        principal: principal.to_owned(),
        sql: sql.to_owned(),
        default_schema: None,
        columns: 0,
    };
    ticket.encode_to_vec()
}

async fn fetch(client: &Client, handle: Vec<u8>) -> Status {
    let query = TicketStatementQuery { statement_handle: handle.into() };
    client.messages(Ticket::new(query.as_any().encode_to_vec())).await.expect_err("a refusal")
}

async fn execute(client: &Client, handle: Vec<u8>) -> Status {
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle.into() };
    client.info(&command).await.expect_err("a refusal")
}

async fn close(client: &Client, handle: Vec<u8>) -> Result<(), Status> {
    let request = ActionClosePreparedStatementRequest { prepared_statement_handle: handle.into() };
    let body = request.as_any().encode_to_vec();
    let action = Action { r#type: "ClosePreparedStatement".to_owned(), body: body.into() };
    client.flight.clone().do_action(action).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage() {
    let server = Server::start().await;
    let client = server.client().await;
    for bytes in [&b""[..], b"SELECT 1", b"\xff\xff\xff\xff", &[0x0a, 0x02, 0x41, 0x41]] {
        let status = client.messages(Ticket::new(bytes.to_vec())).await.unwrap_err();
        assert!(matches!(status.code(), Code::InvalidArgument | Code::Unimplemented), "{status}");
        for status in [
            fetch(&client, bytes.to_vec()).await,
            execute(&client, bytes.to_vec()).await,
            close(&client, bytes.to_vec()).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::InvalidArgument, "{status}");
            assert!(status.message().contains("run the query again"), "{status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ticket() {
    let server = Server::start().await;
    let client = server.client().await;
    let good = ticket(&client.query_info("SELECT 1 AS n").await.unwrap()).ticket.to_vec();
    for place in 0..good.len() {
        let mut bytes = good.clone();
        bytes[place] ^= 0x15;
        // A changed letter of the SQL may make another good statement; nothing may break.
        client.messages(Ticket::new(bytes)).await.ok();
        client.messages(Ticket::new(good[..place].to_vec())).await.ok();
    }
    assert_eq!(client.value("SELECT 1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_ticket_grants_nothing() {
    let server = Server::start().await;
    let client = server.client().await;
    for handle in
        ["INSERT INTO ref.county SELECT * FROM ref.county", "CREATE TABLE mine AS SELECT 1", "SET a.b = 1"]
    {
        let status = fetch(&client, forged("local", handle)).await;
        assert_eq!(status.code(), Code::PermissionDenied, "{status}");
        let status = execute(&client, forged("local", handle)).await;
        assert_eq!(status.code(), Code::PermissionDenied, "{status}");
    }
    let status = fetch(&client, forged("local", "SELECT 1; SELECT 2")).await;
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let status = fetch(&client, forged("local", "SELECT 1")).await;
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let status = fetch(&client, forged("minister", "SELECT 1")).await;
    assert_eq!(
        (status.code(), status.message()),
        (Code::PermissionDenied, "the ticket belongs to another user: run the query again")
    );
    let long = format!("SELECT '{}'", "x".repeat(2_000_000));
    assert_eq!(fetch(&client, forged("local", &long)).await.code(), Code::ResourceExhausted);
}

fn write(lake: &Path, name: &str, column: ArrayRef) {
    let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
    let file = File::create(lake.join("a/t").join(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_from_before_the_files_changed_reads_those_of_now() {
    let lake = tempfile::TempDir::new().unwrap();
    std::fs::create_dir_all(lake.path().join("a/t")).unwrap();
    write(lake.path(), "1.parquet", Arc::new(Int64Array::from(vec![1, 2])));
    let server = Server::on(lake.path(), |_options| ()).await;
    let client = server.client().await;
    let sql = "SELECT sum(n) AS total FROM a.t";
    let announced = client.query_info(sql).await.unwrap();
    std::fs::remove_file(lake.path().join("a/t/1.parquet")).unwrap();
    write(lake.path(), "2.parquet", Arc::new(Int64Array::from(vec![40])));
    let rows = client.messages(ticket(&announced)).await.unwrap();
    let rows = arrow_flight::utils::flight_data_to_batches(&rows).unwrap();
    assert_eq!(crate::support::shown(&rows).lines().nth(3), Some("| 40    |"));

    let announced = client.query_info("SELECT n FROM a.t").await.unwrap();
    write(lake.path(), "2.parquet", Arc::new(StringArray::from(vec!["forty"])));
    let refused = client.messages(ticket(&announced)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    assert!(refused.message().contains("other columns than were announced"), "{refused}");
    std::fs::remove_file(lake.path().join("a/t/2.parquet")).unwrap();
    let gone = client.messages(ticket(&announced)).await.unwrap_err();
    assert!(gone.message().contains("a.t"), "{gone}");
}
