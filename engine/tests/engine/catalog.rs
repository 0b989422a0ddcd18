//! Folders as tables: formats, partitions, new files, and folders that are no tables.

use std::time::Duration;

use insta::assert_snapshot;
use tithe_engine::{ErrorKind, TableFormat};

use crate::support::{self, TestLake, int64, message, table, text, value};

#[tokio::test]
async fn hive_partitions_of_several_levels_are_columns() {
    let lake = TestLake::new();
    lake.numbers("invoice/header/period=11502/county=A/part-0.parquet", &[1, 2]);
    lake.numbers("invoice/header/period=11502/county=%E5%8C%97/part-0.parquet", &[3]);
    lake.numbers("invoice/header/period=11504/county=A/part-0.parquet", &[4]);
    lake.numbers("invoice/header/period=__HIVE_DEFAULT_PARTITION__/county=A/part-0.parquet", &[5]);
    let session = lake.session().await;
    assert_snapshot!(table(&session, "SELECT * FROM invoice.header ORDER BY n").await, @r"
    +---+--------+--------+
    | n | period | county |
    +---+--------+--------+
    | 1 | 11502  | A      |
    | 2 | 11502  | A      |
    | 3 | 11502  | 北     |
    | 4 | 11504  | A      |
    | 5 |        | A      |
    +---+--------+--------+
    ");
    for (filter, count) in [
        ("period = '11502'", "3"),
        ("period <> '11502'", "1"),
        ("period IS NULL", "1"),
        ("NOT (period = '11502' AND county = 'A')", "2"),
        ("period > '11503' AND n > 3", "1"),
        ("period = 'none'", "0"),
        ("county IN ('北') OR n = 5", "2"),
    ] {
        let sql = format!("SELECT count(*) FROM invoice.header WHERE {filter}");
        assert_eq!(value(&session, &sql).await, count, "{filter}");
    }
    let plan = table(&session, "EXPLAIN SELECT n FROM invoice.header WHERE period = '11504'").await;
    assert!(plan.contains("period=11504") && !plan.contains("period=11502"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_table_that_rested_is_seen_to_change() {
    let lake = TestLake::new();
    let file = |number: i64| format!("s/t/k={}/{number}.parquet", number % 4);
    for number in 0..60 {
        lake.numbers(&file(number), &[number]);
    }
    let session = lake.session().await;
    let ask = async || {
        let all = value(&session, "SELECT sum(n) FROM s.t").await;
        let of_three = value(&session, "SELECT count(*) FROM s.t WHERE k = '3' AND n < 1000").await;
        (all, of_three)
    };
    let told = |sum: i64, count: i64| (sum.to_string(), count.to_string());
    // Long enough for the engine to take what it knows of the folder for certain.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    for _ in 0..3 {
        assert_eq!(ask().await, told(1770, 15));
    }
    lake.numbers(&file(63), &[1000]);
    assert_eq!(ask().await, told(2770, 15));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    for _ in 0..2 {
        assert_eq!(ask().await, told(2770, 15));
    }
    lake.numbers(&file(63), &[1]);
    assert_eq!(ask().await, told(1771, 16), "another content of the same size under the same name");
    std::fs::remove_file(lake.root().join(file(3))).unwrap();
    assert_eq!(ask().await, told(1768, 15));
}

#[tokio::test]
async fn a_partition_column_wins_over_one_of_the_same_name_in_the_files() {
    let lake = TestLake::new();
    lake.parquet("s/t/year=2025/a.parquet", &[("n", int64(&[1])), ("year", int64(&[1999]))]);
    let session = lake.session().await;
    assert_eq!(value(&session, "SELECT year FROM s.t").await, "2025");
}

#[tokio::test]
async fn files_are_united_by_column_name() {
    let lake = TestLake::new();
    lake.parquet("s/t/a.parquet", &[("x", int64(&[1])), ("y", text(&["甲"]))]);
    lake.parquet("s/t/b.parquet", &[("z", int64(&[7])), ("x", int64(&[2]))]);
    let session = lake.session().await;
    assert_snapshot!(table(&session, "SELECT x, y, z FROM s.t ORDER BY x").await, @r"
    +---+----+---+
    | x | y  | z |
    +---+----+---+
    | 1 | 甲 |   |
    | 2 |    | 7 |
    +---+----+---+
    ");
    lake.parquet("s/t/c.parquet", &[("x", text(&["one"]))]);
    assert_snapshot!(
        message(&session, "SELECT x FROM s.t").await,
        @"table s.t cannot be read: column x is Int64 in s/t/a.parquet and Utf8View in s/t/c.parquet: write both files with one type"
    );
}

#[tokio::test]
async fn names_that_begin_with_a_dot_or_underscore_are_not_data() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    lake.numbers("s/t/_temporary/b.parquet", &[2]);
    lake.numbers("s/t/.c.parquet", &[3]);
    lake.write("s/t/_SUCCESS", "");
    lake.write("s/t/notes.md", "not data");
    lake.numbers("s/_hidden/a.parquet", &[4]);
    lake.numbers("_tmp/t/a.parquet", &[5]);
    let session = lake.session().await;
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "1");
    let names: Vec<_> = session.tables().await.unwrap().into_iter().map(|info| info.table).collect();
    assert_eq!(names, ["t"]);
}

#[tokio::test]
async fn a_folder_that_is_no_table_is_an_error_of_that_table_alone() {
    let lake = TestLake::new();
    lake.numbers("s/good/a.parquet", &[1]);
    lake.numbers("s/mixed/a.parquet", &[1]);
    lake.write("s/mixed/b.jsonl", "{}\n");
    lake.numbers("s/delta/a.parquet", &[1]);
    lake.write("s/delta/_delta_log/00000000000000000000.json", "{}");
    std::fs::create_dir_all(lake.path("s/empty/x")).unwrap();
    lake.numbers("s/uneven/k=1/a.parquet", &[1]);
    lake.numbers("s/uneven/b.parquet", &[1]);
    let session = lake.session().await;
    assert_eq!(value(&session, "SELECT n FROM s.good").await, "1");
    let check = async |table: &str| message(&session, &format!("SELECT * FROM s.{table}")).await;
    assert_snapshot!(check("mixed").await, @"table s.mixed cannot be read: it mixes formats, a.parquet and b.jsonl: keep one format in a folder");
    assert_snapshot!(check("delta").await, @"table s.delta cannot be read: it is a Delta table, which Tithe does not read yet; its Parquet files alone may hold deleted rows");
    assert_snapshot!(check("empty").await, @"table s.empty cannot be read: its folder has no data files: put *.parquet, *.jsonl, *.ndjson, *.html or *.txt there");
    assert_snapshot!(check("uneven").await, @"table s.uneven cannot be read: b.parquet and k=1/a.parquet do not lie below the same partition columns: put every file below the same `key=value` folders");
    let infos = session.tables().await.unwrap();
    let formats: Vec<_> = infos.iter().map(|info| (info.table.as_str(), info.format)).collect();
    assert_eq!(
        formats,
        [
            ("delta", TableFormat::Unreadable),
            ("empty", TableFormat::Unreadable),
            ("good", TableFormat::Parquet),
            ("mixed", TableFormat::Unreadable),
            ("uneven", TableFormat::Unreadable),
        ]
    );
    assert_snapshot!(
        table(&session, "SELECT table_name FROM information_schema.tables WHERE table_schema = 's' ORDER BY 1").await,
        @r"
    +------------+
    | table_name |
    +------------+
    | delta      |
    | empty      |
    | good       |
    | mixed      |
    | uneven     |
    +------------+
    "
    );
    assert_eq!(
        value(&session, "SELECT column_name FROM information_schema.columns WHERE table_schema = 's'").await,
        "n"
    );
}

/// Lets the clock of the file system move on, so that a replaced file is told by its time where the inode is reused.
async fn tick() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[tokio::test]
async fn the_next_query_sees_new_changed_and_removed_files() {
    let lake = TestLake::new();
    let write = |file: &str, n: i64| match file.rsplit_once('.').unwrap().1 {
        "parquet" => lake.numbers(file, &[n]),
        "jsonl" => lake.write(file, format!("{{\"n\": {n}}}\n")),
        _ => lake.write(file, n.to_string()),
    };
    let session = {
        write("s/p/0.parquet", 1);
        lake.session().await
    };
    for (folder, kind, sum) in [
        ("s/p", "parquet", "SELECT sum(n) FROM s.p"),
        ("s/j", "jsonl", "SELECT sum(n) FROM s.j"),
        ("s/h", "html", "SELECT sum(CAST(content AS BIGINT)) FROM s.h"),
    ] {
        write(&format!("{folder}/0.{kind}"), 1);
        assert_eq!(value(&session, sum).await, "1", "{kind}");
        write(&format!("{folder}/1.{kind}"), 2);
        assert_eq!(value(&session, sum).await, "3", "a new {kind} file");
        tick().await;
        write(&format!("{folder}/1.{kind}"), 5);
        assert_eq!(value(&session, sum).await, "6", "a {kind} file replaced");
        std::fs::remove_file(lake.path(&format!("{folder}/0.{kind}"))).unwrap();
        assert_eq!(value(&session, sum).await, "5", "a {kind} file removed");
    }
    write("later/t/0.parquet", 9);
    assert_eq!(value(&session, "SELECT n FROM later.t").await, "9", "a new schema");
    lake.parquet("s/p/2.parquet", &[("n", int64(&[1])), ("m", int64(&[3]))]);
    assert_eq!(value(&session, "SELECT sum(m) FROM s.p").await, "3", "a new column");
    let listed = table(&session, "SHOW TABLES").await;
    assert!(listed.contains("later"), "{listed}");
}

#[tokio::test]
async fn a_view_sees_new_files_too() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    let session = lake.session().await;
    table(&session, "CREATE VIEW v AS SELECT sum(n) AS total FROM s.t").await;
    assert_eq!(value(&session, "SELECT total FROM v").await, "1");
    lake.numbers("s/t/b.parquet", &[2]);
    assert_eq!(value(&session, "SELECT total FROM v").await, "3");
    table(&session, "PREPARE p AS SELECT sum(n) FROM s.t").await;
    lake.numbers("s/t/c.parquet", &[4]);
    assert_eq!(value(&session, "EXECUTE p").await, "7");
}

#[tokio::test]
async fn a_broken_parquet_file_is_named_and_hurts_its_table_alone() {
    let lake = TestLake::new();
    lake.numbers("s/good/a.parquet", &[1]);
    lake.numbers("s/cut/a.parquet", &[1]);
    lake.numbers("s/cut/b.parquet", &[1, 2, 3]);
    let whole = std::fs::read(lake.path("s/cut/b.parquet")).unwrap();
    lake.write("s/cut/b.parquet", &whole[..whole.len() - 10]);
    let many: Vec<i64> = (0..5000).map(|i| i * 7919 % 5003).collect();
    lake.numbers("s/rotten/a.parquet", &many);
    lake.numbers("s/rotten/b.parquet", &many);
    let mut bytes = std::fs::read(lake.path("s/rotten/b.parquet")).unwrap();
    bytes[4..60].fill(0xFF);
    lake.write("s/rotten/b.parquet", &bytes);
    lake.write("s/zero/a.parquet", "");
    let session = lake.session().await;
    for (table, start) in [
        ("cut", "the file s/cut/b.parquet cannot be read: it is not a whole Parquet file ("),
        ("zero", "the file s/zero/a.parquet cannot be read: it is not a whole Parquet file ("),
        ("rotten", "the file s/rotten/b.parquet cannot be read: its content is broken ("),
    ] {
        let error = support::error(&session, &format!("SELECT sum(n) FROM s.{table}")).await;
        assert!(error.to_string().starts_with(start), "{error}");
        assert!(error.to_string().ends_with("); replace or remove it"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Execution);
    }
    assert_eq!(value(&session, "SELECT n FROM s.good").await, "1");
    lake.write("s/cut/b.parquet", &whole);
    assert_eq!(value(&session, "SELECT sum(n) FROM s.cut").await, "7");
}

#[tokio::test]
async fn temporary_tables_are_listed_beside_the_lake() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    lake.write("rates.csv", "currency,rate\nTWD,1\nUSD,32\n");
    let session = lake.session().await;
    table(&session, "CREATE VIEW v AS SELECT 1 AS one").await;
    let csv = lake.path("rates.csv").display().to_string();
    let create = format!(
        "CREATE EXTERNAL TABLE rates STORED AS CSV LOCATION '{csv}' OPTIONS ('format.has_header' 'true')"
    );
    table(&session, &create).await;
    table(&session, "CREATE SCHEMA mine").await;
    table(&session, "CREATE TABLE mine.t AS SELECT * FROM s.t").await;
    assert_eq!(value(&session, "SELECT rate FROM rates WHERE currency = 'USD'").await, "32");
    let infos = session.tables().await.unwrap();
    let formats: Vec<_> = infos.iter().map(|i| (format!("{}.{}", i.schema, i.table), i.format)).collect();
    assert_eq!(
        formats,
        [
            ("mine.t".to_owned(), TableFormat::Temporary),
            ("public.rates".to_owned(), TableFormat::Temporary),
            ("public.v".to_owned(), TableFormat::Temporary),
            ("s.t".to_owned(), TableFormat::Parquet),
        ]
    );
    assert_eq!(session.columns("public", "rates").await.unwrap(), ["currency", "rate"]);
    table(&session, "DROP VIEW v").await;
    table(&session, "DROP SCHEMA mine CASCADE").await;
    assert_eq!(session.tables().await.unwrap().len(), 2);
    let check = async |sql: &str| message(&session, sql).await;
    assert_snapshot!(check("CREATE VIEW s.v AS SELECT 1").await, @"changing s.v is not allowed: statements make tables in the lake, and nothing else; use a name in the schema public");
    assert_snapshot!(check("DROP SCHEMA s").await, @"changing s is not allowed: statements make tables in the lake, and nothing else; use a name in the schema public");
    assert_snapshot!(check("EXPLAIN ANALYZE INSERT INTO s.t VALUES (1)").await, @"writing to s.t is not allowed: it is written by a statement of its own, INSERT INTO … SELECT, which EXPLAIN ANALYZE does not run");
    assert_eq!(value(&session, "SELECT n FROM s.t").await, "1");
}

#[tokio::test]
async fn names_in_chinese_and_with_odd_characters() {
    let lake = TestLake::new();
    lake.numbers("稅務/發票 #1/a b.parquet", &[8]);
    let session = lake.session().await;
    assert_eq!(value(&session, "SELECT n FROM \"稅務\".\"發票 #1\"").await, "8");
    assert_eq!(session.tables().await.unwrap()[0].table, "發票 #1");
}

#[tokio::test]
async fn columns_are_found_once_for_each_state_of_the_files() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    lake.write("s/j/a.jsonl", "{\"n\":1}\n");
    let session = lake.session().await;
    let columns = async |table: &str| session.columns("s", table).await.map_err(|error| error.to_string());
    for (table, file) in [("t", "s/t/a.parquet"), ("j", "s/j/a.jsonl")] {
        assert_eq!(columns(table).await.unwrap(), ["n"]);
        let path = lake.path(file);
        let before = std::fs::metadata(&path).unwrap();
        let length = usize::try_from(before.len()).unwrap();
        std::fs::write(&path, vec![b'#'; length]).unwrap();
        let handle = std::fs::File::options().write(true).open(&path).unwrap();
        handle.set_modified(before.modified().unwrap()).unwrap();
        assert_eq!(columns(table).await.unwrap(), ["n"], "{file} was read again");
        lake.write(file, vec![b'#'; length + 1]);
        assert!(columns(table).await.is_err(), "{file} was not read again");
    }
}
