//! A server that writes: uploads, updates, each whole, each once, each as far as the policy grants it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::sql::{
    CommandGetSqlInfo, CommandStatementIngest, CommandStatementUpdate, DoPutUpdateResult, ProstMessageExt,
    SqlInfo, TableDefinitionOptions, TableExistsOption, TableNotExistOption,
};
use arrow_flight::{FlightData, PutResult};
use futures::{StreamExt, TryStreamExt, stream};
use insta::assert_snapshot;
use prost::Message;
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::login::{USERS, logged_in, users_file};
use crate::support::{Client, Server, descriptor, engine, shown, ticket, tls_files};

async fn writable(lake: &Path) -> Server {
    Server::on(lake, |options| options.writable = true).await
}

fn rows(numbers: &[i64]) -> RecordBatch {
    let words = StringArray::from_iter_values(numbers.iter().map(|number| format!("稅 {number}")));
    RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(numbers.to_vec())) as ArrayRef),
        ("word", Arc::new(words) as ArrayRef),
    ])
    .unwrap()
}

type Mode = (TableNotExistOption, TableExistsOption);
const CREATE: Mode = (TableNotExistOption::Create, TableExistsOption::Fail);
const APPEND: Mode = (TableNotExistOption::Fail, TableExistsOption::Append);
const REPLACE: Mode = (TableNotExistOption::Create, TableExistsOption::Replace);
const CREATE_APPEND: Mode = (TableNotExistOption::Create, TableExistsOption::Append);

fn ingest(table: &str, (absent, there): Mode) -> CommandStatementIngest {
    CommandStatementIngest {
        table_definition_options: Some(TableDefinitionOptions {
            if_not_exist: absent.into(),
            if_exists: there.into(),
        }),
        table: table.to_owned(),
        schema: Some("s".to_owned()),
        catalog: None,
        temporary: false,
        transaction_id: None,
        options: Default::default(),
    }
}

async fn messages(command: &impl ProstMessageExt, batches: Vec<RecordBatch>) -> Vec<FlightData> {
    let schema = batches.first().map(RecordBatch::schema);
    let mut encoder = FlightDataEncoderBuilder::new().with_flight_descriptor(Some(descriptor(command)));
    if let Some(schema) = schema {
        encoder = encoder.with_schema(schema);
    }
    encoder.build(stream::iter(batches.into_iter().map(Ok))).try_collect().await.unwrap()
}

async fn put(client: &Client, messages: Vec<FlightData>) -> Result<i64, Status> {
    let answer = client.flight.clone().do_put(client.request(stream::iter(messages))).await?;
    let results: Vec<PutResult> = answer.into_inner().try_collect().await?;
    Ok(DoPutUpdateResult::decode(results[0].app_metadata.clone()).unwrap().record_count)
}

async fn upload(client: &Client, command: &CommandStatementIngest, numbers: &[i64]) -> Result<i64, Status> {
    put(client, messages(command, vec![rows(numbers)]).await).await
}

async fn update(client: &Client, sql: &str) -> Result<i64, Status> {
    let command = CommandStatementUpdate { query: sql.to_owned(), transaction_id: None };
    let first = FlightData { flight_descriptor: Some(descriptor(&command)), ..FlightData::default() };
    put(client, vec![first]).await
}

