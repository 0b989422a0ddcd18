//! Prepared statements and the values bound to them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema};
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
    check("SELECT $name", Code::InvalidArgument, "has no number").await;
    check("SELECT $2", Code::InvalidArgument, "without a gap").await;
    check("DELETE FROM ref.county WHERE county_code = ?", Code::PermissionDenied, "this server only reads")
        .await;
    check("", Code::InvalidArgument, "expected one SQL statement, found 0").await;
}

const COUNTY: &str = "SELECT county_code, CAST(? AS BIGINT) AS n FROM ref.county WHERE county_code = ?";

fn values(numbers: Vec<Option<i64>>, codes: Vec<&str>) -> RecordBatch {
    let (numbers, codes) = (Arc::new(Int64Array::from(numbers)), Arc::new(StringArray::from(codes)));
    RecordBatch::try_from_iter([("0", numbers as _), ("1", codes as _)]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_values_runs_the_statement() {
    let server = Server::start().await;
    let client = server.client().await;
    let mut prepared = client.sql.clone().prepare(COUNTY.to_owned(), None).await.unwrap();
    let parameters = prepared.parameter_schema().unwrap();
    assert_eq!((parameters.fields().len(), parameters.field(1).data_type()), (2, &DataType::Utf8));
    prepared.set_parameters(values(vec![Some(7), None], vec!["65000", "63000"])).unwrap();
    let info = prepared.execute().await.unwrap();
    let messages = client.messages(ticket(&info)).await.unwrap();
    assert_eq!(Schema::try_from(&messages[0]).unwrap(), info.clone().try_decode_schema().unwrap());
    let elsewhere = Server::start().await;
    for client in [client, elsewhere.client().await] {
        let answer = shown(&rows(&client, &info).await);
        insta::allow_duplicates!(assert_snapshot!(answer, @r#"
        +-------------+---+
        | county_code | n |
        +-------------+---+
        | 65000       | 7 |
        | 63000       |   |
        +-------------+---+
        "#));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_never_read_as_sql() {
    let server = Server::start().await;
    let client = server.client().await;
    let mut prepared = client.sql.clone().prepare(COUNTY.to_owned(), None).await.unwrap();
    prepared.set_parameters(values(vec![Some(1)], vec!["63000' OR '1' = '1"])).unwrap();
    let info = prepared.execute().await.unwrap();
    let count: usize = rows(&client, &info).await.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_do_not_fit_are_refused() {
    let server = Server::start().await;
    let client = server.client().await;
    let refused = async |sql: &str, values: Option<RecordBatch>, message: &str| {
        let mut prepared = client.sql.clone().prepare(sql.to_owned(), None).await.unwrap();
        if let Some(values) = values {
            prepared.set_parameters(values).unwrap();
        }
        let error = prepared.execute().await.unwrap_err().to_string();
        assert!(error.contains(message), "{sql}: {error}");
    };
    let pair = || values(vec![Some(1)], vec!["63000"]);
    refused(COUNTY, None, "2 parameter(s) without a value").await;
    refused("SELECT 1", Some(pair()), "0 parameter(s), and 2 value(s) were bound").await;
    refused("SELECT ?", Some(pair()), "1 parameter(s), and 2 value(s) were bound").await;
    refused(COUNTY, Some(pair().slice(0, 0)), "no row of values was bound").await;
    let long = "稅".repeat(400_000);
    refused(COUNTY, Some(values(vec![Some(1)], vec![&long])), "more than 1 MiB").await;
    let (code, message) = client.refusal("SELECT $1").await;
    assert_eq!(code, Code::InvalidArgument);
    assert!(message.contains("without a value"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_refused() {
    let server = Server::start().await;
    let client = server.client().await;
    let mut prepared = client.sql.clone().prepare("SELECT 1".to_owned(), None).await.unwrap();
    let error = prepared.execute_update().await.unwrap_err().to_string();
    assert!(error.contains("this server only reads"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_take_the_types_of_their_values() {
    let server = Server::start().await;
    let client = server.client().await;
    let answer = async |sql: &str, values: RecordBatch| {
        let mut prepared = client.sql.clone().prepare(sql.to_owned(), None).await.unwrap();
        let parameters = prepared.parameter_schema().unwrap().fields().len();
        assert_eq!(parameters, values.num_columns(), "{sql}");
        prepared.set_parameters(values).unwrap();
        let info = prepared.execute().await.unwrap();
        shown(&rows(&client, &info).await)
    };
    let numbers = || Arc::new(Int64Array::from(vec![-3])) as ArrayRef;
    let date = || Arc::new(Date32Array::from(vec![19_782])) as ArrayRef;
    let word = |word: &str| Arc::new(StringArray::from(vec![word])) as ArrayRef;
    let row = |columns: Vec<ArrayRef>| {
        let names = ["0", "1"];
        RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap()
    };
    assert_snapshot!(answer("SELECT abs(?) AS n, ? AS text", row(vec![numbers(), word("稅")])).await, @r#"
    +---+------+
    | n | text |
    +---+------+
    | 3 | 稅   |
    +---+------+
    "#);
    assert_snapshot!(answer("SELECT ? + ? AS sum", row(vec![numbers(), numbers()])).await, @r#"
    +-----+
    | sum |
    +-----+
    | -6  |
    +-----+
    "#);
    // No one type fits both parameters here, so nothing is known before the values come.
    assert_snapshot!(answer("SELECT date_trunc(?, ?) AS month", row(vec![word("month"), date()])).await, @r#"
    +---------------------+
    | month               |
    +---------------------+
    | 2024-02-01T00:00:00 |
    +---------------------+
    "#);
    let mut wrong = client.sql.clone().prepare("SELECT date_trunc(?, ?)".to_owned(), None).await.unwrap();
    wrong.set_parameters(row(vec![numbers(), numbers()])).unwrap();
    assert!(wrong.execute().await.unwrap_err().to_string().contains("date_trunc"));
    let (code, message) = client.refusal("SELECT date_trunc($1, $2)").await;
    assert_eq!(code, Code::InvalidArgument);
    assert!(message.contains("2 parameter(s) without a value"), "{message}");
}
