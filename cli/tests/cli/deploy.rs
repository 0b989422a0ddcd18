//! The files of `deploy/`: what Kubernetes, compose and systemd take, and command lines that `tithe` takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use tithe_testkit::python_or_skip;

use crate::support::Place;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn check(python: &Path, folder: &Path) -> Output {
    Command::new(python).arg(deploy().join("check.py")).arg(folder).output().unwrap()
}

#[test]
fn the_files_are_valid_and_start_what_there_is() {
    let Some(python) = python_or_skip("the_files_are_valid_and_start_what_there_is") else { return };
    let checked = check(&python, &deploy());
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let lines: Vec<Vec<String>> = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(lines.len(), 7, "{lines:?}");
    let place = Place::new();
    for line in lines {
        // Everything before --help is understood, or it is the error.
        let ran = place.command(line.iter().map(String::as_str).chain(["--help"])).output().unwrap();
        assert!(ran.status.success(), "{line:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn what_is_wrong_is_found() {
    let Some(python) = python_or_skip("what_is_wrong_is_found") else { return };
    for (file, right, wrong, expected) in [
        ("kubernetes.yaml", "maxReplicas: 20", "maxReplica: 20", "maxReplica"),
        ("kubernetes.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"),
        ("kubernetes.yaml", "clusterIP: None", "clusterIP: \"\"", "no headless service"),
        ("compose.yaml", "restart: unless-stopped", "restarts: never", "restarts"),
        ("compose.yaml", "read_only: true", "read_only: false", "may be written"),
        ("Containerfile", "USER 10001:10001", "USER root", "runs as root"),
        ("tithe-serve.service", "NoNewPrivileges=yes\n", "", "lacks NoNewPrivileges"),
    ] {
        let folder = TempDir::new().unwrap();
        for entry in fs::read_dir(deploy()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(right), "{file} has no {right}");
        fs::write(&path, text.replace(right, wrong)).unwrap();
        let checked = check(&python, folder.path());
        let told = String::from_utf8_lossy(&checked.stderr);
        assert!(!checked.status.success() && told.contains(expected), "{file}, {wrong}: {told}");
    }
}
