//! `tithe gen`: a lake appears whole or not at all, and the same seed gives the same bytes.

use std::fs;
use std::time::Duration;

use crate::support::{Place, ends, wait_until};

#[test]
fn a_lake_is_written_summed_up_and_not_overwritten() {
    let place = Place::new();
    let small = ["gen", "--scale", "0.0001", "--seed", "7"];
    let ran = place.run(small);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout().contains("| invoice     | header "), "{}", ran.stdout());
    assert_eq!(ran.stderr, "the lake is in lake; next: tithe sql --lake lake\n");
    // `./lake` is the lake when nobody says.
    let counted =
        place.run(["sql", "--format", "csv", "-c", "SELECT count(*) AS n FROM invoice.header"]).result();
    assert_eq!(counted, "n\n1000\n");

    let message = place.run(small).failure(2);
    assert!(message.contains("already exists at ") && message.contains("--overwrite"), "{message}");
    let before = fs::read(place.path("lake/tax/payment/part-00000.parquet")).expect("a file");
    assert_eq!(place.run(small.into_iter().chain(["--overwrite", "--threads", "1"])).code, Some(0));
    let after = fs::read(place.path("lake/tax/payment/part-00000.parquet")).expect("a file");
    assert!(before == after, "the same seed gives the same bytes");
    assert_eq!(place.run(["gen", "--scale", "0.0001", "--seed", "8", "--out", "other"]).code, Some(0));
    let other = fs::read(place.path("other/tax/payment/part-00000.parquet")).expect("a file");
    assert!(before != other, "another seed gives other bytes");
}

#[test]
fn a_killed_run_leaves_no_table_and_does_not_hinder_the_next() {
    let place = Place::new();
    let mut child = place.start(["gen", "--scale", "1"]);
    wait_until("the first files", || {
        fs::read_dir(place.path("lake/.incomplete-gen/tax")).is_ok_and(|tables| tables.count() > 2)
    });
    std::thread::sleep(Duration::from_millis(500));
    child.kill().expect("kill -9");
    assert_eq!(ends(&mut child), None);
    let shown = place.run([
        "sql",
        "--format",
        "csv",
        "-c",
        "SELECT count(*) AS n FROM information_schema.tables \
        WHERE table_schema <> 'information_schema'",
    ]);
    assert_eq!(shown.result(), "n\n0\n");
    assert_eq!(place.run(["gen", "--scale", "0.0001"]).code, Some(0));
    assert_eq!(
        place.run(["sql", "--format", "csv", "-c", "SELECT count(*) AS n FROM invoice.header"]).result(),
        "n\n1000\n"
    );
    let names: Vec<String> = fs::read_dir(place.path("lake"))
        .expect("the lake")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(names, Vec::<String>::new());
}

#[test]
fn places_and_sizes_that_cannot_be() {
    let place = Place::new();
    let message = place.run(["gen", "--scale", "1000"]).failure(2);
    assert!(message.starts_with("error: scale 1000 is out of bounds: give a number from "), "{message}");
    place.write("file", "");
    let message = place.run(["gen", "--scale", "0.0001", "--out", "file/lake"]).failure(1);
    assert!(message.starts_with("error: cannot create directory file/lake: "), "{message}");
}
