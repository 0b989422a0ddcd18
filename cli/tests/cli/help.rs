//! Help: every verb says what it is for and shows examples.

use std::io::Write as _;

use crate::support::{Place, tithe};

#[test]
fn every_verb_has_examples() {
    for verb in ["sql", "query", "job", "optimize", "functions", "serve", "worker", "scan", "gen", "demo"] {
        let help = tithe([verb, "--help"]).result();
        assert!(help.contains(&format!("Usage: tithe {verb}")), "{help}");
        assert!(help.contains(&format!("Examples:\n  tithe {verb}")), "{help}");
    }
    let user = tithe(["user", "add", "--help"]).result();
    assert!(user.contains("Examples:\n  tithe user add"), "{user}");
    let run = tithe(["query", "run", "--help"]).result();
    assert!(run.contains("tithe query run vat/circular_trading --param"), "{run}");
}

#[test]
fn the_program_says_its_verbs_and_exit_codes() {
    let help = tithe(["--help"]).result();
    for part in [
        "sql",
        "query",
        "job",
        "optimize",
        "functions",
        "serve",
        "worker",
        "scan",
        "gen",
        "demo",
        "Exit codes: 0 done, 1 the query or job failed, 2 ",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert_eq!(tithe(["--version"]).result(), format!("tithe {}\n", env!("CARGO_PKG_VERSION")));
}

#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
#[test]
fn a_processor_that_is_too_old_is_told_of() {
    // A program that begins another, on a processor that it emulates.
    if std::process::Command::new("qemu-x86_64").arg("--version").output().is_err() {
        writeln!(
            std::io::stderr(),
            "SKIPPED a_processor_that_is_too_old_is_told_of: there is no qemu-x86_64"
        )
        .ok();
        return;
    }
    let place = Place::new();
    let on = |processor| {
        place.command_by(&["qemu-x86_64", "-cpu", processor], ["--version"]).output().expect("qemu")
    };
    let old = on("Nehalem");
    assert_eq!(old.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&old.stderr),
        "error: this tithe was built for processors since 2013, and this one has no FMA: build it again for older ones \
         with RUSTFLAGS=\"\" cargo build --release\n"
    );
    assert_eq!(on("max").status.code(), Some(0));
}

#[test]
fn every_example_of_the_help_is_understood() {
    // Clap checks options before anything is opened: `--help` at the end stops there.
    for verb in ["sql", "query", "optimize", "functions", "serve", "worker", "scan", "gen", "demo"] {
        let help = tithe([verb, "--help"]).result();
        for line in help.lines().filter_map(|line| line.strip_prefix("  tithe ")) {
            let words: Vec<&str> = line.split("  ").next().expect("a command").split_whitespace().collect();
            if line.contains(['\'', '|', '"']) {
                continue;
            }
            let ran = crate::support::Place::new().run(words.iter().copied().chain(["--help"]));
            assert_eq!(ran.code, Some(0), "tithe {line}: {}", ran.stderr);
        }
    }
}
