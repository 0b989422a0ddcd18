//! Bad input gets one sentence: what, where, what to do; and what is not broken still works.

use std::fs;

use crate::support::{Place, tithe};

/// The message of a statement that fails on the sample lake.
fn message(sql: &str) -> String {
    Place::with_sample().run(["sql", "-c", sql]).failure(1)
}

#[test]
fn unknown_names_are_told_with_the_nearest() {
    assert_eq!(
        message("SELECT * FROM invoice.heder"),
        "error: table invoice.heder does not exist; did you mean invoice.header?"
    );
    assert_eq!(
        message("SELECT total_amuont FROM invoice.header"),
        "error: column total_amuont does not exist; did you mean total_amount?"
    );
    assert_eq!(
        message("SELECT forcast(1) FROM invoice.header"),
        "error: function forcast does not exist; did you mean forecast?"
    );
}

#[test]
fn malformed_sql_is_pointed_at() {
    assert_eq!(
        message("SELECT 縣市,\n       金額 FORM 稅收 x y"),
        "error: syntax error at line 2, column 16: expected end of statement, found 稅收\n       金額 FORM 稅收 x y\n       \
         \u{3000}\u{3000}      ^"
    );
    assert!(message("SELECT 'open").contains("line 1, column "), "{}", message("SELECT 'open"));
    assert!(message("SELECT (1").starts_with("error: syntax error at line 1, column 10: "));
}

#[test]
fn full_width_characters_are_named() {
    for (sql, says) in [
        ("SELECT １", "column 8: expected an expression, found １, which is full-width: type 1"),
        ("SELECT 1；", "column 9: expected end of statement, found ；, which is full-width: type ;"),
        ("SELECT （1）", "column 8: expected an expression, found （, which is full-width: type ("),
        ("SELECT 1，2", "column 9: expected end of statement, found ，, which is full-width: type ,"),
    ] {
        let message = tithe(["sql", "-c", sql]).failure(1);
        assert!(message.starts_with(&format!("error: syntax error at line 1, {says}\n")), "{sql}: {message}");
    }
    // The ideographic space is a space.
    assert_eq!(tithe(["sql", "--format", "csv", "-c", "SELECT\u{3000}1 AS a"]).result(), "a\n1\n");
}

/// A lake with a table that is whole and two whose file is broken.
fn broken_parquet() -> Place {
    let place = Place::new();
    fs::create_dir_all(place.path("lake/tax/whole")).expect("a folder");
    place
        .run([
            "sql",
            "-c",
            "SELECT value AS id FROM generate_series(1, 1000)",
            "-o",
            "lake/tax/whole/a.parquet",
        ])
        .result();
    let whole = fs::read(place.path("lake/tax/whole/a.parquet")).expect("a file");
    place.write("lake/tax/truncated/a.parquet", &whole[..whole.len() / 2]);
    let mut corrupt = whole;
    // The pages, not the footer: the columns are known, the values cannot be read.
    corrupt[4..60].fill(0xff);
    place.write("lake/tax/corrupt/a.parquet", corrupt);
    place.write("lake/tax/empty/a.parquet", "");
    place
}

#[test]
fn broken_parquet_files_are_named_and_other_tables_work() {
    let place = broken_parquet();
    for table in ["truncated", "corrupt", "empty"] {
        let message = place.run(["sql", "-c", &format!("SELECT sum(id) FROM tax.{table}")]).failure(1);
        assert!(message.contains(&format!("tax/{table}/a.parquet")), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let sum = place.run(["sql", "--format", "csv", "-c", "SELECT sum(id) AS s FROM tax.whole"]).result();
    assert_eq!(sum, "s\n500500\n");
    let tables = place.run(["sql", "--format", "csv", "-c", "SHOW TABLES"]).result();
    assert!(tables.contains("whole") && tables.contains("truncated"), "{tables}");
}

#[test]
fn lines_of_json_that_do_not_parse() {
    let place = Place::new();
    place
        .write("lake/third/post/a.jsonl", "{\"id\":1,\"text\":\"業配\"}\n{\"id\":2,\n{\"id\":3}\nnot json\n");
    let sql = "SELECT count(*) AS n, sum(id) AS s FROM third.post";
    let message = place.run(["sql", "-c", sql]).failure(1);
    assert!(message.starts_with("error: line 2 of third/post/a.jsonl "), "{message}");
    let skipped = place.run(["sql", "--skip-bad-lines", "--format", "csv", "-c", sql]);
    assert_eq!((skipped.code, skipped.stdout()), (Some(0), "n,s\n2,4\n"), "{}", skipped.stderr);
    assert_eq!(skipped.stderr, "2 lines of JSON left out: what is there does not parse\n");
    let setting = format!("SET tithe.json.skip_bad_lines = true; {sql}");
    assert_eq!(place.run(["sql", "--format", "csv", "-c", &setting]).stdout(), "n,s\n2,4\n");
    assert!(message.contains("SET tithe.json.skip_bad_lines = true"), "{message}");
}

#[test]
fn text_that_is_not_utf8() {
    let place = Place::new();
    place.write("lake/third/post/a.jsonl", b"{\"id\":1,\"text\":\"\xb7~\xb0t\"}\n".as_slice());
    let message = place.run(["sql", "-c", "SELECT text FROM third.post"]).failure(1);
    assert!(message.starts_with("error: line 1 of third/post/a.jsonl "), "{message}");
    // Pages are read in the character set they are written in; what fits none shows the replacement character.
    place.write(
        "lake/third/page/big5.html",
        b"<meta charset=big5><p>\xb2\xce\xa4@\xbds\xb8\xb9</p>".as_slice(),
    );
    place.write("lake/third/page/utf8.html", "<p>統一編號</p>");
    let sql = "SELECT count(*) AS n FROM third.page WHERE content LIKE '%統一編號%'";
    assert_eq!(place.run(["sql", "--format", "csv", "-c", sql]).result(), "n\n2\n");
    place.write("lake/third/page/neither.html", b"<meta charset=utf-8><p>\xff\xfe\xb2</p>".as_slice());
    let sql = "SELECT count(*) AS n FROM third.page";
    assert_eq!(place.run(["sql", "--format", "csv", "-c", sql]).result(), "n\n3\n");
}

#[test]
fn a_lake_that_does_not_exist() {
    let place = Place::new();
    let message = place.run(["sql", "--lake", "nowhere", "-c", "SELECT 1"]).failure(2);
    let path = place.folder().canonicalize().expect("the folder").join("nowhere");
    assert!(message.starts_with(&format!("error: the lake {}", path.display())), "{message}");
    assert!(message.contains("does not exist: create it with `tithe gen --out "), "{message}");
}

#[test]
fn a_horizon_that_cannot_be() {
    let forecast = |horizon: &str| {
        message(&format!(
            "SELECT forecast(month, net_collections_million, {horizon}) FROM real.tw_tax_monthly WHERE tax_type = 'total'"
        ))
    };
    for horizon in ["0", "-1", "100000", "NULL"] {
        let message = forecast(horizon);
        assert!(message.starts_with("error: ") && message.contains("horizon"), "{horizon}: {message}");
    }
    let query =
        Place::with_sample().run(["query", "run", "revenue/forecast_by_tax", "-p", "horizon=0"]).failure(1);
    assert!(query.contains("horizon"), "{query}");
}
