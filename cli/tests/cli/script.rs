//! Statements from the command line, a file and standard input.

use crate::support::{Place, tithe};

#[test]
fn every_way_in_gives_the_same() {
    let place = Place::new();
    let file = place
        .write("q.sql", "\u{feff}-- 全部\nSELECT 1 AS a;\nSELECT '稅' AS b -- the last needs no semicolon\n");
    let file = file.to_str().expect("UTF-8");
    let text = place.read("q.sql");
    let expected = "a\n1\nb\n稅\n";
    let csv = ["sql", "--format", "csv"];
    assert_eq!(place.run(csv.into_iter().chain(["-f", file])).result(), expected);
    assert_eq!(
        place.run(csv.into_iter().chain(["-c", "SELECT 1 AS a", "-c", "SELECT '稅' AS b"])).result(),
        expected
    );
    assert_eq!(
        place.run(csv.into_iter().chain(["-c", "SELECT 1 AS a; SELECT '稅' AS b;"])).result(),
        expected
    );
    assert_eq!(place.run_on(csv, &text).result(), expected);
    assert_eq!(place.run_on(csv.into_iter().chain(["-f", "-"]), &text).result(), expected);
}

#[test]
fn nothing_to_do_is_done() {
    for script in ["", " \n", "-- only a remark", ";;", "/* 空 */ ;"] {
        assert_eq!(Place::new().run_on(["sql"], script).result(), "", "{script:?}");
    }
}

#[test]
fn statements_share_a_session() {
    let script = "CREATE VIEW 大戶 AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t(id, name);
                  SET datafusion.execution.batch_size = 1;
                  SELECT name FROM 大戶 WHERE id > 1";
    assert_eq!(tithe(["sql", "--format", "csv", "-c", script]).result(), "name\nb\n");
}

#[test]
fn the_first_failure_stops_and_is_named() {
    let ran = tithe(["sql", "--format", "csv", "-c", "SELECT 1 AS a; SELECT b; SELECT 3 AS c"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.stdout(), "a\n1\n");
    assert!(ran.stderr.starts_with("error: statement 2 of 3: column b does not exist"), "{}", ran.stderr);
    let ran = tithe(["sql", "-c", "SELECT 1; SELEC 2"]);
    // Text that is not SQL is found before anything runs.
    assert!(ran.failure(1).contains("syntax error at line 1, column 11"));
}

#[test]
fn timing_is_told_beside_the_result() {
    let ran = tithe([
        "sql",
        "--timing",
        "--format",
        "csv",
        "-c",
        "SELECT 1 AS a; SET datafusion.execution.batch_size = 9",
    ]);
    assert_eq!((ran.code, ran.stdout()), (Some(0), "a\n1\n"));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(
        matches!(lines[..], [row, set] if row.starts_with("1 row in ") && set.starts_with("done in ")),
        "{lines:?}"
    );
}

#[test]
fn timing_tells_what_went_through_the_disk() {
    let sql = "SET datafusion.execution.target_partitions = 1; SELECT sum(place * (length(t) + value % 3)) AS s FROM \
               (SELECT value, t, row_number() OVER (ORDER BY t) AS place FROM (SELECT value, \
               repeat(md5(CAST(value AS VARCHAR)), 8) AS t FROM generate_series(1, 100000)))";
    let within = |memory| {
        let ran = tithe(["sql", "--timing", "--memory", memory, "--format", "csv", "-c", sql]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        (ran.stdout().to_owned(), ran.stderr.contains("MiB spilled to disk"))
    };
    let ((small, spilled), (large, whole)) = (within("32MiB"), within("1GiB"));
    assert_eq!(small, large);
    assert!(spilled && !whole);
}

#[test]
fn names_and_text_in_chinese() {
    let sql = "SELECT 縣市, sum(金額) AS 合計 FROM (VALUES ('臺北市', 3), ('高雄市', 4), ('臺北市', 5)) AS 稅(縣市, 金額) \
               GROUP BY 縣市 ORDER BY 合計";
    assert_eq!(
        tithe(["sql", "-c", sql]).result(),
        "+--------+------+\n\
         | 縣市   | 合計 |\n\
         +===============+\n\
         | 高雄市 |    4 |\n\
         | 臺北市 |    8 |\n\
         +--------+------+\n"
    );
}

#[test]
fn scripts_that_cannot_be_read() {
    let place = Place::new();
    let big5 = place.write("big5.sql", b"SELECT '\xb2\xce\xa4@\xbds\xb8\xb9'");
    let big5 = big5.to_str().expect("UTF-8");
    let message = place.run(["sql", "-f", big5]).failure(2);
    assert_eq!(
        message,
        format!("error: the script {big5} is not UTF-8 text: byte 8 does not fit; convert it with iconv")
    );
    assert!(
        place
            .run(["sql", "-f", "none.sql"])
            .failure(2)
            .starts_with("error: cannot read the script none.sql: ")
    );
    assert!(place.run(["sql", "-f", big5, "-c", "SELECT 1"]).failure(2).contains("cannot be used with"));
    assert!(place.run_on(["sql"], b"SELECT '\xff'").failure(2).contains("standard input is not UTF-8"));
}
