//! JSON lines: nested, compressed, bad lines, changing types.

use std::process::{Command, Stdio};

use insta::assert_snapshot;
use tithe_engine::{EngineOptions, ErrorKind, Principal, Session};

use crate::support::{self, TestLake, message, table, value};

const POSTS: &str = r#"{"id":"a","stats":{"likes":3,"plays":10.5},"tags":["開箱","團購"],"extra":null}
{"id":"b","stats":{"likes":4},"sponsors":[{"name":"某某"}]}

{"id":"c","stats":null,"tags":[]}
"#;

async fn over(content: &str) -> (TestLake, Session) {
    let lake = TestLake::new();
    lake.write("s/t/a.jsonl", content);
    let session = lake.session().await;
    (lake, session)
}

#[tokio::test]
async fn nested_fields_are_structs_and_lists() {
    let (_lake, session) = over(POSTS).await;
    assert_snapshot!(table(&session, "SELECT * FROM s.t ORDER BY id").await, @r"
    +----+-------------------------+--------------+-------+----------------+
    | id | stats                   | tags         | extra | sponsors       |
    +----+-------------------------+--------------+-------+----------------+
    | a  | {likes: 3, plays: 10.5} | [開箱, 團購] |       |                |
    | b  | {likes: 4, plays: }     |              |       | [{name: 某某}] |
    | c  |                         | []           |       |                |
    +----+-------------------------+--------------+-------+----------------+
    ");
    assert_eq!(value(&session, "SELECT sum(stats['likes']) FROM s.t").await, "7");
    assert_eq!(value(&session, "SELECT count(*) FROM s.t").await, "3");
    assert_eq!(value(&session, "SELECT sponsors[1]['name'] FROM s.t WHERE id = 'b'").await, "某某");
}

fn compressed(program: &str, content: &str) -> Vec<u8> {
    use std::io::Write;
    let mut child =
        Command::new(program).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[tokio::test]
async fn nested_fields_are_keys_of_joins() {
    let (lake, session) = over(
        r#"{"id":1,"owner":{"name":"甲"},"author":null}
{"id":2,"owner":null,"author":{"name":"乙"}}
"#,
    )
    .await;
    lake.write(
        "s/channel/a.jsonl",
        r#"{"id":7,"snippet":{"handle":"甲"}}
{"id":8,"snippet":{"handle":"乙"}}
"#,
    );
    let rows = table(
        &session,
        "SELECT t.id, c.id AS channel
         FROM s.t
         JOIN (SELECT id, snippet['handle'] AS handle FROM s.channel) c
             ON c.handle = coalesce(t.owner['name'], t.author['name'])
         ORDER BY t.id",
    )
    .await;
    assert_snapshot!(rows, @r"
    +----+---------+
    | id | channel |
    +----+---------+
    | 1  | 7       |
    | 2  | 8       |
    +----+---------+
    ");
}

#[tokio::test]
async fn compressed_files_are_read_and_their_lines_counted() {
    let lake = TestLake::new();
    let mut twice = compressed("gzip", "{\"n\":1}\n{\"n\":2}\n");
    twice.extend(compressed("gzip", "{\"n\":3}\nbad\n"));
    lake.write("s/gz/a.jsonl.gz", &twice);
    let session = lake.session().await;
    assert_snapshot!(
        message(&session, "SELECT sum(n) FROM s.gz").await,
        @"line 4 of s/gz/a.jsonl.gz is not JSON (expected value at line 1 column 1): mend the line, or skip and count such lines with `SET tithe.json.skip_bad_lines = true`"
    );
    table(&session, "SET tithe.json.skip_bad_lines = true").await;
    assert_eq!(value(&session, "SELECT sum(n) FROM s.gz").await, "6");
    lake.write("s/cut/a.jsonl.gz", &twice[..20]);
    let error = message(&session, "SELECT * FROM s.cut").await;
    assert!(error.starts_with("the file s/cut/a.jsonl.gz cannot be read: after line "), "{error}");
}

#[tokio::test]
async fn bad_lines_are_errors_or_skipped_and_counted() {
    let (lake, session) =
        over("{\"n\":1}\n{\"n\":2,;\r\n[3]\n{\"n\":\n4}\n{\"n\":5}{\"n\":6}\n\u{feff}\n{\"n\":7}").await;
    let error = support::error(&session, "SELECT n FROM s.t").await;
    assert_eq!(error.kind(), ErrorKind::Execution);
    assert_snapshot!(error.to_string(), @"line 2 of s/t/a.jsonl is not JSON (key must be a string at line 1 column 8): mend the line, or skip and count such lines with `SET tithe.json.skip_bad_lines = true`");
    let engine = lake.engine(EngineOptions { skip_bad_lines: true, ..EngineOptions::default() }).await;
    let session = engine.session(Principal::local()).unwrap();
    for sql in ["SELECT n FROM s.t", "SELECT count(*) FROM s.t", "SELECT 1 FROM s.t"] {
        let query = session.query(sql).await.unwrap();
        let report = query.report();
        query.collect().await.unwrap();
        assert_eq!((report.lines_skipped(), report.values_nulled()), (6, 0), "{sql}");
    }
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "8");
    let analyzed = table(&session, "EXPLAIN ANALYZE SELECT n FROM s.t").await;
    assert!(analyzed.contains("lines_skipped=6"), "{analyzed}");
}

#[tokio::test]
async fn the_answer_does_not_depend_on_the_size_of_a_batch() {
    let mut lines = String::new();
    for i in 0..300 {
        lines.push_str(&format!("{{\"n\":{i}}}\n"));
        if i % 7 == 0 {
            lines.push_str("{\"n\":\n");
        }
    }
    let (_lake, session) = over(&lines).await;
    table(&session, "SET tithe.json.skip_bad_lines = true").await;
    for batch in [1, 2, 3, 64, 8192] {
        table(&session, &format!("SET datafusion.execution.batch_size = {batch}")).await;
        assert_eq!(value(&session, "SELECT count(*) FROM s.t").await, "300", "{batch}");
        assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "44850", "{batch}");
    }
}

#[tokio::test]
async fn kinds_that_differ_become_text() {
    let (_lake, session) = over(
        "{\"v\":1,\"w\":1,\"x\":9007199254740993}\n{\"v\":\"a\",\"w\":{\"k\":[1]},\"x\":1}\n{\"v\":true,\"w\":\"t\"}\n",
    )
    .await;
    assert_snapshot!(table(&session, "SELECT v, w, x, arrow_typeof(x) AS t FROM s.t").await, @r#"
    +------+-----------+------------------+-------+
    | v    | w         | x                | t     |
    +------+-----------+------------------+-------+
    | 1    | 1         | 9007199254740993 | Int64 |
    | a    | {"k":[1]} | 1                | Int64 |
    | true | t         |                  | Int64 |
    +------+-----------+------------------+-------+
    "#);
}

#[tokio::test]
async fn a_value_beyond_the_sample_that_does_not_fit_is_never_cut_short() {
    let mut lines = "{\"n\":1}\n".repeat(5000);
    lines.push_str("{\"n\":1.5,\"late\":1}\n");
    let (_lake, session) = over(&lines).await;
    assert_snapshot!(
        message(&session, "SELECT sum(n) FROM s.t").await,
        @"line 5001 of s/t/a.jsonl has 1.5 in the field n, which is a whole number in the sampled lines: mend the line, or skip and count such lines with `SET tithe.json.skip_bad_lines = true`"
    );
    assert_eq!(value(&session, "SELECT count(*) FROM s.t").await, "5001");
    table(&session, "SET tithe.json.skip_bad_lines = true").await;
    let query = session.query("SELECT count(*), sum(n) FROM s.t").await.unwrap();
    let report = query.report();
    query.collect().await.unwrap();
    assert_eq!((report.lines_skipped(), report.values_nulled()), (0, 1));
    assert_snapshot!(
        message(&session, "SELECT late FROM s.t").await,
        @"column late does not exist; there are n"
    );
}

#[tokio::test]
async fn a_limit_stops_before_a_later_bad_line() {
    let mut lines = "{\"n\":1}\n".repeat(20000);
    lines.push_str("bad\n");
    let (_lake, session) = over(&lines).await;
    assert_eq!(value(&session, "SELECT n FROM s.t LIMIT 1").await, "1");
}

#[tokio::test]
async fn files_without_objects() {
    for (content, expected) in [("", "0"), ("\n \n", "0"), ("{}\n{}\n", "2")] {
        let (_lake, session) = over(content).await;
        assert_eq!(value(&session, "SELECT count(*) FROM s.t").await, expected, "{content:?}");
    }
    let (_lake, session) = over("[\n{\"n\":1}\n]\n").await;
    table(&session, "SET tithe.json.skip_bad_lines = true").await;
    assert_eq!(value(&session, "SELECT n FROM s.t").await, "1");
    let (_lake, session) = over("<html>\n").await;
    let error = message(&session, "SELECT * FROM s.t").await;
    assert!(error.starts_with("line 1 of s/t/a.jsonl is not JSON"), "{error}");
}

#[tokio::test]
async fn a_line_without_end_is_refused() {
    let (_lake, session) =
        over(&format!("{{\"n\":1}}\n{{\"n\":\"{}\"}}", "x".repeat(65 * 1024 * 1024))).await;
    assert_snapshot!(
        message(&session, "SELECT count(*) FROM s.t").await,
        @"the file s/t/a.jsonl cannot be read: line 2 is longer than 64 MiB: is it one JSON document instead of one object a line?"
    );
}

#[tokio::test]
async fn many_files_in_partitions_in_parallel() {
    let lake = TestLake::new();
    for day in 0..100 {
        lake.write(&format!("s/t/day={day:03}/a.ndjson"), format!("{{\"n\":{day}}}\n{{\"m\":1}}\n"));
    }
    let session = lake.session().await;
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "4950");
    assert_eq!(value(&session, "SELECT sum(m) FROM s.t WHERE day < '010'").await, "10");
    let few = table(&session, "EXPLAIN SELECT n FROM s.t WHERE day = '007'").await;
    assert!(few.contains("day=007") && !few.contains("day=008"), "{few}");
}
