//! The exit code says what a script may do about a failure. 130 is in `interrupt`.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::{Place, Ran, tithe};

#[test]
fn done() {
    assert_eq!(tithe(["sql", "-c", "SELECT 1"]).code, Some(0));
    assert_eq!(tithe(["--version"]).code, Some(0));
    assert_eq!(tithe(["sql", "--help"]).code, Some(0));
}

#[test]
fn the_query_failed() {
    for sql in
        ["SELEC 1", "SELECT * FROM nowhere.nothing", "SELECT 1 / 0", "SELECT abs('x')", "DROP TABLE nothing"]
    {
        let message = tithe(["sql", "-c", sql]).failure(1);
        assert!(message.starts_with("error: "), "{sql}: {message}");
    }
}

#[test]
fn wrong_use_or_configuration() {
    let check = |arguments: &[&str]| {
        let message = Place::new().run(arguments).failure(2);
        assert!(message.starts_with("error: "), "{arguments:?}: {message}");
    };
    check(&["sqll"]);
    check(&["sql", "--format", "xlsx", "-c", "SELECT 1"]);
    check(&["sql", "--lake", "nowhere", "-c", "SELECT 1"]);
    check(&["sql", "--lake", "hdfs://a/b", "-c", "SELECT 1"]);
    check(&["sql", "--memory", "much", "-c", "SELECT 1"]);
    check(&["sql", "--memory", "1M", "-c", "SELECT 1"]);
    check(&["sql", "--threads", "0", "-c", "SELECT 1"]);
    check(&["--log", "tithe=loud", "sql", "-c", "SELECT 1"]);
    check(&["gen", "--scale", "0"]);
    check(&["gen", "--scale", "many"]);
    check(&["query", "run", "vat/none"]);
    check(&["functions", "none_such"]);
    let nothing_named = Place::new().run(std::iter::empty::<&str>());
    assert_eq!((nothing_named.code, nothing_named.stdout()), (Some(2), ""));
    assert!(nothing_named.stderr.contains("Usage: tithe"), "{}", nothing_named.stderr);
}

/// `tithe sql` on a lake in a store at `address`.
fn on_store(address: &str) -> Ran {
    let place = Place::new();
    let mut command = place.command(["sql", "--lake", "s3://bucket/lake", "-c", "SELECT 1"]);
    command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
    command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "y");
    command.output().expect("tithe runs").into()
}

#[test]
fn could_not_connect() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    drop(taken);
    let message = on_store(&address).failure(3);
    assert!(message.starts_with("error: cannot reach s3://bucket/lake/: "), "{message}");
    assert!(message.contains("AWS_ENDPOINT_URL"), "{message}");
}

#[test]
fn not_allowed() {
    let store = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = store.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for connection in store.incoming() {
            let mut connection = connection.expect("a client");
            let mut request = [0; 4096];
            let _read = connection.read(&mut request);
            let answer = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _written = connection.write_all(answer.as_bytes());
        }
    });
    let message = on_store(&address).failure(4);
    assert!(message.starts_with("error: reading s3://bucket/lake/ is not allowed: "), "{message}");
}

#[test]
fn a_limit_was_reached() {
    let sql = "SELECT array_agg(value) FROM generate_series(1, 10000000)";
    let message = tithe(["sql", "--memory", "16M", "-c", sql]).failure(5);
    assert!(message.starts_with("error: the query needs more memory or disk than its limit"), "{message}");
}

#[test]
fn a_query_asked_for_more_than_it_may() {
    let place = Place::with_sample();
    let check = |option: [&str; 2], sql: &str, expected: &str| {
        let message = place.run(["sql", option[0], option[1], "-c", sql]).failure(5);
        assert!(message.contains(expected), "{message}");
    };
    check(
        ["--max-result-rows", "9"],
        "SELECT value FROM generate_series(1, 10)",
        "max_result_rows allows (9)",
    );
    check(["--max-result-bytes", "1k"], "SELECT repeat('x', 2000)", "max_result_bytes allows (1024)");
    check(["--max-scanned-bytes", "2k"], "SELECT * FROM tax.vat_return", "max_scanned_bytes allows (2048)");
    check(["--max-plan-depth", "2"], "SELECT 1 FROM (SELECT 1 FROM (SELECT 1))", "max_plan_depth allows (2)");
    // A file appears whole or not at all.
    let sql = "SELECT value FROM generate_series(1, 100000)";
    place.run(["sql", "--max-result-rows", "99999", "-c", sql, "--output", "all.csv"]).failure(5);
    assert!(!place.path("all.csv").exists());
    // Of each statement, not of the script.
    let twice = "SELECT value FROM generate_series(1, 6); SELECT value FROM generate_series(1, 6)";
    place.run(["sql", "--max-result-rows", "6", "-c", twice]).result();
}
