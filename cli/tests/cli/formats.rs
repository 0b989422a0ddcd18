//! Every format, read back and compared.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::ipc::reader::{FileReader, StreamReader};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use tithe_testkit::sample_session;

use crate::support::{Place, tithe};

/// Every type that tax data has, and a row of NULL.
const VALUES: &str = r#"SELECT * FROM (VALUES
  (1, CAST(1234.50 AS DECIMAL(12, 2)), '營業稅, "加值型"', DATE '2025-01-31', TIMESTAMP '2025-01-31 08:00:00', true, 0.5),
  (2, NULL, NULL, NULL, NULL, NULL, NULL),
  (-3, CAST(-0.05 AS DECIMAL(12, 2)), 'a|b\
c', DATE '1912-01-01', TIMESTAMP '1970-01-01 00:00:00.001', false, -1e300)
) AS t(id, amount, 說明, day, moment, flag, ratio) ORDER BY id"#;

/// Values with values in them.
const NESTED: &str = "SELECT make_array(1, 2) AS list, named_struct('name', '蔡', 'n', 1) AS pair";

fn formatted(format: &str, sql: &str) -> String {
    tithe(["sql", "--format", format, "-c", sql]).result()
}

#[test]
fn table() {
    insta::assert_snapshot!(formatted("table", VALUES), @r#"
    +----+---------+------------------+------------+-------------------------+-------+--------+
    | id | amount  | 說明             | day        | moment                  | flag  | ratio  |
    +=========================================================================================+
    | -3 |   -0.05 | a|b\             | 1912-01-01 | 1970-01-01T00:00:00.001 | false | -1e300 |
    |    |         | c                |            |                         |       |        |
    |  1 | 1234.50 | 營業稅, "加值型" | 2025-01-31 | 2025-01-31T08:00:00     | true  |    0.5 |
    |  2 |    NULL | NULL             | NULL       | NULL                    | NULL  |   NULL |
    +----+---------+------------------+------------+-------------------------+-------+--------+
    "#);
}

#[test]
fn markdown() {
    insta::assert_snapshot!(formatted("markdown", VALUES), @r#"
    | id | amount | 說明 | day | moment | flag | ratio |
    | ---: | ---: | --- | --- | --- | --- | ---: |
    | -3 | -0.05 | a\|b\\<br>c | 1912-01-01 | 1970-01-01T00:00:00.001 | false | -1e300 |
    | 1 | 1234.50 | 營業稅, "加值型" | 2025-01-31 | 2025-01-31T08:00:00 | true | 0.5 |
    | 2 |  |  |  |  |  |  |
    "#);
}

#[test]
fn csv() {
    let text = formatted("csv", VALUES);
    insta::assert_snapshot!(text, @r#"
    id,amount,說明,day,moment,flag,ratio
    -3,-0.05,"a|b\
    c",1912-01-01,1970-01-01T00:00:00.001,false,-1e300
    1,1234.50,"營業稅, ""加值型""",2025-01-31,2025-01-31T08:00:00,true,0.5
    2,,,,,,
    "#);
    let mut reader = arrow::csv::ReaderBuilder::new(Arc::new(arrow::datatypes::Schema::new(
        ["id", "amount", "說明", "day", "moment", "flag", "ratio"]
            .map(|name| arrow::datatypes::Field::new(name, arrow::datatypes::DataType::Utf8, true))
            .to_vec(),
    )))
    .with_header(true)
    .build(Cursor::new(text))
    .expect("CSV");
    let batch = reader.next().expect("rows").expect("CSV");
    let cells = |row: usize| -> Vec<String> {
        let cell = |column: &arrow::array::ArrayRef| {
            arrow::array::AsArray::as_string::<i32>(column.as_ref()).value(row).to_owned()
        };
        batch.columns().iter().map(cell).collect()
    };
    assert_eq!(batch.num_rows(), 3);
    assert_eq!(cells(1)[..3], ["1", "1234.50", "營業稅, \"加值型\""]);
    assert_eq!(cells(2), ["2", "", "", "", "", "", ""]);
    assert_eq!(cells(0)[2], "a|b\\\nc");
}

fn expected_objects() -> Value {
    json!([
        { "id": -3, "amount": -0.05, "說明": "a|b\\\nc", "day": "1912-01-01", "moment": "1970-01-01T00:00:00.001",
          "flag": false, "ratio": -1e300 },
        { "id": 1, "amount": 1234.50, "說明": "營業稅, \"加值型\"", "day": "2025-01-31",
          "moment": "2025-01-31T08:00:00", "flag": true, "ratio": 0.5 },
        { "id": 2, "amount": null, "說明": null, "day": null, "moment": null, "flag": null, "ratio": null },
    ])
}

#[test]
fn json() {
    let found: Value = serde_json::from_str(&formatted("json", VALUES)).expect("JSON");
    assert_eq!(found, expected_objects());
    let nested: Value = serde_json::from_str(&formatted("json", NESTED)).expect("JSON");
    assert_eq!(nested, json!([{ "list": [1, 2], "pair": { "name": "蔡", "n": 1 } }]));
}

#[test]
fn ndjson() {
    let text = formatted("ndjson", VALUES);
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(Value::Array(lines), expected_objects());
    assert_eq!(formatted("jsonl", VALUES), text);
}

async fn expected_rows(sql: &str) -> RecordBatch {
    let query = sample_session().await.query(sql).await.expect("a plan");
    let schema = query.schema();
    concat_batches(&schema, &query.collect().await.expect("rows")).expect("one batch")
}

fn parquet_rows(bytes: Vec<u8>) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).expect("Parquet");
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> =
        builder.build().expect("Parquet").map(|batch| batch.expect("rows")).collect();
    concat_batches(&schema, &batches).expect("one batch")
}

fn stream_rows(bytes: Vec<u8>) -> RecordBatch {
    let reader = StreamReader::try_new(Cursor::new(bytes), None).expect("an Arrow stream");
    let schema = reader.schema();
    concat_batches(&schema, &reader.map(|batch| batch.expect("rows")).collect::<Vec<_>>()).expect("one batch")
}

fn file_rows(bytes: Vec<u8>) -> RecordBatch {
    let reader = FileReader::try_new(Cursor::new(bytes), None).expect("an Arrow file");
    let schema = reader.schema();
    concat_batches(&schema, &reader.map(|batch| batch.expect("rows")).collect::<Vec<_>>()).expect("one batch")
}

#[tokio::test]
async fn parquet_and_arrow_keep_every_value_and_type() {
    let lake = "SELECT * FROM tax.vat_return ORDER BY ban, period LIMIT 5000";
    let place = Place::with_sample();
    for sql in [VALUES, NESTED, lake, "SELECT * FROM ref.bureau WHERE false"] {
        let expected = expected_rows(sql).await;
        for format in ["parquet", "arrow"] {
            let piped = place.run(["sql", "--format", format, "-c", sql]);
            assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""), "{format} {sql}");
            let name = format!("out.{format}");
            assert_eq!(place.run(["sql", "--output", &name, "-c", sql]).result(), "");
            let filed = std::fs::read(place.path(&name)).expect("the output");
            let (piped, filed) = match format {
                "parquet" => (parquet_rows(piped.bytes), parquet_rows(filed)),
                _ => (stream_rows(piped.bytes), file_rows(filed)),
            };
            assert_eq!(piped, expected, "{format} {sql}");
            assert_eq!(filed, expected, "{format} {sql}");
        }
    }
}

