//! `--audit` and `tithe audit`.

use std::fs;
use std::io::{BufRead, BufReader};

use crate::support::{Place, send};

#[test]
fn a_query_that_was_killed_after_its_first_row_is_on_record() {
    let place = Place::new();
    let endless = "SELECT a.value FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b";
    let mut child = place.start(["sql", "--audit", "audit", "--format", "csv", "-c", endless]);
    let mut rows = BufReader::new(child.stdout.take().expect("standard output"));
    let mut row = String::new();
    for _ in 0..2 {
        assert!(rows.read_line(&mut row).expect("a line") > 0, "no row came");
    }
    send("KILL", &child);
    child.wait().expect("it ends");
    assert!(
        place.run(["audit", "verify", "audit"]).result().starts_with("records 1 to 1 are whole; SHA-256 ")
    );
    let asked =
        "SELECT outcome, sql LIKE '%generate_series%' AS ours FROM audit.query ORDER BY query LIMIT 1";
    let answer = place.run(["sql", "--audit", "audit", "--format", "csv", "-c", asked]).result();
    assert_eq!(answer, "outcome,ours\nunfinished,true\n");
}

#[test]
fn a_changed_record_is_found() {
    let place = Place::new();
    assert_eq!(
        place.run(["sql", "--audit", "audit", "--format", "csv", "-c", "SELECT 1 AS n"]).result(),
        "n\n1\n"
    );
    assert_eq!(
        place.run(["sql", "--audit", "audit", "--format", "csv", "-c", "SELECT 2 AS n"]).result(),
        "n\n2\n"
    );
    assert!(place.run(["audit", "verify", "audit"]).result().starts_with("records 1 to 4 are whole"));
    let file = place.path("audit/audit-00000000000000000001.jsonl");
    let changed = fs::read_to_string(&file).expect("the records").replacen("SELECT 1", "SELECT 9", 1);
    fs::write(&file, changed).expect("a file");
    assert_eq!(
        place.run(["audit", "verify", "audit"]).failure(1),
        "error: the audit records are not whole: line 2 of audit/audit-00000000000000000001.jsonl does not name the \
         digest of the record before it, which has been changed"
    );
}

#[test]
fn the_log_has_the_same_record_as_json() {
    let place = Place::new();
    let asked = ["sql", "--log", "tithe::audit=info", "--log-format", "json", "-c", "SELECT '\u{738b}\n'"];
    let ran = place.run(asked);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let line: serde_json::Value = serde_json::from_str(&ran.stderr).expect(&ran.stderr);
    assert_eq!(line["target"], "tithe::audit");
    assert_eq!(line["fields"]["sql"], "SELECT '\u{738b}\n'");
    assert_eq!(line["fields"]["rows"], 1);
    assert_eq!(line["fields"]["id"].as_str().map(str::len), Some(36));
}

#[test]
fn every_line_of_a_query_names_it() {
    let place = Place::new();
    place.write("lake/s/t/1.jsonl", "{\"n\": 1}\n{\"n\": 2}\n");
    let sql = "SELECT count(*) FROM s.t JOIN s.t u USING (n)";
    let ran = place.run(["sql", "--lake", "lake", "--log", "debug", "--log-format", "json", "-c", sql]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines = ran.stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let lines: Vec<_> = lines.collect();
    let record = lines.iter().find(|line| line["target"] == "tithe::audit").expect("the record");
    let id = record["fields"]["id"].as_str().expect("an id");
    let own =
        lines.iter().filter(|line| line["target"].as_str().is_some_and(|target| target.starts_with("tithe")));
    for line in own {
        assert_eq!(line["span"]["query_id"], id, "{line}");
    }
}

#[test]
fn directories_that_cannot_be() {
    let place = Place::new();
    let message = place.run(["audit", "verify", "none"]).failure(2);
    assert!(message.starts_with("error: cannot read the audit records in none: "), "{message}");
    place.write("file", "");
    let message = place.run(["sql", "--audit", "file", "-c", "SELECT 1"]).failure(2);
    assert!(message.starts_with("error: "), "{message}");
    assert!(message.contains("the audit directory file"), "{message}");
}
