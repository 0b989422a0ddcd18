//! What clients see under a policy.

use arrow::array::RecordBatch;
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables};
use insta::assert_snapshot;
use tempfile::TempDir;
use tonic::Code;

use crate::login::{USERS, logged_in, users_file};
use crate::support::{Client, Server, shown, tls_files};

const POLICY: &str = r#"{
  "tags": [{"tag": "pii", "column": "name|phone|email|bank_account|birth_date|national_id|ban"}],
  "tables": [
    {"user": "wang", "schema": "tax", "table": "taxpayer", "privileges": ["SELECT"], "filter": "county_code = '63000'",
     "columns": [{"name": "name", "mask": "left(name, 1)"}]},
    {"user": "wang", "schema": "ref", "table": "bureau", "privileges": ["SELECT"]}
  ]
}"#;

async fn guarded(folder: &TempDir) -> Server {
    let policy = folder.path().join("policy.json");
    std::fs::write(&policy, POLICY).unwrap();
    let users = users_file(folder);
    Server::under_policy(&policy, |options| {
        options.tls = Some(tls_files());
        options.users = Some(users);
    })
    .await
}

async fn tables(client: &Client, include_schema: bool) -> Vec<RecordBatch> {
    let command = CommandGetTables {
        catalog: None,
        db_schema_filter_pattern: None,
        table_name_filter_pattern: None,
        table_types: Vec::new(),
        include_schema,
    };
    client.fetch(&command).await.unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_and_answers_hold_what_the_principal_may_see() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let wang = logged_in(server.tls_channel().await, USERS[0]).await;
    assert_snapshot!(shown(&tables(&wang, false).await), @r#"
    +--------------+----------------+------------+------------+
    | catalog_name | db_schema_name | table_name | table_type |
    +--------------+----------------+------------+------------+
    | tithe        | ref            | bureau     | TABLE      |
    | tithe        | tax            | taxpayer   | TABLE      |
    +--------------+----------------+------------+------------+
    "#);
    let schemas = CommandGetDbSchemas { catalog: None, db_schema_filter_pattern: None };
    assert_snapshot!(shown(&wang.fetch(&schemas).await.unwrap().1), @r#"
    +--------------+----------------+
    | catalog_name | db_schema_name |
    +--------------+----------------+
    | tithe        | ref            |
    | tithe        | tax            |
    +--------------+----------------+
    "#);
    assert_snapshot!(wang.table("DESCRIBE tax.taxpayer").await, @r#"
    +---------------+-----------+-------------+
    | column_name   | data_type | is_nullable |
    +---------------+-----------+-------------+
    | taxpayer_id   | Utf8View  | NO          |
    | kind          | Utf8View  | NO          |
    | name          | Utf8View  | YES         |
    | county_code   | Utf8View  | NO          |
    | industry_code | Utf8View  | YES         |
    | registered_on | Date32    | YES         |
    | synthetic     | Boolean   | NO          |
    +---------------+-----------+-------------+
    "#);
    let schema =
        wang.fetch(&crate::support::statement("SELECT * FROM tax.taxpayer LIMIT 0")).await.unwrap().0;
    assert!(schema.field_with_name("ban").is_err());
    assert_eq!(wang.value("SELECT count(DISTINCT county_code) FROM tax.taxpayer").await, "1");
    assert_eq!(wang.value("SELECT max(character_length(name)) FROM tax.taxpayer").await, "1");
    for hidden in ["SELECT ban FROM tax.taxpayer", "SELECT * FROM truth.link", "SELECT * FROM no.thing"] {
        assert_eq!(wang.refusal(hidden).await.0, Code::NotFound, "{hidden}");
    }
    let (code, message) = wang.refusal("EXPLAIN SELECT name FROM tax.taxpayer").await;
    assert_eq!(code, Code::PermissionDenied);
    assert!(message.contains("rules and row counts"), "{message}");
    let (code, message) = wang.refusal("CREATE VIEW v AS SELECT 1").await;
    assert_eq!(code, Code::PermissionDenied);
    assert!(message.contains("this server only reads"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_no_rule_names_sees_nothing_and_cannot_use_another_s_ticket() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let stranger = logged_in(server.tls_channel().await, USERS[1]).await;
    assert_eq!(tables(&stranger, true).await.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    assert_eq!(stranger.refusal("SELECT * FROM ref.bureau").await.0, Code::NotFound);
    assert_eq!(stranger.value("SELECT 1").await, "1");

    let wang = logged_in(server.tls_channel().await, USERS[0]).await;
    let info = wang.query_info("SELECT * FROM ref.bureau").await.unwrap();
    let ticket = crate::support::ticket(&info);
    assert!(stranger.messages(ticket.clone()).await.is_err());
    assert!(wang.messages(ticket).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_from_before_a_change_shows_nothing_that_is_forbidden_now() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let wang = logged_in(server.tls_channel().await, USERS[0]).await;
    let info = wang.query_info("SELECT bureau_code FROM ref.bureau").await.unwrap();
    std::fs::write(folder.path().join("policy.json"), "{}").unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let refused = wang.messages(crate::support::ticket(&info)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused}");
    assert_eq!(wang.refusal("SELECT bureau_code FROM ref.bureau").await.0, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_planned_again_under_a_changed_policy() {
    let folder = TempDir::new().unwrap();
    let server = guarded(&folder).await;
    let wang = logged_in(server.tls_channel().await, USERS[0]).await;
    let sql = "SELECT count(DISTINCT county_code) AS counties FROM tax.taxpayer";
    let info = wang.query_info(sql).await.unwrap();
    let whole = wang.query_info("SELECT * FROM tax.taxpayer").await.unwrap();
    let mut prepared = wang.sql.clone().prepare(sql.to_owned(), None).await.unwrap();
    let changed = POLICY.replace("county_code = '63000'", "county_code IN ('63000', '65000')");
    let changed = changed.replace("\"mask\": \"left(name, 1)\"", "\"allow\": false");
    std::fs::write(folder.path().join("policy.json"), changed).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    for info in [info, prepared.execute().await.unwrap()] {
        let rows = wang.messages(crate::support::ticket(&info)).await.unwrap();
        let rows = arrow_flight::utils::flight_data_to_batches(&rows).unwrap();
        insta::allow_duplicates!(assert_snapshot!(shown(&rows), @r#"
        +----------+
        | counties |
        +----------+
        | 2        |
        +----------+
        "#));
    }
    let other_columns = wang.messages(crate::support::ticket(&whole)).await.unwrap_err();
    assert_eq!(other_columns.code(), Code::FailedPrecondition, "{other_columns}");
    assert!(other_columns.message().contains("other columns than were announced"), "{other_columns}");
}
