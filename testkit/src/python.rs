//! The private virtual environment of the tests that need a Python client, DuckDB or a real S3 server.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of the private virtual environment, made on first use by `testkit/python/install`.
///
/// `None` when it cannot be made (no Python, no package registry): the reason goes to stderr, as a line that
/// begins with `SKIPPED`, and the caller returns. With `TITHE_REQUIRE_PYTHON=1` it fails the test instead.
///
/// # Panics
/// With `TITHE_REQUIRE_PYTHON=1`, when the environment cannot be made.
#[must_use]
pub fn python_or_skip(test: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/install");
    let reason = match Command::new(&script).output() {
        Ok(output) if output.status.success() => {
            return Some(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("cannot run {}: {error}", script.display()),
    };
    let required = std::env::var_os("TITHE_REQUIRE_PYTHON").is_some_and(|value| value == "1");
    assert!(!required, "{test} needs its Python environment: {reason}");
    // Not `eprintln!`: the test harness hides what that prints when a test passes.
    writeln!(std::io::stderr(), "SKIPPED {test}: {reason}").ok();
    None
}
