//! A process that has little memory gives back at once what it frees.
//!
//! The allocator keeps what is freed for a second, and takes memory in pieces of two megabytes where the system has them. That is
//! faster, and takes several hundred megabytes, which is all there is within 512 MiB. It reads its settings when a process begins; so
//! the program begins once more, as the same process.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use clap::ArgMatches;
use tithe_engine::{Configuration, default_memory_limit};

/// A limit of queries' memory below this is little.
const LITTLE: usize = 1 << 30;
/// How the allocator is told (mimalloc, "Environment options").
const SETTINGS: [(&str, &str); 2] = [("MIMALLOC_PURGE_DELAY", "0"), ("MIMALLOC_ALLOW_THP", "0")];

/// Begins again with other settings of the allocator, if there is little memory and nobody has set them. Does nothing where that
/// is not possible, which costs memory and nothing else.
pub(crate) fn begin_again(given: &ArgMatches) {
    let is_set = SETTINGS.iter().any(|(name, _)| env::var_os(name).is_some());
    if is_set || !takes_memory(given) || limit(given) >= LITTLE {
        return;
    }
    #[cfg(unix)]
    if let Ok(program) = env::current_exe() {
        use std::os::unix::process::CommandExt;

        let mut arguments = env::args_os();
        let mut again = Command::new(program);
        again.envs(SETTINGS);
        if let Some(name) = arguments.next() {
            again.arg0(name);
        }
        // Comes back with an error alone, and then things are as they were.
        drop(again.args(arguments).exec());
    }
}

/// The arguments of the command itself.
fn innermost(given: &ArgMatches) -> &ArgMatches {
    given.subcommand().map_or(given, |(_, command)| innermost(command))
}

fn takes_memory(given: &ArgMatches) -> bool {
    innermost(given).try_contains_id("memory").is_ok()
}

/// As the lake is opened with: of the command line, the configuration, or the machine.
fn limit(given: &ArgMatches) -> usize {
    let given = innermost(given);
    let asked = given.try_get_one::<usize>("memory").ok().flatten().copied();
    asked.or_else(|| configuration(given)?.engine_options().memory_limit).unwrap_or_else(default_memory_limit)
}

/// What is wrong with it is said when the lake is opened.
fn configuration(given: &ArgMatches) -> Option<Configuration> {
    match given.try_get_one::<PathBuf>("config").ok().flatten() {
        Some(path) => Configuration::load(path).ok(),
        None => Configuration::discover(&env::current_dir().ok()?).ok(),
    }
}
