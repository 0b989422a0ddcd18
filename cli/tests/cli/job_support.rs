//! A small lake with a table to cut, and jobs over it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Child;

use crate::support::{Place, wait_until};

/// A folder with a lake `lake` whose table `sales.entry` has the groups 0 to `groups - 1` in `k`, three rows each.
pub(crate) fn place_with_entries(groups: u32) -> Place {
    let place = Place::new();
    fs::create_dir_all(place.path("lake/sales/entry")).expect("a folder");
    let sql = format!(
        "SELECT value % {groups} AS k, value AS n, CASE WHEN value = 3 THEN 'x' ELSE '1' END AS v \
         FROM generate_series(0, {}) ORDER BY n",
        groups * 3 - 1
    );
    place.run(["sql", "-o", "lake/sales/entry/a.parquet", "-c", &sql]).result();
    place
}

/// A query of some work for each group.
pub(crate) const WORK: &str = "SELECT n, n * 2 AS twice, \
    (SELECT sum(value) FROM generate_series(1, 20000)) AS work FROM sales.entry WHERE k = $k ORDER BY n";

/// A job file over the groups, with `further` lines at its end.
pub(crate) fn job(sql: &str, mode: &str, further: &str) -> String {
    format!(
        "sql = \"\"\"{sql}\"\"\"\n[partition]\ntable = \"sales.entry\"\ncolumn = \"k\"\n\
         [output]\ntable = \"out.result\"\nmode = \"{mode}\"\n[run]\nbackoff = \"10ms\"\n{further}\n"
    )
}

/// The files of the output, by name below it; what begins with `_` is left out.
pub(crate) fn output(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    gather(&place.path("lake/out/result"), "", &mut files);
    files
}

fn gather(folder: &Path, below: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('_') {
            continue;
        }
        let name = format!("{below}/{name}");
        if entry.file_type().expect("its kind").is_dir() {
            gather(&entry.path(), &name, files);
        } else {
            match fs::read(entry.path()) {
                Ok(bytes) => files.insert(name, bytes),
                // What is being written has another name until it is whole.
                Err(error) if error.kind() == ErrorKind::NotFound && !name.ends_with(".parquet") => None,
                Err(error) => panic!("{name}: {error}"),
            };
        }
    }
}

/// How many entries the log of the job `job` has.
pub(crate) fn entries(place: &Place, job: &str) -> usize {
    fs::read_dir(place.path(&format!("lake/out/result/_jobs/{job}/log")))
        .map_or(0, |entries| entries.filter(|entry| entry.is_ok()).count())
}

/// Waits until the job's log has more than `count` entries, or `child` has ended.
pub(crate) fn wait_for_entries(place: &Place, job: &str, count: usize, child: &mut Child) {
    wait_until("the job to record something", || {
        entries(place, job) > count || child.try_wait().expect("a process").is_some()
    });
}

/// The partitions that the manifest notes as done, as their JSON.
pub(crate) fn noted(place: &Place, job: &str) -> Vec<String> {
    let text = place.read(&format!("lake/out/result/_jobs/{job}/manifest.json"));
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    manifest["done"].as_array().expect("a list").iter().map(|done| done["partition"].to_string()).collect()
}

/// Checks that each of `groups` partitions is noted once, and that the output is `expected` to the byte.
#[track_caller]
pub(crate) fn check_whole(place: &Place, job: &str, groups: usize, expected: &BTreeMap<String, Vec<u8>>) {
    let mut noted = noted(place, job);
    assert_eq!(noted.len(), groups);
    noted.sort();
    noted.dedup();
    assert_eq!(noted.len(), groups, "a partition is noted twice");
    let output = output(place);
    assert_eq!(output.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(output == *expected, "a file differs");
}
