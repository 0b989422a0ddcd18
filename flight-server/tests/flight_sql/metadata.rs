//! What a client can ask about the server instead of a query.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Schema;
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys,
    CommandGetImportedKeys, CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandGetXdbcTypeInfo, ProstMessageExt, SqlInfo,
};
use arrow_flight::{IpcMessage, SchemaResult};
use insta::assert_snapshot;

use crate::support::{Client, Server, descriptor, shown};

/// The rows of `command`, which has the schema that it announced in every way to ask for it.
async fn ask(client: &Client, command: &impl ProstMessageExt) -> Vec<RecordBatch> {
    let info = client.info(command).await.unwrap();
    let announced = Schema::try_from(IpcMessage(info.schema)).unwrap();
    let described: SchemaResult =
        client.flight.clone().get_schema(descriptor(command)).await.unwrap().into_inner();
    assert_eq!(Schema::try_from(&described).unwrap(), announced);
    let (schema, batches) = client.fetch(command).await.unwrap();
    assert_eq!(*schema, announced);
    batches
}

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

fn columns(schema: &Schema) -> Vec<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
}

fn tables(schema: Option<&str>, table: Option<&str>, include_schema: bool) -> CommandGetTables {
    CommandGetTables {
        catalog: None,
        db_schema_filter_pattern: schema.map(str::to_owned),
        table_name_filter_pattern: table.map(str::to_owned),
        table_types: Vec::new(),
        include_schema,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogs_schemas_and_table_types() {
    let server = Server::start().await;
    let client = server.client().await;
    assert_snapshot!(shown(&ask(&client, &CommandGetCatalogs {}).await), @r#"
    +--------------+
    | catalog_name |
    +--------------+
    | tithe        |
    +--------------+
    "#);
    assert_snapshot!(shown(&ask(&client, &CommandGetTableTypes {}).await), @r#"
    +------------+
    | table_type |
    +------------+
    | TABLE      |
    +------------+
    "#);
    let all = CommandGetDbSchemas { catalog: None, db_schema_filter_pattern: None };
    assert_snapshot!(shown(&ask(&client, &all).await), @r#"
    +--------------+----------------+
    | catalog_name | db_schema_name |
    +--------------+----------------+
    | tithe        | income         |
    | tithe        | invoice        |
    | tithe        | real           |
    | tithe        | ref            |
    | tithe        | tax            |
    | tithe        | third_party    |
    | tithe        | truth          |
    +--------------+----------------+
    "#);
    let some = CommandGetDbSchemas {
        catalog: Some("tithe".to_owned()),
        db_schema_filter_pattern: Some("t%".to_owned()),
    };
    assert_snapshot!(shown(&ask(&client, &some).await), @r#"
    +--------------+----------------+
    | catalog_name | db_schema_name |
    +--------------+----------------+
    | tithe        | tax            |
    | tithe        | third_party    |
    | tithe        | truth          |
    +--------------+----------------+
    "#);
    let none = CommandGetDbSchemas { catalog: Some("other".to_owned()), db_schema_filter_pattern: None };
    assert_eq!(rows(&ask(&client, &none).await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_with_and_without_columns() {
    let server = Server::start().await;
    let client = server.client().await;
    let bare = ask(&client, &tables(Some("ref"), None, false)).await;
    assert_snapshot!(shown(&bare), @r#"
    +--------------+----------------+------------+------------+
    | catalog_name | db_schema_name | table_name | table_type |
    +--------------+----------------+------------+------------+
    | tithe        | ref            | agency     | TABLE      |
    | tithe        | ref            | bureau     | TABLE      |
    | tithe        | ref            | county     | TABLE      |
    | tithe        | ref            | industry   | TABLE      |
    | tithe        | ref            | tax_type   | TABLE      |
    +--------------+----------------+------------+------------+
    "#);

    let described = ask(&client, &tables(Some("ref"), Some("tax\\_type"), true)).await;
    assert_eq!(rows(&described), 1);
    assert_eq!(columns(&described[0].schema()).last(), Some(&"table_schema"));
    let bytes = described[0].column(4).as_binary::<i32>().value(0).to_vec();
    let schema = Schema::try_from(IpcMessage(bytes.into())).unwrap();
    let expected =
        client.fetch(&crate::support::statement("SELECT * FROM ref.tax_type LIMIT 0")).await.unwrap().0;
    assert_eq!(columns(&schema), columns(&expected));

    let everything = ask(&client, &tables(None, None, true)).await;
    assert_eq!(rows(&everything), rows(&ask(&client, &tables(None, None, false)).await));
    for batch in &everything {
        for bytes in batch.column(4).as_binary::<i32>().iter().flatten() {
            let schema = Schema::try_from(IpcMessage(bytes.to_vec().into())).unwrap();
            assert!(!schema.fields().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn table_filters() {
    let server = Server::start().await;
    let client = server.client().await;
    let count = async |command: CommandGetTables| rows(&ask(&client, &command).await);
    assert_eq!(count(tables(Some("tax"), Some("vat%"), false)).await, 1);
    assert_eq!(count(tables(None, Some("SELECT * FROM tax.vat_return WHERE 1 = 1"), false)).await, 0);
    let of_types = |types: &[&str]| CommandGetTables {
        table_types: types.iter().map(|&name| name.to_owned()).collect(),
        ..tables(Some("ref"), None, false)
    };
    assert_eq!(count(of_types(&["TABLE"])).await, 5);
    assert_eq!(count(of_types(&["VIEW", "TABLE"])).await, 5);
    assert_eq!(count(of_types(&["VIEW"])).await, 0);
    let elsewhere = CommandGetTables { catalog: Some("other".to_owned()), ..tables(None, None, true) };
    assert_eq!(count(elsewhere).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_table_does_not_hide_the_others() {
    let lake = tempfile::TempDir::new().unwrap();
    for table in ["notes/good", "notes/bad"] {
        std::fs::create_dir_all(lake.path().join(table)).unwrap();
    }
    std::fs::write(lake.path().join("notes/good/a.jsonl"), "{\"n\": 1}\n").unwrap();
    std::fs::write(lake.path().join("notes/bad/a.parquet"), "not Parquet at all").unwrap();
    let server = Server::on(lake.path(), |_options| ()).await;
    let client = server.client().await;
    let batches = ask(&client, &tables(None, None, true)).await;
    let names: Vec<_> =
        batches.iter().flat_map(|batch| batch.column(2).as_string::<i32>().iter().flatten()).collect();
    assert_eq!(names, ["bad", "good"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_about_the_server() {
    let server = Server::start().await;
    let client = server.client().await;
    let every = ask(&client, &CommandGetSqlInfo { info: Vec::new() }).await;
    assert!(rows(&every) > 40);
    let some = CommandGetSqlInfo {
        info: vec![SqlInfo::FlightSqlServerName as u32, SqlInfo::FlightSqlServerReadOnly as u32, 4_000_000],
    };
    let picked = ask(&client, &some).await;
    assert_eq!(rows(&picked), 2);
    let values = picked[0].column(1).as_union();
    assert_eq!(values.value(0).as_string::<i32>().value(0), "Tithe");
    assert!(values.value(1).as_boolean().value(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn types() {
    let server = Server::start().await;
    let client = server.client().await;
    let every = ask(&client, &CommandGetXdbcTypeInfo { data_type: None }).await;
    assert_eq!(rows(&every), 13);
    let varchar = ask(&client, &CommandGetXdbcTypeInfo { data_type: Some(12) }).await;
    let names: Vec<_> = varchar[0].column(0).as_string::<i32>().iter().flatten().collect();
    assert_eq!(names, ["VARCHAR"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_none() {
    let server = Server::start().await;
    let client = server.client().await;
    let table = "taxpayer".to_owned();
    let schema = Some("tax".to_owned());
    let primary = CommandGetPrimaryKeys { catalog: None, db_schema: schema.clone(), table: table.clone() };
    assert_eq!(rows(&ask(&client, &primary).await), 0);
    let exported = CommandGetExportedKeys { catalog: None, db_schema: schema.clone(), table: table.clone() };
    assert_eq!(rows(&ask(&client, &exported).await), 0);
    let imported = CommandGetImportedKeys { catalog: None, db_schema: schema, table: table.clone() };
    assert_eq!(rows(&ask(&client, &imported).await), 0);
    let cross = CommandGetCrossReference { pk_table: table.clone(), fk_table: table, ..Default::default() };
    assert_eq!(rows(&ask(&client, &cross).await), 0);
}
