//! Every query of the library finishes within little memory: what does not fit goes through the disk.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use tithe_queries::library;

use crate::support::Place;

/// Memory for the small lake of the tests, which has about eight megabytes.
const LITTLE: &str = "256MiB";
/// Memory for a lake that is named.
const USUAL: &str = "512MiB";
/// What takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(3600);

/// How one query ended.
struct Ran {
    seconds: f64,
    /// Of the whole process, as the system counts it.
    peak_kibibytes: u64,
    /// As `--timing` says it.
    spilled: String,
    /// Why it did not finish.
    failure: Option<String>,
}

fn run(place: &Place, query: &str, memory: &str) -> Ran {
    let mut command =
        place.command(["query", "run", query, "--timing", "--format", "csv", "--memory", memory]);
    command.env("TMPDIR", place.folder());
    let said = place.path("said");
    let began = Instant::now();
    let mut process = command
        .stdout(Stdio::null())
        .stderr(fs::File::create(&said).expect("a file"))
        .spawn()
        .expect("tithe starts");
    let mut peak_kibibytes = 0;
    let status = loop {
        peak_kibibytes = peak_kibibytes.max(peak(&process));
        if let Some(status) = process.try_wait().expect("a process") {
            break Some(status);
        }
        if began.elapsed() > PATIENCE {
            process.kill().expect("a process");
            process.wait().expect("its end");
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let said = fs::read_to_string(said).expect("what it said");
    let failure = match status {
        Some(status) if status.success() => None,
        Some(status) => Some(format!("{status}: {}", said.trim_end())),
        None => Some(format!("not finished after {} s", PATIENCE.as_secs())),
    };
    let spilled = said.lines().find_map(|line| line.strip_suffix(" spilled to disk")?.rsplit(", ").next());
    let spilled = spilled.unwrap_or("0 B").to_owned();
    Ran { seconds: began.elapsed().as_secs_f64(), peak_kibibytes, spilled, failure }
}

/// The most memory that the process has had so far; nothing of one that has ended.
fn peak(process: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

#[test]
fn every_library_query_finishes_within_little_memory() {
    let named = std::env::var_os("TITHE_TEST_LAKE").map(PathBuf::from);
    let memory = std::env::var("TITHE_TEST_MEMORY")
        .unwrap_or_else(|_unset| if named.is_some() { USUAL } else { LITTLE }.to_owned());
    let place = named.map_or_else(Place::with_sample, Place::on);
    let mut failures = String::new();
    tell(&format!("| query, {memory} | seconds | peak, MiB | spilled |\n|---|---:|---:|---:|"));
    for query in library() {
        let ran = run(&place, query.name, &memory);
        let peak = ran.peak_kibibytes >> 10;
        let end = if ran.failure.is_some() { " did not finish" } else { "" };
        tell(&format!("| {}{end} | {:.1} | {peak} | {} |", query.name, ran.seconds, ran.spilled));
        if let Some(failure) = ran.failure {
            writeln!(failures, "{}: {failure}", query.name).expect("text");
        }
    }
    assert!(failures.is_empty(), "within {memory}:\n{failures}");
    let left: Vec<String> =
        place.names().into_iter().filter(|name| name.starts_with("tithe-spill-")).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// Said even when the test passes, and at once: a large lake takes its time.
fn tell(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}
