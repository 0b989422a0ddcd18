//! The clients that people use, each by its script in `tests/python`.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tithe_testkit::python_or_skip;

use crate::login::{USERS, users_file};
use crate::support::{Server, tests_folder, tls_files};

/// Runs a script; after five minutes it ends and tells where it stood.
const RUN: &str = "import faulthandler, runpy, sys; faulthandler.dump_traceback_later(300, exit=True); \
                   del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')";

/// Runs `script` with `arguments`, which must end well.
pub(crate) async fn check(python: &Path, script: &str, arguments: &[&str]) {
    let mut command = Command::new(python);
    command.env("PYTHONUTF8", "1").args(["-c", RUN]);
    command.arg(tests_folder().join("python").join(script)).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{told}", output.status);
    println!("{}", String::from_utf8_lossy(&output.stdout).trim());
}

#[tokio::test(flavor = "multi_thread")]
async fn adbc() {
    let Some(python) = python_or_skip("adbc") else { return };
    let server = Server::start().await;
    check(&python, "adbc.py", &[&server.uri("grpc")]).await;
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
    check(&python, "polars_client.py", &[&server.address.to_string()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pandas() {
    let Some(python) = python_or_skip("pandas") else { return };
    let server = Server::start().await;
    check(&python, "pandas_client.py", &[&server.uri("grpc")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb() {
    let Some(python) = python_or_skip("duckdb") else { return };
    let server = Server::start().await;
    check(&python, "duckdb_client.py", &[&server.uri("grpc")]).await;
}
