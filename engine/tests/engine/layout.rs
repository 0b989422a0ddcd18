//! Tables that are laid out anew: the same rows, in other files.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::{
    Array, ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray,
};
use arrow::datatypes::{Field, Int32Type, Int64Type, Schema, SchemaRef};
use insta::assert_snapshot;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use tithe_engine::{
    EngineError, EngineOptions, ErrorKind, LayoutOptions, LayoutOrder, LayoutProgress, LayoutReport,
    ObservedQueries, Principal, Session, SessionOptions,
};

use crate::support::{self, TestLake, int64, table, value};

/// Tells nobody.
struct Quiet;

impl LayoutProgress for Quiet {
    fn begins(&self, _partitions: usize, _there: usize) {}
    fn done(&self, _partition: &str, _rows: u64) {}
    fn waits(&self, _rest: Duration) {}
}

fn options(order: LayoutOrder) -> LayoutOptions {
    LayoutOptions { order, row_group_rows: 100, grace: Duration::ZERO, ..LayoutOptions::default() }
}

fn sorted_by(columns: &[&str]) -> LayoutOrder {
    LayoutOrder::Columns(columns.iter().map(|column| (*column).to_owned()).collect())
}

async fn lay_out(
    session: &Session,
    name: &str,
    options: &LayoutOptions,
) -> Result<LayoutReport, EngineError> {
    let (schema, table) = name.split_once('.').unwrap();
    session.optimize(schema, table, options, &Quiet).await
}

/// Paths of the files below a folder of the lake that readers of Parquet take for data.
fn parquet_files(lake: &TestLake, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![lake.root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "parquet") => {
                    found.push(path.strip_prefix(lake.root()).unwrap().to_str().unwrap().to_owned());
                }
                false => {}
            }
        }
    }
    found.sort();
    found
}

fn notes(lake: &TestLake, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(lake.root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut notes: Vec<String> = names.filter(|name| name.starts_with("_replacement-")).collect();
    notes.sort();
    notes
}

fn footer(lake: &TestLake, file: &str) -> (SchemaRef, Arc<ParquetMetaData>) {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(lake.root().join(file)).unwrap()).unwrap();
    (Arc::clone(reader.schema()), Arc::clone(reader.metadata()))
}

/// Numbers that scatter, the same ones every time.
fn scattered(count: i64) -> Vec<i64> {
    (0..count).map(|n| (n * 7919 + 13) % count).collect()
}

/// Rows of many types, in two files that are not sorted.
fn many_types(lake: &TestLake) -> Arc<Schema> {
    let mut schema = None;
    for (file, from) in [("a", 0_i64), ("b", 500)] {
        let numbers: Vec<i64> = scattered(500).into_iter().map(|n| n + from).collect();
        let texts = numbers.iter().map(|n| (n % 7 != 0).then(|| format!("統編{:08}", n % 50)));
        let lists = numbers.iter().map(|n| Some(vec![Some(*n), None]));
        let columns: Vec<(&str, ArrayRef, bool)> = vec![
            ("n", Arc::new(Int64Array::from(numbers.clone())), false),
            (
                "some",
                Arc::new(Int64Array::from_iter(numbers.iter().map(|n| (n % 3 > 0).then_some(n % 40)))),
                true,
            ),
            ("name", Arc::new(StringArray::from_iter(texts)), true),
            (
                "code",
                Arc::new(DictionaryArray::<Int32Type>::from_iter(
                    numbers.iter().map(|n| if n % 2 == 0 { "x" } else { "y" }),
                )),
                true,
            ),
            (
                "day",
                Arc::new(Date32Array::from_iter_values(
                    numbers.iter().map(|n| i32::try_from(n % 365).unwrap()),
                )),
                true,
            ),
            (
                "price",
                Arc::new(
                    Decimal128Array::from_iter_values(numbers.iter().map(|n| i128::from(*n) * 10_000_000))
                        .with_precision_and_scale(20, 7)
                        .unwrap(),
                ),
                true,
            ),
            ("rate", Arc::new(Float64Array::from_iter_values(numbers.iter().map(|n| *n as f64 / 3.0))), true),
            ("parts", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists)), true),
        ];
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, values, null)| Field::new(*name, values.data_type().clone(), *null))
            .collect();
        let of = Arc::new(Schema::new(fields));
        let batch =
            RecordBatch::try_new(Arc::clone(&of), columns.into_iter().map(|(_, values, _)| values).collect())
                .unwrap();
        let file = File::create(lake.path(&format!("s/t/{file}.parquet"))).unwrap();
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&of), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        schema = Some(of);
    }
    schema.unwrap()
}

