//! Tables of the lake, written by the session of its owner.

use insta::assert_snapshot;

use crate::support::{TestLake, error, table, value};

fn files(lake: &TestLake, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(lake.root().join(folder)).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_owner_writes_tables_of_the_lake_and_temporary_ones() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    lake.write("s/raw/a.jsonl", "{\"n\": 1}\n");
    lake.numbers("s/parted/k=1/a.parquet", &[1]);
    let session = lake.session().await;
    table(&session, "CREATE TABLE temporary AS SELECT 1 AS n").await;
    assert_eq!(files(&lake, ""), ["s"]);
    table(&session, "CREATE TABLE new.made AS SELECT n + 1 AS n FROM s.t").await;
    table(&session, "INSERT INTO s.t SELECT n FROM new.made").await;
    table(&session, "INSERT INTO temporary VALUES (2)").await;
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "3");
    assert_eq!(value(&session, "SELECT sum(n) FROM temporary").await, "3");
    assert_eq!(files(&lake, "s/t"), ["a.parquet", "part-00000.parquet"]);
    table(&session, "CREATE OR REPLACE TABLE s.t AS SELECT sum(n) AS n FROM s.t").await;
    assert_eq!(value(&session, "SELECT n FROM s.t").await, "3");
    assert_eq!(files(&lake, "s/t"), ["part-00001.parquet"]);
    table(&session, "DROP TABLE s.t").await;
    assert_eq!(files(&lake, "s"), ["parted", "raw"]);
    let check = async |sql: &str| error(&session, sql).await.to_string();
    assert_snapshot!(check("DROP TABLE s.raw").await, @"changing s.raw is not allowed: its files are raw ones as they were delivered, and only tables of Parquet files are written or dropped");
    assert_snapshot!(check("INSERT INTO s.parted VALUES (1, 'x')").await, @"changing s.parted is not allowed: its files lie in folders by k, and rows are added only to tables without such folders");
    assert_snapshot!(check("CREATE TABLE s.parted AS SELECT 1 AS n").await, @"the table s.parted exists already: take another name, add rows to it, or replace it");
    assert_snapshot!(check("CREATE TABLE s.x AS SELECT 1 AS n, 2 AS N").await, @r#"projections require unique expression names but the expression "Int64(1) AS n" at position 0 and "Int64(2) AS n" at position 1 have the same name. Consider aliasing ("AS") one of them."#);
    assert_snapshot!(check("CREATE TABLE s.x AS SELECT NULL AS n").await, @r#"the rows do not fit the table s.x: the column "n" has no type; write one, as in CAST(NULL AS BIGINT)"#);
    assert_snapshot!(check("CREATE TABLE s.x AS SELECT 1 / (value - 3) AS n FROM generate_series(1, 5)").await, @"division by zero");
    assert_snapshot!(check("DELETE FROM s.parted").await, @"Delete on s.parted is not allowed: rows of the lake are not changed in place; write the whole table with CREATE OR REPLACE TABLE … AS SELECT");
    assert_eq!(files(&lake, "s"), ["parted", "raw"], "what fails leaves nothing");
}

#[tokio::test]
async fn files_that_a_note_gives_up_are_gone_at_once() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    let session = lake.session().await;
    let tag = {
        let size = std::fs::metadata(lake.root().join("s/t/a.parquet")).unwrap().len();
        let path = object_store::path::Path::from_absolute_path(lake.root().join("s/t/a.parquet")).unwrap();
        let store = object_store::local::LocalFileSystem::new();
        let meta = object_store::ObjectStoreExt::head(&store, &path).await.unwrap();
        format!("\"size\": {size}, \"e_tag\": {:?}", meta.e_tag.unwrap())
    };
    let note = |file: &str, tag: &str| {
        format!("{{\"file\": {file}, \"instead_of\": [{{\"name\": \"a.parquet\", {tag}}}]}}")
    };
    // As a writer leaves it that was killed before it put the new file.
    lake.write("s/t/_replacement-00000.json", note("\"part-00000.parquet\"", &tag));
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "1");
    // As one leaves it that was killed after it.
    lake.numbers("s/t/part-00000.parquet", &[20]);
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "20");
    // Another file of that name is not the one that was given up.
    lake.numbers("s/t/a.parquet", &[300, 400]);
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "720");
    table(&session, "CREATE OR REPLACE TABLE s.t AS SELECT 5 AS n").await;
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "5");
    assert_eq!(files(&lake, "s/t"), ["part-00001.parquet"]);
    table(&session, "DROP TABLE s.t").await;
    assert_eq!(files(&lake, "s"), Vec::<String>::new());
}
