//! Runs the real binary, in a folder of its own and with nothing of the surroundings' settings.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A folder to run in.
pub(crate) struct Place {
    folder: TempDir,
    lake: Option<PathBuf>,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) stderr: String,
}

impl Place {
    /// An empty folder, no lake.
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder"), lake: None }
    }

    /// An empty folder; the lake is the sample.
    pub(crate) fn with_sample() -> Self {
        Self::on(tithe_testkit::sample_lake())
    }

    /// An empty folder and a lake elsewhere.
    pub(crate) fn on(lake: PathBuf) -> Self {
        Self { lake: Some(lake), ..Self::new() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("folders");
        fs::write(&path, content).expect("a file");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    /// The names in the folder, hidden ones too, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// `tithe` with these arguments, in this folder.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        self.command_by(&[], arguments)
    }

    /// `tithe` with these arguments, in this folder, started by another program that becomes it.
    pub(crate) fn command_by<A: AsRef<OsStr>>(
        &self,
        starter: &[&str],
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        // That of another build, where one is named: a large lake is not for a debug build.
        let other = std::env::var("TITHE_TEST_BINARY").ok();
        let binary = other.as_deref().unwrap_or(env!("CARGO_BIN_EXE_tithe"));
        let mut words = starter.iter().copied().chain([binary]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).args(arguments).current_dir(self.folder()).stdin(Stdio::null());
        command.env("HOME", self.folder()).env("TERM", "xterm").env("NO_PROXY", "*");
        for name in [
            "TITHE_LAKE",
            "TITHE_CONFIG",
            "TITHE_COMPUTE_BACKEND",
            "RUST_LOG",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "XDG_STATE_HOME",
        ] {
            command.env_remove(name);
        }
        if let Some(lake) = &self.lake {
            command.env("TITHE_LAKE", lake);
        }
        command
    }

    /// Runs to the end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ran {
        self.command(arguments).output().expect("tithe runs").into()
    }

    /// Runs to the end with `input` on standard input.
    pub(crate) fn run_on<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: impl AsRef<[u8]>,
    ) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("tithe runs");
        // A run that refuses its options does not read.
        child.stdin.take().expect("standard input").write_all(input.as_ref()).ok();
        child.wait_with_output().expect("tithe ends").into()
    }

    /// Starts, with standard output and error to read.
    pub(crate) fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tithe starts")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            bytes: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("messages in UTF-8"),
        }
    }
}

impl Ran {
    /// Standard output as text.
    pub(crate) fn stdout(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text in UTF-8")
    }

    /// Standard output of a run that went well and had nothing to say.
    #[track_caller]
    pub(crate) fn result(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout());
        String::from_utf8(self.bytes).expect("text in UTF-8")
    }

    /// The message of a run that failed with `code` and left nothing on standard output.
    #[track_caller]
    pub(crate) fn failure(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout()), (Some(code), ""), "{}", self.stderr);
        self.stderr.trim_end().to_owned()
    }
}

/// A server or worker: a process that says where it listens. Killed when it is dropped.
pub(crate) struct Service {
    pub(crate) process: Child,
    pub(crate) address: String,
    /// What it says after that.
    pub(crate) said: BufReader<ChildStderr>,
}

impl Service {
    /// Once it listens.
    #[track_caller]
    pub(crate) fn start<A: AsRef<OsStr>>(place: &Place, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut process = place.start(arguments);
        let mut said = BufReader::new(process.stderr.take().expect("standard error"));
        let mut line = String::new();
        while !line.starts_with("serving ") && !line.starts_with("working on ") {
            line.clear();
            assert!(said.read_line(&mut line).expect("a line") > 0, "it ended without its address");
        }
        let address = line.split_whitespace().next_back().expect(&line);
        let address = address.trim_start_matches("grpc://").to_owned();
        Self { process, address, said }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// `tithe` with these arguments on no lake.
pub(crate) fn tithe<const N: usize>(arguments: [&str; N]) -> Ran {
    Place::new().run(arguments)
}

/// Sends a signal, as `kill` does.
pub(crate) fn send(signal: &str, child: &Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status();
    assert!(sent.expect("sh").success(), "kill -{signal}");
}

/// Waits until `happens`; the time is for a slow machine, not what is expected.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut happens: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happens() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The exit code of a process that is to end by itself.
#[track_caller]
pub(crate) fn ends(child: &mut Child) -> Option<i32> {
    let mut status = None;
    wait_until("the end of tithe", || {
        status = child.try_wait().expect("a process");
        status.is_some()
    });
    status.and_then(|status| status.code())
}