/// Every file under `folder` that any reader of Parquet would take, or that was left behind.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        names.push(entry.unwrap().file_name().into_string().unwrap());
    }
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_uploaded_in_every_mode() {
    let lake = TempDir::new().unwrap();
    let server = writable(lake.path()).await;
    let client = server.client().await;
    let sum = async || client.value("SELECT sum(n) FROM s.t").await;

    let absent = upload(&client, &ingest("t", APPEND), &[1]).await.unwrap_err();
    assert_eq!(absent.code(), Code::NotFound, "{absent}");
    assert_eq!(upload(&client, &ingest("t", CREATE), &[1, 2]).await.unwrap(), 2);
    assert_eq!(sum().await, "3");
    let exists = upload(&client, &ingest("t", CREATE), &[100]).await.unwrap_err();
    assert_eq!(exists.code(), Code::AlreadyExists, "{exists}");
    assert_eq!(upload(&client, &ingest("t", APPEND), &[10]).await.unwrap(), 1);
    assert_eq!(upload(&client, &ingest("t", CREATE_APPEND), &[20]).await.unwrap(), 1);
    assert_eq!(sum().await, "33");
    assert_eq!(
        files(&lake.path().join("s/t")),
        ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    );
    assert_eq!(upload(&client, &ingest("t", REPLACE), &[7]).await.unwrap(), 1);
    assert_eq!(sum().await, "7");
    assert_eq!(files(&lake.path().join("s/t")), ["part-00003.parquet"]);
    assert_eq!(upload(&client, &ingest("u", CREATE_APPEND), &[5]).await.unwrap(), 1);
    assert_eq!(upload(&client, &ingest("v", REPLACE), &[6]).await.unwrap(), 1);
    assert_eq!(client.value("SELECT sum(u.n + v.n) FROM s.u CROSS JOIN s.v").await, "11");
    assert_eq!(put(&client, messages(&ingest("none", CREATE), vec![rows(&[])]).await).await.unwrap(), 0);
    assert_eq!(client.value("SELECT count(*) FROM s.none").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_off_leaves_nothing() {
    let lake = TempDir::new().unwrap();
    let server = writable(lake.path()).await;
    let client = server.client().await;
    upload(&client, &ingest("t", CREATE), &[1]).await.unwrap();
    let many: Vec<RecordBatch> = (0..20).map(|part| rows(&[part, part + 1])).collect();
    for mode in [APPEND, REPLACE] {
        // The client goes away before it says that the upload is whole.
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let sent = messages(&ingest("t", mode), many.clone()).await;
        let mut other = server.client().await.flight;
        let putting = tokio::spawn(async move {
            let upload =
                stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
            other.do_put(upload).await.map(drop)
        });
        for message in sent {
            sender.send(message).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        putting.abort();
        putting.await.ok();
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(sender);
        assert_eq!(client.value("SELECT sum(n) FROM s.t").await, "1");
        assert_eq!(files(&lake.path().join("s/t")), ["part-00000.parquet"]);
    }
    // A message in the middle is broken.
    let mut broken = messages(&ingest("t", APPEND), many).await;
    broken[3].data_body = broken[3].data_body.slice(..8);
    let status = put(&client, broken).await.unwrap_err();
    assert!(status.message().contains("nothing of it was written"), "{status}");
    assert_eq!(client.value("SELECT sum(n) FROM s.t").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_one_sentence() {
    let lake = TempDir::new().unwrap();
    let server = writable(lake.path()).await;
    let client = server.client().await;
    upload(&client, &ingest("t", CREATE), &[1]).await.unwrap();
    let batch = |columns: Vec<(&'static str, ArrayRef)>| RecordBatch::try_from_iter(columns).unwrap();
    let number = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let text = || Arc::new(StringArray::from(vec!["a"])) as ArrayRef;
    let refused = async |command: CommandStatementIngest, batch: RecordBatch| {
        let status = put(&client, messages(&command, vec![batch]).await).await.unwrap_err();
        format!("{:?}: {}", status.code(), status.message())
    };
    let append = || ingest("t", APPEND);
    assert_snapshot!(refused(append(), batch(vec![("n", text()), ("word", text())])).await, @r#"InvalidArgument: the rows do not fit the table s.t: their column "n" is Utf8, the table's is Int64"#);
    assert_snapshot!(refused(append(), batch(vec![("n", number())])).await, @r#"InvalidArgument: the rows do not fit the table s.t: they lack the column "word""#);
    assert_snapshot!(refused(append(), batch(vec![("n", number()), ("word", text()), ("more", text())])).await, @r#"InvalidArgument: the rows do not fit the table s.t: the table has no column "more", it has n, word"#);
    let temporary = CommandStatementIngest { temporary: true, ..ingest("x", CREATE) };
    assert_snapshot!(refused(temporary, rows(&[1])).await, @"InvalidArgument: this server has no temporary tables: name a schema and a table that stay");
    let transaction = CommandStatementIngest { transaction_id: Some("1".into()), ..ingest("x", CREATE) };
    assert_snapshot!(refused(transaction, rows(&[1])).await, @"InvalidArgument: the upload names a transaction, and this server has none: every upload is written whole or not at all");
    let elsewhere = CommandStatementIngest { catalog: Some("other".to_owned()), ..ingest("x", CREATE) };
    assert_snapshot!(refused(elsewhere, rows(&[1])).await, @"NotFound: the one catalog of this server is tithe: leave it out");
    for name in ["../t", "a/b", "_t", ""] {
        assert!(refused(ingest(name, CREATE), rows(&[1])).await.starts_with("I"), "{name}");
    }
    let audit = CommandStatementIngest { schema: Some("audit".to_owned()), ..ingest("query", CREATE) };
    assert_snapshot!(refused(audit, rows(&[1])).await, @"PermissionDenied: changing audit.query is not allowed: the schema is Tithe's own; take another");
    assert_eq!(files(lake.path()), ["s"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_write_tables() {
    let lake = TempDir::new().unwrap();
    let server = writable(lake.path()).await;
    let client = server.client().await;
    assert_eq!(
        update(&client, "CREATE TABLE s.t AS SELECT value AS n, 'a' AS word FROM generate_series(1, 3)")
            .await
            .unwrap(),
        3
    );
    assert_eq!(update(&client, "CREATE TABLE IF NOT EXISTS s.t AS SELECT 1 AS n").await.unwrap(), 0);
    assert_eq!(
        update(&client, "CREATE TABLE s.t AS SELECT 1 AS n").await.unwrap_err().code(),
        Code::AlreadyExists
    );
    assert_eq!(update(&client, "INSERT INTO s.t SELECT n + 3, word FROM s.t").await.unwrap(), 3);
    assert_eq!(update(&client, "INSERT INTO s.t (word, n) VALUES ('b', 100), (NULL, 200)").await.unwrap(), 2);
    assert_eq!(client.value("SELECT sum(n) FROM s.t").await, "321");
    assert_eq!(
        update(&client, "CREATE OR REPLACE TABLE s.t AS SELECT max(n) AS n FROM s.t").await.unwrap(),
        1
    );
    assert_eq!(client.value("SELECT n FROM s.t").await, "200");
    assert_eq!(update(&client, "CREATE TABLE s.empty (a BIGINT NOT NULL, b VARCHAR)").await.unwrap(), 0);
    let null = update(&client, "INSERT INTO s.empty VALUES (NULL, 'x')").await.unwrap_err();
    assert!(null.message().contains("takes no NULL") || null.message().contains("non-nullable"), "{null}");
    assert_eq!(update(&client, "INSERT INTO s.empty VALUES (1, 'x')").await.unwrap(), 1);
    assert_eq!(update(&client, "CREATE TABLE here AS SELECT 5 AS n").await.unwrap(), 1);
    assert_eq!(client.value("SELECT n FROM here").await, "5", "public is a schema of the lake here");
    assert_eq!(update(&client, "DROP TABLE s.t").await.unwrap(), 0);
    assert_eq!(update(&client, "DROP TABLE s.t").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(update(&client, "DROP TABLE IF EXISTS s.t").await.unwrap(), 0);
    assert_eq!(client.refusal("SELECT * FROM s.t").await.0, Code::NotFound);
    assert_eq!(update(&client, "CREATE TABLE s.t AS SELECT 1 AS n").await.unwrap(), 1);
    for sql in [
        "CREATE VIEW v AS SELECT 1",
        "COPY s.t TO '/tmp/x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "DELETE FROM s.t",
        "INSERT OVERWRITE s.t SELECT 1",
        "CREATE TEMPORARY TABLE s.x AS SELECT 1",
        "DROP SCHEMA s",
    ] {
        let status = update(&client, sql).await.unwrap_err();
        assert!(matches!(status.code(), Code::PermissionDenied | Code::InvalidArgument), "{sql}: {status}");
    }
    let select = update(&client, "SELECT 1").await.unwrap_err();
    assert_eq!(select.code(), Code::InvalidArgument, "{select}");
    let open = update(&client, "INSERT INTO s.t VALUES ($1)").await.unwrap_err();
    assert!(open.message().contains("1 parameter(s) without a value"), "{open}");
    assert_eq!(client.value("SELECT count(*) FROM s.t").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_comes_as_a_query_runs_once() {
    let lake = TempDir::new().unwrap();
    let server = writable(lake.path()).await;
    let client = server.client().await;
    update(&client, "CREATE TABLE s.t AS SELECT 1 AS n").await.unwrap();
    let count = async || client.value("SELECT count(*) FROM s.t").await;
    let announced = client.query_info("INSERT INTO s.t VALUES (2)").await.unwrap();
    client.query_info("INSERT INTO s.t VALUES (2)").await.unwrap();
    assert_eq!(count().await, "1", "announcing runs nothing");
    for _ in 0..3 {
        let rows = client.messages(ticket(&announced)).await.unwrap();
        let rows = arrow_flight::utils::flight_data_to_batches(&rows).unwrap();
        insta::allow_duplicates!(assert_snapshot!(shown(&rows), @r#"
        +-------+
        | count |
        +-------+
        | 1     |
        +-------+
        "#));
        assert_eq!(count().await, "2");
    }
    // A server ends with its handle.
    let other = writable(lake.path()).await;
    let elsewhere = other.client().await;
    let status = elsewhere.messages(ticket(&announced)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let mut prepared =
        client.sql.clone().prepare("INSERT INTO s.t VALUES (3)".to_owned(), None).await.unwrap();
    assert!(prepared.dataset_schema().unwrap().fields().is_empty());
    for _ in 0..2 {
        let announced = prepared.execute().await.unwrap();
        client.messages(ticket(&announced)).await.unwrap();
    }
    assert_eq!(prepared.execute_update().await.unwrap(), 1);
    assert_eq!(count().await, "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_values_are_one_write() {
    let lake = TempDir::new().unwrap();
    let server = writable(lake.path()).await;
    let client = server.client().await;
    update(&client, "CREATE TABLE s.t (n BIGINT, word VARCHAR)").await.unwrap();
    let many = async |sql: &str, values: RecordBatch| {
        let mut prepared = client.sql.clone().prepare(sql.to_owned(), None).await.unwrap();
        prepared.set_parameters(values).unwrap();
        prepared.execute_update().await.map_err(|error| error.to_string())
    };
    let numbers: Vec<i64> = (1..=5000).collect();
    assert_eq!(many("INSERT INTO s.t VALUES (?, ?)", rows(&numbers)).await, Ok(5000));
    assert_eq!(client.value("SELECT sum(n) FROM s.t").await, "12502500");
    assert_eq!(client.value("SELECT word FROM s.t WHERE n = 4999").await, "稅 4999");
    assert_eq!(files(&lake.path().join("s/t")).len(), 2);
    assert_eq!(
        many(
            "INSERT INTO s.t (word, n) SELECT concat($2, '!'), n * 2 FROM s.t WHERE n = $1",
            rows(&[1, 2, 9])
        )
        .await,
        Ok(3)
    );
    assert_eq!(files(&lake.path().join("s/t")).len(), 3);
    assert_eq!(client.value("SELECT max(word) FROM s.t WHERE n = 18").await, "稅 9!");
    let dropped = many("DROP TABLE s.t", rows(&[1, 2])).await.unwrap_err();
    assert!(dropped.contains("0 parameter(s), and 2 value(s)"), "{dropped}");
    let few = many("INSERT INTO s.t VALUES (?, ?)", rows(&[1, 2]).project(&[0]).unwrap()).await.unwrap_err();
    assert!(few.contains("2 parameter(s), and 1 value(s)"), "{few}");
    assert_eq!(client.value("SELECT count(*) FROM s.t").await, "5003");
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_lose_nothing() {
    let lake = TempDir::new().unwrap();
    let server = writable(lake.path()).await;
    let client = server.client().await;
    let creating = (0..8).map(|n| {
        let client = client.clone();
        async move { upload(&client, &ingest("one", CREATE), &[n]).await.is_ok() }
    });
    let created: Vec<bool> = stream::iter(creating).buffer_unordered(8).collect().await;
    assert_eq!(created.iter().filter(|created| **created).count(), 1);
    let adding = (0..16).map(|n| {
        let client = client.clone();
        async move { upload(&client, &ingest("all", CREATE_APPEND), &[n]).await.unwrap() }
    });
    assert_eq!(stream::iter(adding).buffer_unordered(8).collect::<Vec<_>>().await.len(), 16);
    assert_eq!(client.value("SELECT sum(n) FROM s.all").await, "120");
}

const POLICY: &str = r#"{"tables": [
    {"user": "wang", "schema": "s", "table": "mine", "privileges": ["SELECT", "INSERT", "OWNERSHIP"]},
    {"user": "wang", "schema": "s", "table": "added", "privileges": ["SELECT", "INSERT"]},
    {"user": "wang", "schema": "s", "table": "part", "privileges": ["SELECT", "INSERT"], "filter": "n > 1"},
    {"user": "wang", "schema": "s", "table": "read", "privileges": ["SELECT"]}
]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_write_needs_its_privilege() {
    let lake = TempDir::new().unwrap();
    let folder = TempDir::new().unwrap();
    let owner = writable(lake.path()).await;
    let owner = owner.client().await;
    for table in ["added", "part", "read", "hidden"] {
        update(&owner, &format!("CREATE TABLE s.{table} AS SELECT 1 AS n, 'x' AS word")).await.unwrap();
    }
    let policy = folder.path().join("policy.json");
    std::fs::write(&policy, POLICY).unwrap();
    let users = users_file(&folder);
    let server = Server::of(engine(lake.path(), Some(&policy)).await, |options| {
        options.tls = Some(tls_files());
        options.users = Some(users);
        options.writable = true;
    })
    .await;
    let wang = logged_in(server.tls_channel().await, USERS[0]).await;
    assert_eq!(update(&wang, "CREATE TABLE s.mine AS SELECT n, word FROM s.read").await.unwrap(), 1);
    assert_eq!(update(&wang, "INSERT INTO s.mine SELECT * FROM s.added").await.unwrap(), 1);
    assert_eq!(upload(&wang, &ingest("added", APPEND), &[2]).await.unwrap(), 1);
    assert_eq!(upload(&wang, &ingest("mine", REPLACE), &[3]).await.unwrap(), 1);
    assert_eq!(update(&wang, "DROP TABLE s.mine").await.unwrap(), 0);
    let denied = async |status: Status, privilege: &str| {
        assert_eq!(status.code(), Code::PermissionDenied, "{status}");
        assert!(status.message().contains(privilege), "{status}");
    };
    denied(update(&wang, "DROP TABLE s.added").await.unwrap_err(), "OWNERSHIP").await;
    denied(upload(&wang, &ingest("added", REPLACE), &[1]).await.unwrap_err(), "OWNERSHIP").await;
    denied(update(&wang, "INSERT INTO s.read VALUES (1, 'x')").await.unwrap_err(), "INSERT").await;
    denied(upload(&wang, &ingest("read", APPEND), &[1]).await.unwrap_err(), "INSERT").await;
    denied(upload(&wang, &ingest("part", APPEND), &[1]).await.unwrap_err(), "in part").await;
    denied(update(&wang, "INSERT INTO s.part VALUES (1, 'x')").await.unwrap_err(), "in part").await;
    // The same for what is there and what is not.
    for table in ["hidden", "nowhere"] {
        denied(upload(&wang, &ingest(table, CREATE_APPEND), &[1]).await.unwrap_err(), "INSERT").await;
        denied(upload(&wang, &ingest(table, CREATE), &[1]).await.unwrap_err(), "OWNERSHIP").await;
        denied(update(&wang, &format!("DROP TABLE IF EXISTS s.{table}")).await.unwrap_err(), "OWNERSHIP")
            .await;
        assert_eq!(
            update(&wang, &format!("INSERT INTO s.{table} VALUES (1)")).await.unwrap_err().code(),
            Code::NotFound
        );
    }
    let copied = update(&wang, "CREATE TABLE s.mine AS SELECT * FROM s.part").await.unwrap();
    assert_eq!(copied, 0, "what is copied is what wang sees");
    let stranger = logged_in(server.tls_channel().await, USERS[1]).await;
    denied(upload(&stranger, &ingest("mine", APPEND), &[1]).await.unwrap_err(), "INSERT").await;
    assert_eq!(owner.value("SELECT count(*) FROM s.hidden").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_that_it_writes() {
    let lake = TempDir::new().unwrap();
    let asked =
        [SqlInfo::FlightSqlServerReadOnly, SqlInfo::FlightSqlServerBulkIngestion, SqlInfo::SqlDdlTable];
    for (writes, server) in
        [(true, writable(lake.path()).await), (false, Server::on(lake.path(), |_options| ()).await)]
    {
        let info = CommandGetSqlInfo { info: asked.iter().map(|info| *info as u32).collect() };
        let rows = server.client().await.fetch(&info).await.unwrap().1;
        let told = shown(&rows);
        assert_eq!(told.matches("bool_value=true").count(), if writes { 2 } else { 1 }, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_write_only_under_a_policy() {
    let lake = TempDir::new().unwrap();
    let folder = TempDir::new().unwrap();
    let mut options = crate::support::on_a_free_port();
    options.listen = ([0, 0, 0, 0], 0).into();
    options.tls = Some(tls_files());
    options.users = Some(users_file(&folder));
    options.writable = true;
    let served =
        tithe_flight_server::serve(engine(lake.path(), None).await, options, std::future::ready(()), |_| ());
    let error = served.await.unwrap_err().to_string();
    assert!(error.contains("without a policy"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_on_record() {
    let lake = TempDir::new().unwrap();
    let folder = TempDir::new().unwrap();
    let options = tithe_engine::EngineOptions {
        lake: Some(lake.path().to_str().unwrap().parse().unwrap()),
        audit: Some(folder.path().join("audit")),
        ..Default::default()
    };
    let engine = tithe_engine::Engine::open(options).await.unwrap();
    let server = Server::of(engine, |options| options.writable = true).await;
    let client = server.client().await;
    upload(&client, &ingest("t", CREATE), &[1, 2]).await.unwrap();
    upload(&client, &ingest("t", CREATE), &[3]).await.unwrap_err();
    let mut prepared =
        client.sql.clone().prepare("INSERT INTO s.t VALUES (?, ?)".to_owned(), None).await.unwrap();
    prepared.set_parameters(rows(&[4, 5, 6])).unwrap();
    prepared.execute_update().await.unwrap();
    update(&client, "CREATE TABLE s.u AS SELECT n FROM s.t").await.unwrap();
    update(&client, "DROP TABLE s.u").await.unwrap();
    let records = "SELECT sql, parameters, tables, outcome, rows FROM audit.query WHERE sql NOT LIKE '%audit%' ORDER BY query";
    assert_snapshot!(client.table(records).await, @r#"
    +---------------------------------------+--------------------+------------+---------+------+
    | sql                                   | parameters         | tables     | outcome | rows |
    +---------------------------------------+--------------------+------------+---------+------+
    | INGEST INTO s.t                       | []                 | [s.t]      | done    | 2    |
    | INGEST INTO s.t                       | []                 | [s.t]      | failed  | 0    |
    | INSERT INTO s.t VALUES (?, ?)         | [3 rows of values] | [s.t]      | done    | 3    |
    | CREATE TABLE s.u AS SELECT n FROM s.t | []                 | [s.t, s.u] | done    | 5    |
    | DROP TABLE s.u                        | []                 | [s.u]      | done    | 0    |
    +---------------------------------------+--------------------+------------+---------+------+
    "#);
}