#[tokio::test]
async fn a_table_of_the_lake_in_text_formats() {
    let sql = "SELECT * FROM tax.payment";
    let place = Place::with_sample();
    let rows = expected_rows(sql).await.num_rows();
    let count = |format: &str| place.run(["sql", "--format", format, "-c", sql]).result().lines().count();
    assert!(rows > 100, "{rows}");
    assert_eq!(count("csv"), rows + 1);
    assert_eq!(count("ndjson"), rows);
    assert_eq!(count("markdown"), rows + 3);
    let objects: Vec<Value> =
        serde_json::from_str(&place.run(["sql", "--format", "json", "-c", sql]).result()).expect("JSON");
    assert_eq!(objects.len(), rows);
}

#[test]
fn no_rows() {
    let sql = "SELECT 1 AS a, 'x' AS 名稱 WHERE false";
    assert_eq!(formatted("csv", sql), "a,名稱\n");
    assert_eq!(formatted("json", sql), "[]\n");
    assert_eq!(formatted("ndjson", sql), "");
    assert_eq!(formatted("markdown", sql), "| a | 名稱 |\n| ---: | --- |\n\n");
    assert_eq!(formatted("table", sql), "+---+------+\n| a | 名稱 |\n+==========+\n+---+------+\n");
}

#[test]
fn csv_has_no_nested_values() {
    let message = tithe(["sql", "--format", "csv", "-c", NESTED]).failure(1);
    assert!(
        message.starts_with("error: column \"list\" is a List") && message.contains("unnest()"),
        "{message}"
    );
}

#[test]
fn a_table_on_the_screen_is_cut_and_says_so() {
    let sql = "SELECT value FROM generate_series(1, 5000)";
    let check = |options: &[&str], shown: usize, says: &str| {
        let ran = Place::new().run(["sql", "-c", sql].iter().chain(options));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), says), "{options:?}");
        assert_eq!(ran.stdout().lines().count(), shown + 4, "{options:?}");
    };
    check(&[], 1000, "4,000 more rows, not shown: --max-rows 0 shows all\n");
    check(&["--max-rows", "2"], 2, "4,998 more rows, not shown: --max-rows 0 shows all\n");
    check(&["--max-rows", "0"], 5000, "");
    // Other formats are for programs: nothing is left out.
    assert_eq!(
        tithe(["sql", "--format", "csv", "--max-rows", "2", "-c", sql]).result().lines().count(),
        5001
    );
    // So is a file.
    let place = Place::new();
    assert_eq!(place.run(["sql", "-c", sql, "-o", "all.txt"]).result(), "");
    assert_eq!(place.read("all.txt").lines().count(), 5004);
}

#[test]
fn text_cannot_act_on_the_terminal() {
    let table = formatted("table", "SELECT chr(27) || '[2J' || chr(9) AS bio");
    assert!(table.contains(r"\u{1b}[2J\t"), "{table}");
    // Data stay as they are where programs read them.
    assert_eq!(formatted("csv", "SELECT chr(27) || 'x' AS bio"), "bio\n\u{1b}x\n");
}

#[test]
fn one_binary_output_holds_one_result() {
    let two = "SELECT 1 AS a; SELECT 2 AS b";
    let place = Place::new();
    let message = place.run(["sql", "-o", "two.parquet", "-c", two]).failure(2);
    assert_eq!(
        message,
        "error: statement 2 gives a second result, and one parquet output holds one: write each to its own --output"
    );
    assert_eq!(place.names(), Vec::<String>::new());
    assert_eq!(place.run(["sql", "--format", "arrow", "-c", two]).code, Some(2));
    // Statements without rows are no results.
    assert_eq!(
        place
            .run(["sql", "-o", "one.csv", "-c", "SET datafusion.execution.batch_size = 9; SELECT 1 AS a"])
            .result(),
        ""
    );
    assert_eq!(place.read("one.csv"), "a\n1\n");
}
