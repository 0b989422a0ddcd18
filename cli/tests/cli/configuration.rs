//! `tithe.toml`, the environment and options: who goes before whom.

use std::path::PathBuf;

use crate::support::Place;

/// A lake whose one table says its name.
fn lake(place: &Place, name: &str) -> PathBuf {
    place.write(&format!("{name}/s/t/a.jsonl"), format!("{{\"lake\":\"{name}\"}}\n"));
    place.path(name)
}

const WHICH: [&str; 5] = ["sql", "--format", "csv", "-c", "SELECT lake FROM s.t"];

#[test]
fn options_go_before_the_environment_before_the_file_before_the_folder() {
    let place = Place::new();
    for name in ["lake", "configured", "environment", "option", "named"] {
        lake(&place, name);
    }
    let check = |environment: Option<&str>, options: &[&str], expected: &str| {
        let mut command = place.command(WHICH.iter().chain(options));
        if let Some(lake) = environment {
            command.env("TITHE_LAKE", lake);
        }
        let output = command.output().expect("tithe runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("lake\n{expected}\n"), "{options:?}");
    };
    check(None, &[], "lake");
    place.write("tithe.toml", "lake = \"configured\"\n");
    check(None, &[], "configured");
    place.write("other/named.toml", "lake = \"../named\"\n");
    check(None, &["--config", "other/named.toml"], "named");
    check(Some("environment"), &[], "environment");
    check(Some("environment"), &["--config", "other/named.toml"], "environment");
    check(Some("environment"), &["--lake", "option"], "option");
}

#[test]
fn the_nearest_file_above_counts() {
    let place = Place::new();
    lake(&place, "far");
    lake(&place, "project/near");
    place.write("tithe.toml", "lake = \"far\"\n");
    place.write("project/tithe.toml", "lake = \"near\"\n");
    place.write("project/deep/er/x", "");
    let from = |folder: &str| {
        let output = place.command(WHICH).current_dir(place.path(folder)).output().expect("tithe runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(from("project/deep/er"), "lake\nproject/near\n");
    assert_eq!(from("."), "lake\nfar\n");
}

#[test]
fn limits_and_bad_lines_come_from_the_file() {
    let place = Place::new();
    place.write("lake/s/t/a.jsonl", "{\"a\":1}\n{broken\n{\"a\":2}\n");
    let sql = ["sql", "--format", "csv", "-c", "SELECT sum(a) AS a FROM s.t"];
    assert!(place.run(sql).failure(1).starts_with("error: line 2 of s/t/a.jsonl "));
    place.write(
        "tithe.toml",
        "[limits]\nmemory = \"1G\"\ntarget_partitions = 3\n[json]\nskip_bad_lines = true\n",
    );
    let ran = place.run(sql);
    assert_eq!((ran.code, ran.stdout()), (Some(0), "a\n3\n"), "{}", ran.stderr);
    assert_eq!(ran.stderr, "1 line of JSON left out: what is there does not parse\n");
    let partitions = "SELECT value FROM information_schema.df_settings WHERE name = 'datafusion.execution.target_partitions'";
    let shown = |options: &[&str]| {
        place.run(["sql", "--format", "csv", "-c", partitions].iter().chain(options)).result()
    };
    assert_eq!(shown(&[]), "value\n3\n");
    assert_eq!(shown(&["--threads", "1"]), "value\n1\n");
}

#[test]
fn what_one_query_may_ask_for_comes_from_the_file_and_may_differ_for_a_user() {
    let place = Place::new();
    place.write(
        "tithe.toml",
        "[limits]\nmax_result_rows = 1\nmax_result_bytes = '1 KiB'\n[limits.users.local]\nmax_result_rows = 3\n",
    );
    let rows = |number: usize| format!("SELECT value FROM generate_series(1, {number})");
    place.run(["sql", "-c", &rows(3)]).result();
    let message = place.run(["sql", "-c", &rows(4)]).failure(5);
    assert!(message.contains("max_result_rows allows (3)"), "{message}");
    let message = place.run(["sql", "-c", "SELECT repeat('x', 2000)"]).failure(5);
    assert!(message.contains("max_result_bytes allows (1024)"), "{message}");
}

#[test]
fn mistakes_name_the_file_and_the_key() {
    let place = Place::new();
    let refused = |text: &str| {
        place.write("tithe.toml", text);
        let message = place.run(["sql", "-c", "SELECT 1"]).failure(2);
        message.replace(&place.folder().canonicalize().expect("a folder").display().to_string(), "HERE")
    };
    assert_eq!(refused("lak = 'x'"), "error: HERE/tithe.toml: unknown key lak; did you mean lake?");
    assert_eq!(
        refused("[limits]\nmemory = '8 gigs'"),
        "error: HERE/tithe.toml: limits.memory: \"8 gigs\" is no size: write bytes, or a number with a unit as in \
         8 GiB, 512 MB or 4G"
    );
    assert_eq!(
        refused("[limits.users.lin]\nmax_result_row = 5"),
        "error: HERE/tithe.toml: unknown key limits.users.lin.max_result_row; did you mean max_result_rows?"
    );
    assert_eq!(
        refused("[limits.users.lin]\nmemory = '1G'"),
        "error: HERE/tithe.toml: limits.users.lin. takes max_result_rows, max_result_bytes, max_scanned_bytes, \
         max_plan_depth alone: memory and partitions are those of the whole engine"
    );
    assert!(refused("lake = ").contains("line 1"));
    std::fs::remove_file(place.path("tithe.toml")).expect("gone");
    let message = place.run(["sql", "--config", "none.toml", "-c", "SELECT 1"]).failure(2);
    assert!(message.starts_with("error: none.toml: "), "{message}");
}

#[test]
fn sizes_are_the_same_on_the_command_line() {
    for size in ["512M", "4G", "8 GiB", "512 MB"] {
        assert_eq!(
            Place::new()
                .run(["sql", "--memory", size, "-c", "SET datafusion.execution.batch_size = 9"])
                .result(),
            ""
        );
    }
    let message = Place::new().run(["sql", "--memory", "8 gigs", "-c", "SELECT 1"]).failure(2);
    assert!(message.contains("\"8 gigs\" is no size: write bytes, or a number with a unit"), "{message}");
}

#[test]
fn without_a_lake_functions_and_files_still_work() {
    let place = Place::new();
    assert_eq!(place.run(["sql", "--format", "csv", "-c", "SELECT 1 AS a"]).result(), "a\n1\n");
    let message = place.run(["sql", "-c", "SELECT * FROM tax.payment"]).failure(1);
    assert_eq!(
        message,
        "error: table tax.payment does not exist; `SHOW TABLES` lists those that do\nno lake is open, for there is no \
         ./lake: name one with --lake, or write a sample with `tithe gen --scale 0.01 --out lake`"
    );
}
