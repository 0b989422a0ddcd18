//! `--output`: a file appears whole or not at all.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{Place, ends, send, wait_until};

const ONE: &str = "SELECT 1 AS a";
/// More rows than a test waits for.
const ENDLESS: &str =
    "SELECT value, 'the same text again and again' AS text FROM generate_series(1, 1000000000)";

#[test]
fn the_extension_names_the_format() {
    let place = Place::new();
    let check = |name: &str, options: &[&str], expected: &str| {
        assert_eq!(place.run(["sql", "-c", ONE, "-o", name].iter().chain(options)).result(), "");
        assert_eq!(place.read(name), expected, "{name}");
    };
    check("稅.csv", &[], "a\n1\n");
    check("a.JSON", &[], "[{\"a\":1}]\n");
    check("a.jsonl", &[], "{\"a\":1}\n");
    check("a.md", &[], "| a |\n| ---: |\n| 1 |\n\n");
    check("a.txt", &[], "+---+\n| a |\n+===+\n| 1 |\n+---+\n");
    check("a.dat", &["--format", "csv"], "a\n1\n");
    check("b.json", &["--format", "csv"], "a\n1\n");
    let message = place.run(["sql", "-c", ONE, "-o", "a.xlsx"]).failure(2);
    assert!(
        message.starts_with("error: the extension of a.xlsx names no format: end it in .csv, "),
        "{message}"
    );
}

#[test]
fn places_that_cannot_be_written() {
    let place = Place::new();
    fs::create_dir(place.path("folder.csv")).expect("a folder");
    let refused = |name: &str| place.run(["sql", "-c", ONE, "--format", "csv", "-o", name]).failure(2);
    assert_eq!(
        refused("none/a.csv"),
        "error: cannot write the output none/a.csv: the folder none does not exist"
    );
    assert_eq!(
        refused("folder.csv"),
        "error: cannot write the output folder.csv: it is a folder, name a file"
    );
    assert!(refused("/proc/a.csv").starts_with("error: cannot write the output /proc/a.csv: "));
    assert!(refused("..").contains("it is a folder"));
    // Statements are not run when their result has no place.
    let message = place.run(["sql", "-c", "SELECT nonsense FROM", "-o", "none/a.csv"]).failure(1);
    assert!(message.contains("syntax error"), "{message}");
}

#[test]
fn a_full_disk_fails() {
    let place = Place::new();
    let rows = "SELECT value FROM generate_series(1, 100000)";
    let message = place.run(["sql", "-c", rows, "--format", "csv", "-o", "/dev/full"]).failure(5);
    assert_eq!(
        message,
        "error: cannot write the output /dev/full: No space left on device (os error 28); make room, or write elsewhere"
    );
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let ran =
        place.command(["sql", "-c", rows, "--format", "csv"]).stdout(full).output().expect("tithe runs");
    let message = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(5), "{message}");
    assert!(
        message.starts_with("error: cannot write to standard output: No space left on device"),
        "{message}"
    );
}

#[test]
fn a_failed_query_leaves_the_file_as_it_was() {
    let place = Place::new();
    place.write("a.csv", "before\n");
    place
        .run(["sql", "-c", "SELECT 10 / (value - 90000) AS x FROM generate_series(1, 100000)", "-o", "a.csv"])
        .failure(1);
    place.run(["sql", "-c", "SELECT 1; SELECT nothing", "-o", "a.csv"]).failure(1);
    assert_eq!(place.read("a.csv"), "before\n");
    assert_eq!(place.names(), ["a.csv"]);
}

#[test]
fn links_and_permissions() {
    let place = Place::new();
    place.write("real.csv", "before\n");
    symlink("real.csv", place.path("link.csv")).expect("a link");
    assert_eq!(place.run(["sql", "-c", ONE, "-o", "link.csv"]).result(), "");
    assert!(place.path("link.csv").is_symlink());
    assert_eq!(place.read("real.csv"), "a\n1\n");
    // As any program makes files, less what the umask takes away.
    let script = format!("umask 027; '{}' sql -c '{ONE}' -o new.csv", env!("CARGO_BIN_EXE_tithe"));
    assert!(
        Command::new("sh").args(["-c", &script]).current_dir(place.folder()).status().expect("sh").success()
    );
    let mode = place.path("new.csv").metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

/// Starts to write what never ends, and waits until a part of it is on disk.
fn started(place: &Place, extension: &str) -> std::process::Child {
    let name = format!("a.{extension}");
    let child = place.start(["sql", "-c", ENDLESS, "-o", &name]);
    let part = || -> Option<PathBuf> {
        let hidden = place.names().into_iter().find(|found| found.starts_with(&format!(".{name}.")))?;
        Some(place.path(&hidden))
    };
    wait_until("a part of the output", || {
        part().and_then(|path| path.metadata().ok()).is_some_and(|file| file.size() > 1_000_000)
    });
    child
}

#[test]
fn a_killed_run_leaves_nothing_under_the_name() {
    let place = Place::new();
    place.write("a.csv", "before\n");
    let mut child = started(&place, "csv");
    child.kill().expect("kill -9");
    assert_eq!(ends(&mut child), None);
    assert_eq!(place.read("a.csv"), "before\n");
    let mut child = started(&place, "json");
    child.kill().expect("kill -9");
    assert_eq!(ends(&mut child), None);
    assert!(!place.path("a.json").exists());
    // What is left is hidden, and does not hinder the next run.
    assert!(
        place
            .names()
            .iter()
            .all(|name| name == "a.csv" || (name.starts_with('.') && name.ends_with(".part")))
    );
    assert_eq!(place.run(["sql", "-c", ONE, "-o", "a.csv"]).result(), "");
    assert_eq!(place.read("a.csv"), "a\n1\n");
}

#[test]
fn an_interrupted_run_leaves_nothing_at_all() {
    let place = Place::new();
    place.write("a.csv", "before\n");
    let mut child = started(&place, "csv");
    send("INT", &child);
    assert_eq!(ends(&mut child), Some(130));
    assert_eq!(place.names(), ["a.csv"]);
    assert_eq!(place.read("a.csv"), "before\n");
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    for format in ["table", "csv", "json", "ndjson", "markdown", "arrow", "parquet"] {
        let place = Place::new();
        let rows = ["--max-rows", "100000", "-c", "SELECT value FROM generate_series(1, 100000)"];
        let mut child = place.start(["sql", "--format", format].into_iter().chain(rows));
        drop(child.stdout.take());
        assert_eq!(ends(&mut child), Some(0), "{format}");
        let output = child.wait_with_output().expect("tithe ended");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
    }
    let script = format!("'{}' sql --format csv -c \"{ENDLESS}\" | head -n 2", env!("CARGO_BIN_EXE_tithe"));
    let output = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).output().expect("sh");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "value,text\n1,the same text again and again\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
