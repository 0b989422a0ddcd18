//! The browser of the tests that look at pages.

use std::io::Write;
use std::path::PathBuf;

use crate::python::python_or_skip;

/// What drives a browser without a window.
#[derive(Debug)]
pub struct Browser {
    /// With selenium.
    pub python: PathBuf,
    /// Chromium.
    pub chromium: String,
    /// The driver of its version.
    pub driver: String,
}

/// Chromium with its driver, from the `PATH` (Debian: `chromium` and `chromium-driver`), and a Python that drives them.
///
/// `None` where one is missing: the reason goes to stderr, as a line that begins with `SKIPPED`, and the caller returns.
/// With `TITHE_REQUIRE_BROWSER=1` it fails the test instead.
///
/// # Panics
/// With `TITHE_REQUIRE_BROWSER=1`, when one is missing.
#[must_use]
pub fn browser_or_skip(test: &str) -> Option<Browser> {
    let found = |name: &str| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let file =
            std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| file.is_file());
        file.and_then(|file| file.into_os_string().into_string().ok())
    };
    let (chromium, driver) = (found("chromium"), found("chromedriver"));
    if let (Some(chromium), Some(driver)) = (chromium, driver) {
        return python_or_skip(test).map(|python| Browser { python, chromium, driver });
    }
    let required = std::env::var_os("TITHE_REQUIRE_BROWSER").is_some_and(|value| value == "1");
    let reason =
        "chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)";
    assert!(!required, "{test} needs a browser: {reason}");
    // Not `eprintln!`: the test harness hides what that prints when a test passes.
    writeln!(std::io::stderr(), "SKIPPED {test}: {reason}").ok();
    None
}
