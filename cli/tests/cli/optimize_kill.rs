//! A layout that is killed at any moment leaves one whole table, on a disk and in a bucket.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tithe_testkit::python_or_skip;

use crate::job_s3::{BUCKET, Bucket, server};
use crate::support::{Place, send, wait_until};

/// A folder with a lake `lake` whose table `s.t` has the partitions `k` of `rows` rows each, in three files that are not
/// sorted: the numbers from 0 on in `n`, and other columns that follow from them.
pub(crate) fn place_with_numbers(partitions: i64, rows: i64) -> Place {
    let place = Place::new();
    for k in 0..partitions {
        let folder = place.path(&format!("lake/s/t/k={k}"));
        fs::create_dir_all(&folder).expect("a folder");
        for file in 0..3 {
            let numbers: Vec<i64> =
                (0..rows).filter(|n| n % 3 == file).map(|n| (n * 7919) % rows + k * rows).collect();
            write(&folder.join(format!("{file}.parquet")), &numbers);
        }
    }
    place
}

fn write(path: &Path, numbers: &[i64]) {
    let texts = numbers.iter().map(|n| (n % 11 > 0).then(|| format!("統編{:06}", n % 700)));
    let batch = RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(numbers.to_vec())) as ArrayRef),
        ("m", Arc::new(Int64Array::from_iter_values(numbers.iter().map(|n| n % 97)))),
        ("text", Arc::new(StringArray::from_iter(texts))),
        ("rate", Arc::new(Float64Array::from_iter_values(numbers.iter().map(|n| *n as f64 / 7.0)))),
        (
            "day",
            Arc::new(Date32Array::from_iter_values(
                numbers.iter().map(|n| i32::try_from(n % 900).expect("a day")),
            )),
        ),
    ])
    .expect("columns");
    let mut writer =
        ArrowWriter::try_new(File::create(path).expect("a file"), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
}

const CHECK: &str = "SELECT count(*) AS rows, sum(n) AS n, count(DISTINCT n) AS different, sum(m) AS m, count(text) AS \
    texts, sum(CAST(day AS INT)) AS days, count(DISTINCT k) AS k FROM s.t";

/// Numbers that scatter, the same ones every time.
struct Scatter(u64);

impl Scatter {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn kills() -> u64 {
    std::env::var("TITHE_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Every name in the table's folder and below.
fn names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(names(&path)),
            false => found.push(path.to_string_lossy().into_owned()),
        }
    }
    found.sort();
    found
}

/// Whether files are being written that are not in force, or old ones wait to be removed.
fn has_note(place: &Place) -> bool {
    let entries = fs::read_dir(place.path("lake/s/t")).expect("the table");
    entries
        .map(|entry| entry.expect("an entry").file_name())
        .any(|name| name.to_string_lossy().starts_with("_replacement-"))
}

fn options<'o>(lake: &'o str, column: &'o str) -> Vec<&'o str> {
    vec![
        "optimize",
        "s.t",
        "--lake",
        lake,
        "--grace",
        "0s",
        "--row-group-rows",
        "300",
        "--target-file-size",
        "1",
        "--sort-by",
        column,
    ]
}

#[test]
fn killed_at_any_moment_it_leaves_one_whole_table_and_goes_on() {
    const PARTITIONS: i64 = 8;
    let place = place_with_numbers(PARTITIONS, 3000);
    let sql = ["sql", "--lake", "lake", "--format", "csv", "-c", CHECK];
    let expected = place.run(sql).result();
    assert!(expected.contains("\n24000,287988000,24000,"), "{expected}");
    let mut scatter = Scatter(7);
    let (mut killed, mut ended, mut halfway) = (0, 0, 0);
    let columns = ["n", "text", "day"];
    let done = |column: &str| {
        let tried = place.run([&options("lake", column)[..], &["--dry-run"]].concat());
        tried.stderr.contains(&format!("{PARTITIONS} of them lie so already"))
    };
    while killed < kills() {
        let column = columns[ended % columns.len()];
        let mut child = place.start(options("lake", column));
        if killed % 2 == 0 {
            wait_until("the first file, or the end", || {
                has_note(&place) || child.try_wait().expect("a process").is_some()
            });
        }
        std::thread::sleep(Duration::from_millis(scatter.below(if killed % 2 == 0 { 60 } else { 700 })));
        match child.try_wait().expect("a process") {
            // Another order is another piece of work.
            Some(status) => {
                assert!(status.success(), "{status}");
                ended += 1;
            }
            None => {
                send("KILL", &child);
                child.wait().expect("its end");
                killed += 1;
                halfway += usize::from(has_note(&place));
            }
        }
        assert_eq!(place.run(sql).result(), expected, "after {killed} kills");
    }
    assert!(halfway > 0, "it was never killed between the first file and the last: give it more to do");
    let column = columns[ended % columns.len()];
    let ran = place.run(options("lake", column));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(done(column));
    assert_eq!(place.run(sql).result(), expected);
    // Nothing is left over but a note that was being written, which has no name yet, and the files alone are the table, for readers that know of no notes.
    let mut rows = 0;
    for name in names(&place.path("lake/s/t")) {
        let unfinished_note = name.contains("/._replacement-") && name.ends_with(".part");
        if name.contains("/_layout/") || unfinished_note {
            continue;
        }
        assert!(name.contains("/sorted-") && name.ends_with(".parquet"), "{name} is left over");
        let file =
            ParquetRecordBatchReaderBuilder::try_new(File::open(&name).expect("a file")).expect("Parquet");
        rows += file.metadata().file_metadata().num_rows();
    }
    assert_eq!(rows, PARTITIONS * 3000);
}

#[test]
fn killed_in_a_bucket_it_leaves_one_whole_table_and_goes_on() {
    let Some(python) = python_or_skip("killed_in_a_bucket_it_leaves_one_whole_table_and_goes_on") else {
        return;
    };
    let server = server(&python);
    let bucket = Bucket { python: &python, server: &server, place: place_with_numbers(4, 2000) };
    bucket.python(
        "import os\ns3.create_bucket(Bucket='authority')\nfor folder, _, names in os.walk('lake/s/t'):\n \
         for name in names: s3.upload_file(folder + '/' + name, 'authority', folder + '/' + name)",
    );
    let sql = ["sql", "--lake", BUCKET, "--format", "csv", "-c", CHECK];
    let expected = bucket.run(&sql).result();
    assert!(expected.contains("\n8000,31996000,8000,"), "{expected}");
    let mut scatter = Scatter(3);
    for _ in 0..4 {
        let mut child = bucket.start(&options(BUCKET, "text"));
        std::thread::sleep(Duration::from_millis(300 + scatter.below(1500)));
        if child.try_wait().expect("a process").is_none() {
            send("KILL", &child);
        }
        child.wait().expect("its end");
        assert_eq!(bucket.run(&sql).result(), expected);
    }
    let ran = bucket.run(&options(BUCKET, "text"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(bucket.run(&sql).result(), expected);
    let again = bucket.run(&options(BUCKET, "text"));
    assert!(again.stdout().contains("nothing to do"), "{}", again.stdout());
    let listed = bucket.python(
        "for found in s3.list_objects_v2(Bucket='authority', Prefix='lake/s/t/k=')['Contents']: print(found['Key'])",
    );
    assert!(listed.lines().all(|name| name.contains("/sorted-")), "{listed}");
    assert_eq!(listed.lines().count(), 4 * 7);
}
