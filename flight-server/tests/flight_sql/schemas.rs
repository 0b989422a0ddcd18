//! What is announced is what arrives: GetFlightInfo, GetSchema, prepare, ticket and rows agree, nullability included.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::sql::CommandPreparedStatementQuery;
use arrow_flight::utils::flight_data_to_batches;
use arrow_flight::{FlightInfo, IpcMessage};
use tithe_queries::find;

use crate::support::{Client, Server, descriptor, statement, ticket};

fn announced(info: &FlightInfo) -> Schema {
    Schema::try_from(IpcMessage(info.schema.clone())).unwrap()
}

async fn check(client: &Client, sql: &str) {
    let context = |what: &str| format!("{what} of {sql}");
    let info = client.query_info(sql).await.unwrap_or_else(|status| panic!("{sql}: {status}"));
    let expected = announced(&info);
    let described =
        client.flight.clone().get_schema(client.request(descriptor(&statement(sql)))).await.unwrap();
    let described = Schema::try_from(&described.into_inner()).unwrap();
    assert_eq!(described, expected, "{}", context("GetSchema"));

    let messages = client.messages(ticket(&info)).await.unwrap();
    let sent = Schema::try_from(&messages[0]).unwrap();
    assert_eq!(sent, expected, "{}", context("DoGet"));
    for batch in flight_data_to_batches(&messages).unwrap() {
        for (field, column) in expected.fields().iter().zip(batch.columns()) {
            assert_eq!(column.data_type(), field.data_type(), "{}", context(field.name()));
            assert!(field.is_nullable() || column.null_count() == 0, "{}", context(field.name()));
        }
    }

    let prepared = client.sql.clone().prepare(sql.to_owned(), None).await.unwrap();
    assert_eq!(prepared.dataset_schema().unwrap(), &expected, "{}", context("prepare"));
    expected.fields().iter().for_each(|field| plain(field, sql));
}

/// Nothing that a widespread driver cannot read.
fn plain(field: &Field, sql: &str) {
    match field.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::Map(item, _) => plain(item, sql),
        DataType::Struct(fields) => fields.iter().for_each(|field| plain(field, sql)),
        DataType::Utf8View
        | DataType::BinaryView
        | DataType::ListView(_)
        | DataType::Dictionary(..)
        | DataType::RunEndEncoded(..)
        | DataType::Decimal32(..)
        | DataType::Decimal64(..) => panic!("{sql}: {field}"),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_statements() {
    let server = Server::start().await;
    let client = server.client().await;
    for sql in [
        "SELECT 1 AS a, NULL AS b, 'x' AS c",
        "SELECT count(*), sum(n), max(n), coalesce(n, 0) FROM (VALUES (1), (NULL)) t(n) GROUP BY n",
        "SELECT * FROM tax.taxpayer LIMIT 10",
        "SELECT * FROM third_party.channel_raw LIMIT 3",
        "SELECT * FROM third_party.page_raw LIMIT 1",
        "SELECT * FROM invoice.header LIMIT 5",
        "SELECT a.taxpayer_id, b.gross_amount FROM tax.taxpayer a LEFT JOIN tax.withholding b ON b.payee_id = a.taxpayer_id",
        "SELECT CASE WHEN true THEN 1 END AS always, CASE WHEN false THEN 1 END AS never",
        "SELECT tax_type, row_number() OVER (ORDER BY tax_type) AS place FROM ref.tax_type",
        "SELECT 1 UNION ALL SELECT NULL",
        "SELECT forecast(month, net_collections_million, 2) AS f FROM real.tw_tax_monthly WHERE tax_type = 'total'",
        "EXPLAIN SELECT 1",
        "SHOW TABLES",
        "DESCRIBE ref.county",
    ] {
        check(&client, sql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_library_queries() {
    let server = Server::start().await;
    let client = server.client().await;
    for name in [
        "revenue/forecast_by_tax",
        "revenue/year_on_year",
        "vat/returns_against_invoices",
        "vat/circular_trading",
        "vat/gap_by_industry",
        "creators/channel_links",
        "income/withholding_by_code",
        "data_quality/identifier_checksums",
        "local_taxes/by_county",
    ] {
        let query = find(name).unwrap();
        check(&client, &query.bind(&BTreeMap::new()).unwrap()).await;
        let columns: Vec<_> = query.columns.iter().map(|column| column.name.clone()).collect();
        let info = client.query_info(&query.bind(&BTreeMap::new()).unwrap()).await.unwrap();
        let names: Vec<_> = announced(&info).fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, columns, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_prepared_statement_that_is_run_twice() {
    let server = Server::start().await;
    let client = server.client().await;
    let sql = "SELECT synthetic, count(*) AS people FROM tax.taxpayer GROUP BY synthetic";
    let mut prepared = client.sql.clone().prepare(sql.to_owned(), None).await.unwrap();
    let announced_first = prepared.dataset_schema().unwrap().clone();
    for _ in 0..2 {
        let info = prepared.execute().await.unwrap();
        assert_eq!(announced(&info), announced_first);
        let messages = client.messages(ticket(&info)).await.unwrap();
        assert_eq!(Schema::try_from(&messages[0]).unwrap(), announced_first);
    }
    // GetSchema of the handle; the handle is in the ticket.
    let info = prepared.execute().await.unwrap();
    let any = <arrow_flight::sql::Any as prost::Message>::decode(ticket(&info).ticket).unwrap();
    let command: CommandPreparedStatementQuery = any.unpack().unwrap().unwrap();
    let described = client.flight.clone().get_schema(descriptor(&command)).await.unwrap().into_inner();
    assert_eq!(Schema::try_from(&described).unwrap(), announced_first);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_changed_since_are_refused() {
    let lake = tempfile::TempDir::new().unwrap();
    let table = lake.path().join("notes/line");
    std::fs::create_dir_all(&table).unwrap();
    std::fs::write(table.join("a.jsonl"), "{\"n\": 1}\n").unwrap();
    let server = Server::on(lake.path(), |_options| ()).await;
    let client = server.client().await;
    let info = client.query_info("SELECT * FROM notes.line").await.unwrap();
    // The first fetch takes the kept plan; the second is planned anew.
    client.messages(ticket(&info)).await.unwrap();
    std::fs::write(table.join("a.jsonl"), "{\"n\": \"one\", \"m\": 2}\n").unwrap();
    let error = client.messages(ticket(&info)).await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::FailedPrecondition);
    assert!(error.message().contains("run the query again"), "{error}");
}