const ALL: &str = "SELECT * FROM s.t ORDER BY n";

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_and_their_types_stay_and_the_files_are_sorted() {
    let lake = TestLake::new();
    let schema = many_types(&lake);
    let session = lake.session().await;
    let (rows, columns) = (table(&session, ALL).await, session.table_schema("s", "t").await.unwrap());
    let small = LayoutOptions { target_file_size: 1, ..options(sorted_by(&["some", "name"])) };
    let report = lay_out(&session, "s.t", &small).await.unwrap();
    assert_eq!(
        (report.rows, report.before.files, report.after.files, report.after.row_groups),
        (1000, 2, 10, 10)
    );
    assert_eq!(report.order, "sorted by some, name");
    let files = parquet_files(&lake, "s/t");
    assert_eq!(files.len(), 10, "the old files are gone: {files:?}");
    assert_eq!(notes(&lake, "s/t"), Vec::<String>::new());
    assert_eq!(table(&session, ALL).await, rows);
    assert_eq!(session.table_schema("s", "t").await.unwrap(), columns);
    let mut last = None;
    for file in &files {
        let (stored, footer) = footer(&lake, file);
        assert_eq!(stored.fields(), schema.fields(), "{file}");
        assert_eq!(footer.row_group(0).sorting_columns().unwrap().len(), 2);
        assert!(footer.row_group(0).column(0).column_index_offset().is_some(), "there is a page index");
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(File::open(lake.root().join(file)).unwrap()).unwrap();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let some = batch.column(1).as_any().downcast_ref::<Int64Array>().unwrap().clone();
            let name = batch.column(2).as_any().downcast_ref::<StringArray>().unwrap().clone();
            for row in 0..batch.num_rows() {
                let key = (
                    some.is_null(row),
                    some.is_valid(row).then(|| some.value(row)),
                    name.is_null(row),
                    name.is_valid(row).then(|| name.value(row).to_owned()),
                );
                assert!(last.as_ref().is_none_or(|last| *last <= key), "{last:?} before {key:?}");
                last = Some(key);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_rows_come_in_the_same_order_however_they_are_computed() {
    let mut orders = Vec::new();
    for partitions in [1, 4] {
        let lake = TestLake::new();
        many_types(&lake);
        let session = lake
            .engine(EngineOptions { target_partitions: Some(partitions), ..EngineOptions::default() })
            .await
            .session(Principal::local())
            .unwrap();
        lay_out(&session, "s.t", &options(sorted_by(&["code"]))).await.unwrap();
        let files = parquet_files(&lake, "s/t");
        let [file] = files.as_slice() else { panic!("{files:?}") };
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(File::open(lake.root().join(file)).unwrap()).unwrap();
        let rows: Vec<i64> = reader
            .build()
            .unwrap()
            .flat_map(|batch| {
                batch.unwrap().column(0).as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec()
            })
            .collect();
        orders.push(rows);
    }
    assert_eq!(orders[0], orders[1]);
    let even: Vec<i64> = scattered(500)
        .into_iter()
        .chain(scattered(500).into_iter().map(|n| n + 500))
        .filter(|n| n % 2 == 0)
        .collect();
    assert_eq!(orders[0][..500], even, "rows that are equal in it stay in the order of the files");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_z_order_narrows_several_columns_and_a_sort_one() {
    let narrowed = async |order: LayoutOrder| {
        let lake = TestLake::new();
        let (x, y): (Vec<i64>, Vec<i64>) = scattered(10_000).into_iter().map(|n| (n % 100, n / 100)).unzip();
        lake.parquet("s/t/a.parquet", &[("x", int64(&x)), ("y", int64(&y))]);
        let session = lake.session().await;
        let asked = ["SELECT count(*) FROM s.t WHERE x = 50", "SELECT count(*) FROM s.t WHERE y = 50"];
        let queries = ObservedQueries::Statements(asked.map(ToOwned::to_owned).into());
        let report = lay_out(&session, "s.t", &LayoutOptions { queries, ..options(order) }).await.unwrap();
        for sql in asked {
            assert_eq!(value(&session, sql).await, "100");
        }
        assert!(report.queries.iter().all(|query| query.before == (1, 1)), "{:?}", report.queries);
        assert!(report.queries.iter().all(|query| query.after.1 == 100), "{:?}", report.queries);
        (report.queries[0].after.0, report.queries[1].after.0)
    };
    let (x, y) = narrowed(sorted_by(&["x"])).await;
    assert!(x <= 2 && y == 100, "{x} {y}");
    let (x, y) = narrowed(LayoutOrder::ZOrder(vec!["x".to_owned(), "y".to_owned()])).await;
    assert!(x <= 25 && y <= 25, "{x} {y}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_follows_from_what_is_asked() {
    let lake = TestLake::new();
    let numbers = scattered(10_000);
    lake.parquet(
        "s/t/a.parquet",
        &[
            ("wide", int64(&numbers.iter().map(|n| n % 2).collect::<Vec<_>>())),
            ("day", int64(&numbers.iter().map(|n| n % 365).collect::<Vec<_>>())),
            ("seller", int64(&numbers)),
            ("never", int64(&numbers)),
        ],
    );
    lake.numbers("s/other/a.parquet", &[1]);
    let session = lake.session().await;
    let asked = |statements: &[&str]| LayoutOptions {
        queries: ObservedQueries::Statements(statements.iter().map(|sql| (*sql).to_owned()).collect()),
        dry_run: true,
        ..options(LayoutOrder::Observed)
    };
    let check = async |statements: &[&str], order: &str, bloom: &[&str]| {
        let report = lay_out(&session, "s.t", &asked(statements)).await.unwrap();
        assert_eq!(report.order, order, "{statements:?}");
        let filters: Vec<&str> =
            report.columns.iter().filter(|c| c.bloom_filter).map(|c| c.column.as_str()).collect();
        assert_eq!(filters, bloom, "{statements:?}");
    };
    let days = "SELECT sum(seller) FROM s.t WHERE day BETWEEN 10 AND 20";
    check(&[days], "sorted by day", &[]).await;
    // One seller of all leaves out more than a few days do, and half of the rows are left out by `wide = 1`.
    let (one, half) = ("SELECT * FROM s.t WHERE seller = 5", "SELECT count(*) FROM s.t WHERE wide = 1");
    check(&[one, days, half], "sorted by seller, day, wide", &[]).await;
    check(&[one, days, days], "sorted by day, seller", &["seller"]).await;
    check(&["SELECT a.never FROM s.t AS a JOIN s.other AS b ON a.seller = b.n"], "sorted by seller", &[])
        .await;
    check(&["SELECT wide, count(*) FROM s.t GROUP BY wide"], "sorted by wide", &[]).await;
    check(&["SELECT count(*) FROM s.t"], "as they lie", &[]).await;
    let error = lay_out(&session, "s.t", &asked(&["SELECT 1 FROM s.other"])).await.unwrap_err();
    assert_snapshot!(error.to_string(), @"the observed queries: none of them is a query on s.t: name those that are asked of it");
    assert_eq!(parquet_files(&lake, "s/t"), ["s/t/a.parquet"], "a dry run leaves everything as it was");
    assert!(!lake.root().join("s/t/_layout").exists());
}

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

#[tokio::test]
async fn what_cannot_be_laid_out_is_said_in_one_sentence() {
    let lake = TestLake::new();
    lake.parquet("s/t/k=1/a.parquet", &[("n", int64(&[1])), ("m", int64(&[2]))]);
    lake.numbers("s/empty/a.parquet", &[]);
    lake.write("s/raw/a.jsonl", "{\"n\": 1}\n");
    lake.numbers("s/made/a.parquet", &[1]);
    lake.write("s/made/_jobs/nightly/log/0000000001.json", "{}");
    let session = lake.session().await;
    let check = async |name: &str, order: LayoutOrder| {
        lay_out(&session, name, &options(order)).await.unwrap_err().to_string()
    };
    let z_order = |columns: &[&str]| LayoutOrder::ZOrder(columns.iter().map(|c| (*c).to_owned()).collect());
    assert_snapshot!(check("s.tt", sorted_by(&["n"])).await, @"table s.tt does not exist; did you mean s.t?");
    assert_snapshot!(check("s.t", sorted_by(&["nn"])).await, @"column nn does not exist; s.t has n, m");
    assert_snapshot!(check("s.t", sorted_by(&["seller"])).await, @"column seller does not exist; s.t has n, m");
    assert_snapshot!(check("s.t", sorted_by(&["n", "n"])).await, @"table s.t cannot be written: n is named twice: name it once");
    assert_snapshot!(check("s.t", sorted_by(&["k"])).await, @"table s.t cannot be written: its folders are those of k already, and within one all rows have the same: leave k out");
    assert_snapshot!(check("s.t", z_order(&["n"])).await, @"table s.t cannot be written: a Z-order takes 2 to 6 columns, not 1: sort by one, or name those that are filtered by most");
    assert_snapshot!(check("s.empty", sorted_by(&["n"])).await, @"table s.empty cannot be written: it has no rows, and there is nothing to lay out");
    assert_snapshot!(check("s.raw", sorted_by(&["n"])).await, @"laying out s.raw is not allowed: its files are raw ones as they were delivered; make a table of them with CREATE TABLE … AS SELECT, and lay that out");
    assert_snapshot!(check("s.made", sorted_by(&["n"])).await, @"laying out s.made is not allowed: it is the output of the job nightly, which would miss its files: lay out a copy, made with CREATE TABLE … AS SELECT");
    let read_only = lake.read_only().await;
    let refused = lay_out(&read_only, "s.t", &options(sorted_by(&["n"]))).await.unwrap_err();
    assert_snapshot!(refused.to_string(), @"laying out s.t is not allowed: this session is read only");
    assert_eq!(parquet_files(&lake, "s/t"), ["s/t/k=1/a.parquet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_policy_it_takes_the_right_to_write_and_to_see_all() {
    let lake = TestLake::new();
    lake.parquet("s/t/a.parquet", &[("n", int64(&[3, 1, 2])), ("secret", int64(&[9, 9, 9]))]);
    lake.write(
        "policy.json",
        r#"{"tables": [
            {"user": "owner", "schema": "s", "privileges": ["SELECT", "OWNERSHIP"]},
            {"user": "writer", "schema": "s", "privileges": ["SELECT", "INSERT", "DELETE"]},
            {"user": "adder", "schema": "s", "privileges": ["SELECT", "INSERT"]},
            {"user": "part", "schema": "s", "privileges": ["SELECT", "OWNERSHIP"], "filter": "n < 3"},
            {"user": "masked", "schema": "s", "privileges": ["SELECT", "OWNERSHIP"],
             "columns": [{"name": "secret", "mask": "0"}]}
        ]}"#,
    );
    let engine = lake
        .engine(EngineOptions { policy: Some(lake.root().join("policy.json")), ..EngineOptions::default() })
        .await;
    let mut told = BTreeMap::new();
    for user in ["adder", "part", "masked", "nobody", "writer", "owner"] {
        let session = engine.session(Principal::from(user)).unwrap();
        let by_n = LayoutOptions { force: true, ..options(sorted_by(&["n"])) };
        let result = lay_out(&session, "s.t", &by_n).await;
        if let Err(error) = &result {
            assert!(matches!(error.kind(), ErrorKind::NotAllowed | ErrorKind::NotFound), "{error}");
        }
        told.insert(
            user,
            result.map(|report| report.rows.to_string()).unwrap_or_else(|error| error.to_string()),
        );
    }
    assert_snapshot!(format!("{told:#?}"), @r#"
    {
        "adder": "laying out s.t is not allowed: the policy does not grant you OWNERSHIP of it, or INSERT and DELETE on it",
        "masked": "laying out s.t is not allowed: you see it in part, and the rest would be lost",
        "nobody": "table s.t does not exist",
        "owner": "3",
        "part": "laying out s.t is not allowed: you see it in part, and the rest would be lost",
        "writer": "3",
    }
    "#);
    let open = lake.session().await;
    assert_eq!(value(&open, "SELECT sum(n) + sum(secret) FROM s.t").await, "33");
    let options = SessionOptions { read_only: true, ..SessionOptions::default() };
    let reader = engine.session_with(Principal::from("owner"), options).unwrap();
    let refused = lay_out(&reader, "s.t", &LayoutOptions::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotAllowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_audit_has_on_record_tells_the_order() {
    let lake = TestLake::new();
    let numbers = scattered(2000);
    lake.parquet("s/t/a.parquet", &[("a", int64(&numbers)), ("b", int64(&numbers))]);
    let audit = lake.root().join("audit");
    let recording =
        lake.engine(EngineOptions { audit: Some(audit.clone()), ..EngineOptions::default() }).await;
    let session = recording.session(Principal::local()).unwrap();
    for _ in 0..3 {
        value(&session, "SELECT count(*) FROM s.t WHERE b < 100").await;
    }
    value(&session, "SELECT count(*) FROM s.t WHERE a = 7").await;
    value(&session, "CREATE VIEW gone AS SELECT a AS x FROM s.t").await;
    value(&session, "SELECT count(*) FROM gone WHERE x > 5").await;
    let queries = ObservedQueries::Audit(audit);
    let report =
        lay_out(&lake.session().await, "s.t", &LayoutOptions { queries, ..options(LayoutOrder::Observed) })
            .await
            .unwrap();
    assert_eq!(report.order, "sorted by b, a");
    let gains: Vec<_> = report.queries.iter().map(|query| (query.times, query.before, query.after)).collect();
    assert_eq!(gains, [(1, (1, 1), (1, 20)), (3, (1, 1), (1, 20))]);
    assert!(report.not_understood >= 1, "the view is gone");
}
