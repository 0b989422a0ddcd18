//! Prepared statements, which have no parameters yet.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow_flight::sql::ActionCreatePreparedStatementRequest;
use arrow_flight::sql::ProstMessageExt;
use arrow_flight::{Action, FlightInfo};
use futures::TryStreamExt;
use insta::assert_snapshot;
use prost::Message;
use tonic::{Code, Status};

use crate::support::{Client, Server, shown, ticket};

async fn rows(client: &Client, info: &FlightInfo) -> Vec<RecordBatch> {
    arrow_flight::utils::flight_data_to_batches(&client.messages(ticket(info)).await.unwrap()).unwrap()
}

async fn create(client: &Client, sql: &str) -> Result<(), Status> {
    let request = ActionCreatePreparedStatementRequest { query: sql.to_owned(), transaction_id: None };
    let action = Action {
        r#type: "CreatePreparedStatement".to_owned(),
        body: request.as_any().encode_to_vec().into(),
    };
    let results = client.flight.clone().do_action(client.request(action)).await?.into_inner();
    results.try_collect::<Vec<_>>().await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn run_as_often_as_wanted_then_closed() {
    let server = Server::start().await;
    let client = server.client().await;
    let sql = "SELECT count(*) AS counties FROM ref.county";
    let mut prepared = client.sql.clone().prepare(sql.to_owned(), None).await.unwrap();
    assert!(prepared.parameter_schema().unwrap().fields().is_empty());
    for _ in 0..3 {
        let info = prepared.execute().await.unwrap();
        let answer = shown(&rows(&client, &info).await);
        insta::allow_duplicates!(assert_snapshot!(answer, @r#"
        +----------+
        | counties |
        +----------+
        | 22       |
        +----------+
        "#));
    }
    prepared.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_works_on_any_server_of_the_lake() {
    let (first, second) = (Server::start().await, Server::start().await);
    let mut prepared = first.client().await.sql.prepare("SELECT 7 AS n".to_owned(), None).await.unwrap();
    let info = prepared.execute().await.unwrap();
    let elsewhere = second.client().await;
    assert_eq!(rows(&elsewhere, &info).await[0].num_rows(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_found_when_preparing() {
    let server = Server::start().await;
    let client = server.client().await;
    let check = async |sql: &str, code: Code, message: &str| {
        let status = create(&client, sql).await.unwrap_err();
        assert_eq!(status.code(), code, "{sql}: {status}");
        assert!(status.message().contains(message), "{sql}: {status}");
    };
    check("SELEC 1", Code::InvalidArgument, "line 1").await;
    check("SELECT * FROM tax.taxpayr", Code::NotFound, "tax.taxpayer").await;
    check("DROP TABLE tax.taxpayer", Code::PermissionDenied, "this server only reads").await;
    check("SELECT $1", Code::InvalidArgument, "does not bind parameters yet").await;
    check(
        "SELECT * FROM ref.county WHERE county_code = ?",
        Code::InvalidArgument,
        "write the value into the SQL",
    )
    .await;
    check("", Code::InvalidArgument, "expected one SQL statement, found 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_for_parameters_are_refused() {
    let server = Server::start().await;
    let client = server.client().await;
    let mut prepared = client.sql.clone().prepare("SELECT 1".to_owned(), None).await.unwrap();
    let values = Arc::new(Int64Array::from(vec![1]));
    prepared.set_parameters(RecordBatch::try_from_iter([("0", values as _)]).unwrap()).unwrap();
    let error = prepared.execute().await.unwrap_err().to_string();
    assert!(error.contains("does not bind parameters yet"), "{error}");
    let error = prepared.execute_update().await.unwrap_err().to_string();
    assert!(error.contains("does not bind parameters yet"), "{error}");
}
