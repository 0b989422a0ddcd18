//! Which files are in force while others read, write, or are killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, StringArray};
use tithe_engine::{EngineOptions, LayoutOptions, LayoutOrder, LayoutProgress, Principal};

use super::{lay_out, notes, options, parquet_files, scattered, sorted_by};
use crate::support::{self, TestLake, int64, table, value};

#[tokio::test(flavor = "multi_thread")]
async fn partitions_stay_and_those_that_lie_so_are_left_alone() {
    let lake = TestLake::new();
    for k in 0..4 {
        let numbers: Vec<i64> = scattered(300).into_iter().map(|n| n * 4 + k).collect();
        lake.numbers(&format!("s/t/k={k}/a.parquet"), &numbers[..150]);
        lake.numbers(&format!("s/t/k={k}/b.parquet"), &numbers[150..]);
    }
    let session = lake.session().await;
    let sums = "SELECT k, count(*) AS rows, sum(n) AS n FROM s.t GROUP BY k ORDER BY k";
    let before = table(&session, sums).await;
    let by_n = options(sorted_by(&["n"]));
    let report = lay_out(&session, "s.t", &by_n).await.unwrap();
    assert_eq!((report.partitions, report.there, report.before.files, report.after.files), (4, 0, 8, 4));
    assert_eq!(table(&session, sums).await, before);
    let first = parquet_files(&lake, "s/t");
    let report = lay_out(&session, "s.t", &by_n).await.unwrap();
    assert_eq!((report.partitions, report.there), (4, 4));
    assert_eq!(parquet_files(&lake, "s/t"), first);
    lake.numbers("s/t/k=2/later.parquet", &[1_000_000]);
    let report = lay_out(&session, "s.t", &by_n).await.unwrap();
    assert_eq!((report.partitions, report.there, report.rows), (4, 3, 1201));
    let again = parquet_files(&lake, "s/t");
    assert_eq!(again.iter().filter(|file| first.contains(file)).count(), 3);
    assert_eq!(value(&session, "SELECT max(n) FROM s.t WHERE k = '2'").await, "1000000");
    // Another order is another layout.
    assert_eq!(lay_out(&session, "s.t", &options(LayoutOrder::Observed)).await.unwrap().there, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_every_row_once_at_any_time_and_what_is_added_is_kept() {
    let lake = TestLake::new();
    for k in 0..6 {
        for file in 0..3 {
            let numbers: Vec<i64> = scattered(400).into_iter().map(|n| n + 400 * (3 * k + file)).collect();
            lake.numbers(&format!("s/parted/k={k}/{file}.parquet"), &numbers);
            lake.numbers(&format!("s/flat/{k}-{file}.parquet"), &numbers);
        }
    }
    let engine = lake.engine(EngineOptions::default()).await;
    let session = || engine.session(Principal::local()).unwrap();
    let rows = 6 * 3 * 400_i64;
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = ["s.parted", "s.flat"]
        .into_iter()
        .map(|name| {
            let (session, done) = (session(), Arc::clone(&done));
            tokio::spawn(async move {
                let sql = format!("SELECT count(*), sum(n), count(DISTINCT n) FROM {name} WHERE n < {rows}");
                let mut reads = 0;
                while !done.load(Ordering::Acquire) {
                    let batches = session.query(&sql).await.unwrap().collect().await.unwrap();
                    let seen: Vec<String> = (0..3)
                        .map(|column| {
                            arrow::util::display::array_value_to_string(batches[0].column(column), 0).unwrap()
                        })
                        .collect();
                    let (count, sum) = (rows.to_string(), (rows * (rows - 1) / 2).to_string());
                    assert_eq!(seen, [count.clone(), sum, count], "{name}");
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    // Old files stay while readers may have them.
    let slowly =
        LayoutOptions { grace: Duration::from_secs(2), target_file_size: 1, ..options(sorted_by(&["n"])) };
    let add = async {
        for n in 0..8 {
            table(&session(), &format!("INSERT INTO s.flat VALUES ({})", rows + n)).await;
        }
    };
    let (parted, flat) = (session(), session());
    let (parted, flat, ()) =
        tokio::join!(lay_out(&parted, "s.parted", &slowly), lay_out(&flat, "s.flat", &slowly), add);
    assert_eq!((parted.unwrap().after.files, flat.unwrap().there), (6 * 12, 0));
    // Another layout right after it, for the notes and files of one are then replaced by those of the next.
    lay_out(&session(), "s.flat", &LayoutOptions { force: true, ..slowly }).await.unwrap();
    done.store(true, Ordering::Release);
    for reader in readers {
        assert!(reader.await.unwrap() > 3);
    }
    let all = value(&session(), &format!("SELECT count(*) FROM s.flat WHERE n >= {rows}")).await;
    assert_eq!(all, "8", "what was added meanwhile is there");
    assert_eq!(notes(&lake, "s/flat"), Vec::<String>::new());
}

/// What tells a file from a later one of its name, as a note has it.
async fn given_up(lake: &TestLake, folder: &str, name: &str) -> String {
    let path = object_store::path::Path::from_absolute_path(lake.root().join(folder).join(name)).unwrap();
    let store = object_store::local::LocalFileSystem::new();
    let meta = object_store::ObjectStoreExt::head(&store, &path).await.unwrap();
    format!("{{\"name\": {name:?}, \"size\": {}, \"e_tag\": {:?}}}", meta.size, meta.e_tag.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_in_force_together_or_not_at_all() {
    let lake = TestLake::new();
    lake.numbers("s/t/k=1/a.parquet", &[1]);
    lake.numbers("s/t/k=1/b.parquet", &[2]);
    let session = lake.session().await;
    let sum = "SELECT sum(n) FROM s.t";
    // As a process leaves it that was killed while it wrote.
    lake.write(
        "s/t/_replacement-00000.json",
        r#"{"file": null, "instead_of": [], "unfinished": "k=1/sorted-0-"}"#,
    );
    lake.numbers("s/t/k=1/sorted-0-00000.parquet", &[10]);
    assert_eq!(value(&session, sum).await, "3");
    lake.numbers("s/t/k=1/sorted-0-00001.parquet", &[20]);
    assert_eq!(value(&session, sum).await, "3");
    // As one leaves it that was killed after it had put them in force.
    let old = [given_up(&lake, "s/t", "k=1/a.parquet").await, given_up(&lake, "s/t", "k=1/b.parquet").await];
    let note = format!(
        r#"{{"file": null, "further": ["k=1/sorted-0-00000.parquet", "k=1/sorted-0-00001.parquet"], "instead_of": [{}]}}"#,
        old.join(", ")
    );
    lake.write("s/t/_replacement-00000.json", &note);
    assert_eq!(value(&session, sum).await, "30");
    std::fs::remove_file(lake.root().join("s/t/k=1/sorted-0-00001.parquet")).unwrap();
    assert_eq!(value(&session, sum).await, "3", "one of them is not there");
    lake.numbers("s/t/k=1/sorted-0-00001.parquet", &[20]);
    // The next layout takes the old files away, and lays out what is in force.
    let report = lay_out(&session, "s.t", &options(sorted_by(&["n"]))).await.unwrap();
    assert_eq!((report.rows, report.there), (2, 0));
    assert_eq!(value(&session, sum).await, "30");
    assert_eq!(parquet_files(&lake, "s/t").len(), 1);
    lake.write("s/t/_replacement-00009.json", "{\"file\"");
    let told = support::message(&session, sum).await;
    assert!(
        told.contains("_replacement-00009.json cannot be read: it is no note on replaced files"),
        "{told}"
    );
}

/// What a layout leaves that is killed while it writes: `abandoned` where the next one was killed while it cleared that
/// away. It ran on this machine, or on one that nobody can ask.
fn leave(lake: &TestLake, on_this_machine: bool, abandoned: bool) {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap();
    // No process has begun with the machine and has this number: 1 has.
    let identity = match on_this_machine {
        true => format!("{} {} 999999999 1", boot.trim(), namespace.display()),
        false => "another boot pid:[1] 999999999 1".to_owned(),
    };
    lake.write(
        "s/t/_replacement-00000.json",
        format!(
            r#"{{"file": null, "instead_of": [], "unfinished": "sorted-0-", "abandoned": {abandoned}, "writer":
                {{"host": "h", "process": 999999999, "identity": "{identity}", "version": "0"}}}}"#
        ),
    );
    lake.numbers("s/t/sorted-0-00000.parquet", &[100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_layout_left_is_in_nobody_s_way() {
    let lake = TestLake::new();
    lake.numbers("s/t/a.parquet", &[1]);
    leave(&lake, true, false);
    let session = lake.session().await;
    table(&session, "INSERT INTO s.t VALUES (2)").await;
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "3");
    table(&session, "CREATE OR REPLACE TABLE s.t AS SELECT 7 AS n").await;
    assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "7");
    for (on_this_machine, abandoned) in [(false, false), (false, true), (true, false), (true, true)] {
        leave(&lake, on_this_machine, abandoned);
        let mut options = options(sorted_by(&["n"]));
        options.force = true;
        assert_eq!(lay_out(&session, "s.t", &options).await.unwrap().rows, 1);
        assert_eq!(value(&session, "SELECT sum(n) FROM s.t").await, "7");
        // The note on files of a process that may put one yet keeps it out.
        let notes = (notes(&lake, "s/t").len(), parquet_files(&lake, "s/t").len());
        assert_eq!(notes, (usize::from(!on_this_machine), 1), "{on_this_machine} {abandoned}");
    }
    table(&session, "DROP TABLE s.t").await;
    assert!(!lake.root().join("s/t").exists(), "nothing of a dropped table stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_replaces_a_table() {
    let lake = TestLake::new();
    for file in 0..40 {
        lake.numbers(&format!("s/t/k={file}/a.parquet"), &scattered(200));
    }
    let engine = lake.engine(EngineOptions::default()).await;
    let session = || engine.session(Principal::local()).unwrap();
    struct Begun(tokio::sync::Notify);
    impl LayoutProgress for Begun {
        fn begins(&self, _partitions: usize, _there: usize) {
            self.0.notify_one();
        }
        fn done(&self, _partition: &str, _rows: u64) {}
        fn waits(&self, _rest: Duration) {}
    }
    let begun = Begun(tokio::sync::Notify::new());
    let (first, second) = (session(), session());
    let by_n = options(sorted_by(&["n"]));
    let layout = first.optimize("s", "t", &by_n, &begun);
    let disturb = async {
        begun.0.notified().await;
        let refused = lay_out(&second, "s.t", &by_n).await.unwrap_err();
        // Which of the two was slower is told by what is there after them.
        let replaced =
            second.query("CREATE OR REPLACE TABLE s.t AS SELECT 5 AS n").await.unwrap().collect().await;
        (refused, replaced)
    };
    let (laid_out, (refused, replaced)) = tokio::join!(layout, disturb);
    assert!(refused.to_string().contains("another process lays it out"), "{refused}");
    let rows = value(&session(), "SELECT count(*) FROM s.t").await;
    match (laid_out.is_ok(), replaced.is_ok()) {
        (true, false) => assert_eq!(rows, "8000"),
        (_, true) => assert_eq!(rows, "1"),
        (false, false) => assert_eq!(rows, "8000", "{laid_out:?} {replaced:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_larger_than_the_memory_for_queries_is_laid_out_on_the_disk() {
    let lake = TestLake::new();
    for file in 0..8 {
        let numbers: Vec<i64> = scattered(150_000).into_iter().map(|n| n * 8 + file).collect();
        let texts =
            Arc::new(StringArray::from_iter_values(numbers.iter().map(|n| format!("{n:020}")))) as ArrayRef;
        lake.parquet(&format!("s/t/{file}.parquet"), &[("n", int64(&numbers)), ("text", texts)]);
    }
    let options = EngineOptions { memory_limit: Some(40 << 20), ..EngineOptions::default() };
    let session = lake.engine(options).await.session(Principal::local()).unwrap();
    let small = LayoutOptions {
        target_file_size: 100 << 10,
        row_group_rows: 20_000,
        grace: Duration::ZERO,
        order: sorted_by(&["n"]),
        ..LayoutOptions::default()
    };
    let report = lay_out(&session, "s.t", &small).await.unwrap();
    assert_eq!(report.rows, 1_200_000);
    assert!(report.after.files > 3, "{:?}", report.after);
    let sum = value(&session, "SELECT sum(n) FROM s.t").await;
    assert_eq!(sum, (1_200_000_i64 * 1_199_999 / 2).to_string());
}
