//! The clients that people use, each by its script in `tests/python`, `tests/javascript` or `tests/java`, and the table of them in
//! `docs/clients.md`: `TITHE_UPDATE_DOCS=1` writes the versions that were tested.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use tempfile::TempDir;
use tithe_testkit::python_or_skip;

use crate::login::{USERS, users_file};
use crate::support::{Server, tests_folder, tls_files};

/// Runs a script; after five minutes it ends and tells where it stood.
const RUN: &str = "import faulthandler, runpy, sys; faulthandler.dump_traceback_later(300, exit=True); \
                   del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')";

/// Runs `script` with `arguments`, which must end well; its last line.
pub(crate) async fn check(python: &Path, script: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(python);
    command.env("PYTHONUTF8", "1").args(["-c", RUN]);
    command.arg(tests_folder().join("python").join(script)).args(arguments);
    ended_well(script, command).await
}

async fn ended_well(script: &str, mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{told}", output.status);
    let result = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    println!("{result}");
    result.lines().last().unwrap_or_default().to_owned()
}

/// That the table in `docs/clients.md` has `client` in the version that `told` ends with, `tested` for what.
fn listed(client: &str, told: &str, tested: &str) {
    static WRITING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let version = told.split_once(' ').map_or(told, |(_, version)| version);
    let row = format!("| {client} | {version} | {tested} |");
    let head = format!("| {client} |");
    if std::env::var_os("TITHE_UPDATE_DOCS").is_some_and(|value| value == "1") {
        let lines = page.lines().map(|line| if line.starts_with(&head) { &row } else { line });
        std::fs::write(&path, lines.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(
        page.lines().any(|line| line == row),
        "docs/clients.md does not say {row:?}: write it with TITHE_UPDATE_DOCS=1 cargo test --workspace --test flight_sql clients"
    );
}

/// The folder with the JavaScript client, installed once; none where Node.js or its registry is out of reach.
fn javascript_or_skip(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("javascript");
    std::fs::create_dir_all(&folder).unwrap();
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
    let reason = match install.arg("@lancedb/arrow-flight-sql-client@0.3.0").output() {
        Ok(output) if output.status.success() => return Some(folder),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("cannot run npm: {error}"),
    };
    skipped(test, &reason);
    None
}

/// `java` with the jars of the Java client, which are fetched once; none where Java 17 or the registry is out of reach.
fn java_or_skip(test: &str) -> Option<Command> {
    static FETCHED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let python = python_or_skip(test)?;
    let jars = FETCHED.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("java");
        let ran = |command: &mut Command| match command.output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(format!("cannot run {}: {error}", command.get_program().display())),
        };
        ran(Command::new("java").args([
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "--source",
            "17",
            "--version",
        ]))?;
        ran(Command::new(&python).arg(tests_folder().join("java/install.py")).arg(&folder))?;
        Ok(folder)
    });
    match jars {
        Ok(jars) => {
            let mut java = Command::new("java");
            java.args(["-Xmx512m", "--add-opens=java.base/java.nio=ALL-UNNAMED", "--class-path"]);
            java.arg(jars.join("*")).arg(tests_folder().join("java/Client.java"));
            Some(java)
        }
        Err(reason) => {
            skipped(test, reason);
            None
        }
    }
}

fn skipped(test: &str, reason: &str) {
    // Not `eprintln!`: the test harness hides what that prints when a test passes.
    std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED {test}: {reason}\n").as_bytes()).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn adbc() {
    let Some(python) = python_or_skip("adbc") else { return };
    let server = Server::start().await;
    let told = check(&python, "adbc.py", &[&server.uri("grpc")]).await;
    listed(
        "[ADBC for Python](#adbc-for-python)",
        &told,
        "every way of the DBAPI, values, metadata, sessions, cancelling, writing; TLS and login",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn adbc_with_login() {
    let Some(python) = python_or_skip("adbc_with_login") else { return };
    let folder = TempDir::new().unwrap();
    let server = Server::with(|options| {
        options.tls = Some(tls_files());
        options.users = Some(users_file(&folder));
    })
    .await;
    let certificate = tls_files().certificate;
    let (name, password) = USERS[0];
    let arguments = [&server.uri("grpc+tls"), certificate.to_str().unwrap(), name, password];
    check(&python, "login.py", &arguments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polars() {
    let Some(python) = python_or_skip("polars") else { return };
    let server = Server::start().await;
    let told = check(&python, "polars_client.py", &[&server.address.to_string()]).await;
    listed("[polars](#polars)", &told, "`read_database`, `read_database_uri`, `write_database`");
}

#[tokio::test(flavor = "multi_thread")]
async fn pandas() {
    let Some(python) = python_or_skip("pandas") else { return };
    let server = Server::start().await;
    let told = check(&python, "pandas_client.py", &[&server.uri("grpc")]).await;
    listed("[pandas](#pandas)", &told, "`read_sql`, `read_sql_table`, `to_sql`");
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb() {
    let Some(python) = python_or_skip("duckdb") else { return };
    let server = Server::start().await;
    let told = check(&python, "duckdb_client.py", &[&server.uri("grpc")]).await;
    listed("[DuckDB](#duckdb)", &told, "on what ADBC fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn writing() {
    let Some(python) = python_or_skip("writing") else { return };
    let lake = TempDir::new().unwrap();
    let server = Server::on(lake.path(), |options| options.writable = true).await;
    check(&python, "writing.py", &[&server.address.to_string()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlalchemy() {
    let Some(python) = python_or_skip("sqlalchemy") else { return };
    let server = Server::start().await;
    let told = check(&python, "sqlalchemy_client.py", &[&server.address.to_string()]).await;
    listed("[SQLAlchemy](#superset)", &told, "queries, schemas, tables and columns; no bound values");
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript() {
    let Some(folder) = javascript_or_skip("javascript") else { return };
    let server = Server::start().await;
    let mut command = Command::new("node");
    command.arg(tests_folder().join("javascript/client.cjs")).arg(&folder).arg(server.address.to_string());
    let told = ended_well("client.cjs", command).await;
    listed("[JavaScript](#javascript)", &told, "queries, 300,000 rows, errors; without TLS");
}

/// What the tests of Java's `FlightSqlClient` ask, besides reading.
const BY_JAVA: &str =
    "queries, prepared statements with values, all metadata, session options, errors, writing; TLS and login";

#[tokio::test(flavor = "multi_thread")]
async fn java() {
    let Some(mut command) = java_or_skip("java") else { return };
    let server = Server::start().await;
    command.args(["read", "127.0.0.1"]).arg(server.address.port().to_string());
    let told = ended_well("Client.java", command).await;
    listed("[Java `FlightSqlClient`](#java)", &told, BY_JAVA);
}

#[tokio::test(flavor = "multi_thread")]
async fn java_writing() {
    let Some(mut command) = java_or_skip("java_writing") else { return };
    let lake = TempDir::new().unwrap();
    let server = Server::on(lake.path(), |options| options.writable = true).await;
    command.args(["write", "127.0.0.1"]).arg(server.address.port().to_string());
    ended_well("Client.java", command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn java_with_login() {
    let Some(mut command) = java_or_skip("java_with_login") else { return };
    let folder = TempDir::new().unwrap();
    let server = Server::with(|options| {
        options.tls = Some(tls_files());
        options.users = Some(users_file(&folder));
    })
    .await;
    let (name, password) = USERS[0];
    // The certificate is of this name.
    command.args(["login", "localhost"]).arg(server.address.port().to_string());
    command.arg(tls_files().certificate).args([name, password]);
    ended_well("Client.java", command).await;
}
