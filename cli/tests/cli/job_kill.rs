//! A job that is killed, stopped or cancelled, again and again, ends as one that was not.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::job_support::{WORK, check_whole, entries, job, output, place_with_entries, wait_for_entries};
use crate::support::{Place, ends, send, wait_until};

const RUN: [&str; 5] = ["job", "run", "job.toml", "--lake", "lake"];

/// The output of a run that nobody disturbs.
fn undisturbed(groups: u32, mode: &str) -> BTreeMap<String, Vec<u8>> {
    let place = place_with_entries(groups);
    place.write("job.toml", job(WORK, mode, ""));
    let ran = place.run(RUN);
    assert_eq!((ran.code, ran.stdout()), (Some(0), ""), "{}", ran.stderr);
    output(&place)
}

/// Numbers that scatter, the same ones every time.
struct Scatter(u64);

impl Scatter {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn kills() -> usize {
    std::env::var("TITHE_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[test]
fn killed_at_any_moment_it_goes_on_where_it_was() {
    let kills = kills();
    let groups = u32::try_from(kills).expect("a few") * 12;
    let expected = undisturbed(groups, "append");
    assert_eq!(expected.len(), groups as usize);
    let place = place_with_entries(groups);
    place.write("job.toml", job(WORK, "append", "concurrency = 2"));
    let mut scatter = Scatter(1);
    let mut killed = 0;
    while killed < kills {
        // Some are killed before they have done anything, others after a dozen partitions.
        let further = usize::try_from(scatter.below(24)).expect("a few");
        let until = entries(&place, "job") + further;
        let mut child = place.start(RUN);
        wait_for_entries(&place, "job", until, &mut child);
        std::thread::sleep(Duration::from_millis(scatter.below(50)));
        if let Some(status) = child.try_wait().expect("a process") {
            panic!("it ended by itself after {killed} kills with {status}: give it more to do");
        }
        send("KILL", &child);
        child.wait().expect("its end");
        killed += 1;
        for (name, bytes) in output(&place) {
            // Unfinished files have hidden names that no reader takes for Parquet.
            let hidden =
                name.rsplit('/').next().is_some_and(|name| name.starts_with('.') && name.ends_with(".part"));
            assert!(hidden || expected.get(&name) == Some(&bytes), "{name} is there by halves");
        }
    }
    let status = place.run(["job", "status", "job.toml", "--lake", "lake", "--format", "json"]).result();
    assert!(status.contains("\"state\": \"killed\""), "{status}");
    let ran = place.run(RUN);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    check_whole(&place, "job", groups as usize, &expected);
    let again = place.run(RUN);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    check_whole(&place, "job", groups as usize, &expected);
}

#[test]
fn a_second_runner_is_refused_and_a_stopped_one_is_fenced_off() {
    const GROUPS: u32 = 60;
    let expected = undisturbed(GROUPS, "overwrite-partition");
    let place = place_with_entries(GROUPS);
    place.write("job.toml", job(WORK, "overwrite-partition", "concurrency = 1\nlease = \"2s\""));
    let mut first = place.start(RUN);
    wait_for_entries(&place, "job", 4, &mut first);
    let refused = place.run(RUN);
    if first.try_wait().expect("a process").is_none() {
        let message = refused.failure(5);
        assert!(message.contains(&format!("it is being run by process {} on ", first.id())), "{message}");
    }
    // It says nothing for longer than its lease, and then goes on as if nothing had been.
    let mut second = None;
    for _attempt in 0..5 {
        send("STOP", &first);
        std::thread::sleep(Duration::from_millis(2500));
        let ran = place.run(RUN);
        if ran.code == Some(0) {
            second = Some(ran);
        }
        // A runner that is stopped within a commit keeps the others out: it has to get out of it.
        send("CONT", &first);
        if second.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    let second = second.expect("the second runner takes over");
    assert!(second.stderr.contains("60 of 60 partitions are there"), "{}", second.stderr);
    let code = ends(&mut first);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut first.stderr.take().expect("standard error"), &mut said)
        .expect("text");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("it was taken over by process"), "{said}");
    check_whole(&place, "job", GROUPS as usize, &expected);
}

#[test]
fn cancelled_or_interrupted_it_can_go_on() {
    const GROUPS: u32 = 60;
    let expected = undisturbed(GROUPS, "append");
    let place = place_with_entries(GROUPS);
    place.write("job.toml", job(WORK, "append", "concurrency = 2"));
    let cancel = ["job", "cancel", "job.toml", "--lake", "lake"];
    let nobody = place.run(cancel).failure(1);
    assert_eq!(nobody, "error: job job: nobody runs it, so there is nothing to cancel");
    for how in ["cancelled", "interrupted"] {
        let before = entries(&place, "job");
        let mut child = place.start(RUN);
        wait_for_entries(&place, "job", before + 1, &mut child);
        match how {
            "cancelled" => assert_eq!(place.run(cancel).code, Some(0)),
            _ => send("TERM", &child),
        }
        assert_eq!(ends(&mut child), Some(130), "{how}");
        let status = place.run(["job", "status", "job.toml", "--lake", "lake", "--format", "json"]).result();
        assert!(status.contains(&format!("\"state\": \"{how}\"")), "{status}");
        for (name, bytes) in output(&place) {
            assert_eq!(expected.get(&name), Some(&bytes), "{name}");
        }
    }
    assert!(output(&place).len() < GROUPS as usize, "it was over before it was stopped");
    assert_eq!(place.run(RUN).code, Some(0));
    check_whole(&place, "job", GROUPS as usize, &expected);
}

#[test]
fn a_restart_replaces_each_file_in_one_step() {
    let place = place_with_entries(8);
    place.write("job.toml", job(WORK, "append", ""));
    assert_eq!(place.run(RUN).code, Some(0));
    let before = output(&place);
    place.write("job.toml", job(&WORK.replace("n * 2", "n * 3"), "append", ""));
    let refused = place.run(RUN).failure(2);
    assert!(
        refused.starts_with(
            "error: job job: its query or parameters have changed since it was begun: run it with --restart"
        ),
        "{refused}"
    );
    assert!(output(&place) == before);
    let mut child = place.start(RUN.iter().copied().chain(["--restart"]));
    wait_until("another file in the place of each", || {
        let now = output(&place);
        assert_eq!(
            now.keys().filter(|name| name.ends_with(".parquet")).count(),
            8,
            "a partition was gone for a while, or there twice"
        );
        now.iter().all(|(name, bytes)| before.get(name) != Some(bytes))
    });
    assert_eq!(ends(&mut child), Some(0));
    assert_eq!(output(&place).len(), 8);
    let sum = "SELECT sum(twice) = 3 * sum(n) AS all_new FROM out.result";
    assert_eq!(
        Place::run(&place, ["sql", "--lake", "lake", "--format", "csv", "-c", sum]).result(),
        "all_new\ntrue\n"
    );
}
