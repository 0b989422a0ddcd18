//! Ctrl-C ends the program with 130 and leaves nothing behind. In the shell it ends the query alone: `shell`.

use std::io::Read;
use std::time::Duration;

use crate::support::{Place, ends, send, wait_until};

const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 1000000000000)";

/// Interrupts a run after a while and gives its exit code and what it said.
fn interrupted(place: &Place, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut child = place.start(arguments);
    // There is no sign of a query that has begun to run; one that is interrupted earlier must end the same way.
    std::thread::sleep(Duration::from_millis(1500));
    assert!(child.try_wait().expect("a process").is_none(), "ended before it was interrupted");
    send("INT", &child);
    let code = ends(&mut child);
    let (mut out, mut said) = (String::new(), String::new());
    child.stdout.take().expect("standard output").read_to_string(&mut out).expect("text");
    child.stderr.take().expect("standard error").read_to_string(&mut said).expect("text");
    (code, out, said)
}

#[test]
fn a_query() {
    let ended = (Some(130), String::new(), "error: interrupted\n".to_owned());
    assert_eq!(interrupted(&Place::new(), &["sql", "-c", ENDLESS]), ended);
    let sort = "SELECT value FROM generate_series(1, 1000000000000) ORDER BY value % 1000 DESC LIMIT 1";
    assert_eq!(interrupted(&Place::new(), &["sql", "-c", sort]), ended);
    let place = Place::new();
    assert_eq!(interrupted(&place, &["sql", "-o", "a.parquet", "-c", ENDLESS]), ended);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn the_generator() {
    let place = Place::new();
    let mut child = place.start(["gen", "--scale", "1", "--out", "lake"]);
    wait_until("the generator to begin", || place.path("lake/.incomplete-gen").exists());
    std::thread::sleep(Duration::from_millis(300));
    send("INT", &child);
    assert_eq!(ends(&mut child), Some(130));
    let mut said = String::new();
    child.stderr.take().expect("standard error").read_to_string(&mut said).expect("text");
    assert_eq!(said, "error: interrupted\n");
}
