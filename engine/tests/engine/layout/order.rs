//! In which order the rows lie afterwards.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray,
};
use arrow::datatypes::{Field, Int32Type, Int64Type, Schema};
use insta::assert_snapshot;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tithe_engine::{EngineOptions, LayoutOptions, LayoutOrder, ObservedQueries, Principal};

use super::{footer, lay_out, notes, options, parquet_files, scattered, sorted_by};
use crate::support::{TestLake, int64, table, value};

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

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_together_stays_in_the_same_row_groups_where_more_would_be_lost() {
    let lake = TestLake::new();
    const ROWS: i64 = 200_000;
    let invoice = |n: i64| n / 3 * 7919 % 1_000_003;
    let numbers: Vec<i64> = (0..ROWS).collect();
    lake.parquet(
        "s/item/a.parquet",
        &[
            ("invoice", int64(&numbers.iter().map(|n| invoice(*n)).collect::<Vec<_>>())),
            ("kind", int64(&numbers.iter().map(|n| n * 7919 % 11).collect::<Vec<_>>())),
        ],
    );
    let session = lake.session().await;
    let kind = "SELECT count(*) FROM s.item WHERE kind = 5";
    let invoices = "SELECT count(*) FROM (SELECT invoice FROM s.item GROUP BY invoice)";
    let asked = |statements: &[&str], dry_run| LayoutOptions {
        queries: ObservedQueries::Statements(statements.iter().map(|sql| (*sql).to_owned()).collect()),
        dry_run,
        row_group_rows: 10_000,
        ..options(LayoutOrder::Observed)
    };
    let order = async |statements: &[&str]| {
        let report = lay_out(&session, "s.item", &asked(statements, true)).await.unwrap();
        (report.order, report.because)
    };
    assert_eq!(order(&[kind, kind, kind, invoices]).await.0, "sorted by kind");
    assert_eq!(order(&[invoices]).await.0, "sorted by invoice", "nothing else is asked for");
    assert_snapshot!(format!("{:?}", order(&[kind, invoices]).await), @r#"("sorted by kind within each row group", "kind 0.91, invoice, by which rows lie, -2.00")"#);

    let sums = "SELECT count(*), count(DISTINCT invoice), sum(invoice * 11 + kind) FROM s.item";
    let before = table(&session, sums).await;
    let report = lay_out(&session, "s.item", &asked(&[kind, invoices], false)).await.unwrap();
    assert_eq!((report.after.files, report.after.row_groups), (1, 20));
    assert_eq!(table(&session, sums).await, before);
    let files = parquet_files(&lake, "s/item");
    assert!(footer(&lake, &files[0]).1.row_group(0).sorting_columns().is_none(), "the file is not sorted");
    let file = File::open(lake.root().join(&files[0])).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(10_000);
    for (group, batch) in reader.build().unwrap().enumerate() {
        let batch = batch.unwrap();
        let column =
            |place| batch.column(place).as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec();
        let (mut invoices, kinds) = (column(0), column(1));
        assert!(kinds.is_sorted(), "{kinds:?}");
        invoices.sort_unstable();
        let first = i64::try_from(group).unwrap() * 10_000;
        let mut there: Vec<i64> = (first..first + 10_000).map(invoice).collect();
        there.sort_unstable();
        assert_eq!(invoices, there, "the rows of row group {group}");
    }
}
