//! What a generated lake must keep, checked on the smallest useful one.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tempfile::TempDir;
use tithe_data_gen::{
    GenerateError, GenerateOptions, Progress, Silent, TableSummary, generate, generate_real,
};

fn options(out: &Path, seed: u64) -> GenerateOptions {
    GenerateOptions { scale: 0.001, seed, out: out.to_owned(), threads: Some(2), overwrite: false }
}

struct Lake {
    folder: TempDir,
    tables: Vec<TableSummary>,
}

static LAKE: LazyLock<Lake> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let tables = generate(&options(folder.path(), 42), &Silent).unwrap();
    Lake { folder, tables }
});

fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Every file with its bytes, and for pages the time of change.
fn contents(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, Option<std::time::SystemTime>)> {
    files_below(root)
        .into_iter()
        .map(|path| {
            let modified = path
                .to_string_lossy()
                .contains("page_raw")
                .then(|| path.metadata().unwrap().modified().unwrap());
            (path.strip_prefix(root).unwrap().to_owned(), (fs::read(&path).unwrap(), modified))
        })
        .collect()
}

/// All batches of a table, with the value of its partition.
fn batches(table: &str) -> Vec<(String, RecordBatch)> {
    files_below(&LAKE.folder.path().join(table))
        .into_iter()
        .flat_map(|path| {
            let period = path
                .components()
                .find_map(|part| part.as_os_str().to_str()?.strip_prefix("period=").map(str::to_owned))
                .unwrap_or_default();
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap())
                .unwrap()
                .build()
                .unwrap();
            reader.map(move |batch| (period.clone(), batch.unwrap())).collect::<Vec<_>>()
        })
        .collect()
}

fn text<'a>(batch: &'a RecordBatch, column: &str, row: usize) -> Option<&'a str> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.is_valid(row).then(|| column.value(row))
}

fn amount(batch: &RecordBatch, column: &str, row: usize) -> i64 {
    batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().value(row)
}

fn each(table: &str, mut visit: impl FnMut(&str, &RecordBatch, usize)) {
    for (period, batch) in batches(table) {
        (0..batch.num_rows()).for_each(|row| visit(&period, &batch, row));
    }
}

fn json_lines(table: &str) -> Vec<Value> {
    files_below(&LAKE.folder.path().join(table))
        .iter()
        .flat_map(|path| {
            let mut text = String::new();
            let file = File::open(path).unwrap();
            if path.extension().is_some_and(|extension| extension == "gz") {
                flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
            } else {
                File::open(path).unwrap().read_to_string(&mut text).unwrap();
            }
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
        })
        .collect()
}

fn rows(table: &str) -> u64 {
    let summary = LAKE.tables.iter().find(|t| format!("{}/{}", t.schema, t.table) == table);
    summary.unwrap_or_else(|| panic!("{table} is missing")).rows
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    let expected = contents(LAKE.folder.path());
    for threads in [1, 4] {
        let folder = TempDir::new().unwrap();
        generate(&GenerateOptions { threads: Some(threads), ..options(folder.path(), 42) }, &Silent).unwrap();
        let found = contents(folder.path());
        assert!(expected.keys().eq(found.keys()));
        for (path, content) in &found {
            assert!(expected[path] == *content, "{} differs with {threads} threads", path.display());
        }
    }
}

#[test]
fn another_seed_gives_other_data() {
    let folder = TempDir::new().unwrap();
    generate(&options(folder.path(), 43), &Silent).unwrap();
    for table in
        ["tax/taxpayer", "invoice/header/period=11302", "truth/creator_income", "tax/revenue_monthly"]
    {
        let file = format!("{table}/part-00000.parquet");
        assert!(
            fs::read(folder.path().join(&file)).unwrap() != fs::read(LAKE.folder.path().join(&file)).unwrap(),
            "{table}"
        );
    }
}

#[test]
fn scale_sets_the_number_of_rows() {
    for (table, expected) in [
        ("invoice/header", 10_000),
        ("tax/taxpayer", 200),
        ("third_party/channel_raw", 20),
        ("truth/link", 20),
        ("truth/creator_income", 40),
        ("ref/county", 22),
        ("ref/bureau", 5),
        ("tax/revenue_monthly", 20 * 22 * 180),
        ("real/tw_tax_monthly", 19_764),
    ] {
        assert_eq!(rows(table), expected, "{table}");
    }
    assert_eq!(rows("third_party/video_raw") + rows("third_party/post_raw"), 400);
    assert!((28_000..32_000).contains(&rows("invoice/item")), "{}", rows("invoice/item"));
    assert_eq!(files_below(&LAKE.folder.path().join("invoice/header")).len(), 12);
}

#[test]
fn the_summary_counts_what_is_in_the_files() {
    for summary in &LAKE.tables {
        let table = format!("{}/{}", summary.schema, summary.table);
        let files = files_below(&LAKE.folder.path().join(&table));
        assert_eq!(summary.files, files.len() as u64, "{table}");
        assert_eq!(
            summary.bytes,
            files.iter().map(|file| file.metadata().unwrap().len()).sum::<u64>(),
            "{table}"
        );
        let found = match files[0].to_string_lossy() {
            name if name.ends_with(".parquet") => {
                batches(&table).iter().map(|(_, batch)| batch.num_rows() as u64).sum()
            }
            name if name.contains(".jsonl") => json_lines(&table).len() as u64,
            _ => files.len() as u64,
        };
        assert_eq!(summary.rows, found, "{table}");
    }
    let lake: Value =
        serde_json::from_slice(&fs::read(LAKE.folder.path().join("_lake.json")).unwrap()).unwrap();
    assert_eq!(lake["seed"], 42);
    assert_eq!(lake["synthetic"], true);
    assert_eq!(lake["tables"].as_array().unwrap().len(), LAKE.tables.len());
}

#[test]
fn lines_add_up_to_their_invoice() {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    each("invoice/item", |_, batch, row| {
        let product =
            |column: &str| batch.column_by_name(column).unwrap().as_primitive::<Decimal128Type>().value(row);
        let amount = amount(batch, "amount", row);
        let exact = product("quantity") * product("unit_price");
        assert!((exact - i128::from(amount) * 100_000_000_000_000).abs() <= 50_000_000_000_000);
        *sums.entry(text(batch, "invoice_number", row).unwrap().to_owned()).or_default() += amount;
    });
    let mut headers = 0;
    each("invoice/header", |_, batch, row| {
        headers += 1;
        let number = text(batch, "invoice_number", row).unwrap();
        let (sales, tax) = (amount(batch, "sales_amount", row), amount(batch, "tax_amount", row));
        assert_eq!(sums.get(number), Some(&sales), "{number}");
        assert_eq!(amount(batch, "total_amount", row), sales + tax);
        let taxed = text(batch, "tax_kind", row) == Some("1") && text(batch, "buyer_ban", row).is_some();
        assert_eq!(tax, if taxed { (sales + 10) / 20 } else { 0 }, "{number}");
        let flag = |column: &str| batch.column_by_name(column).unwrap().as_boolean().value(row);
        let carrier = text(batch, "carrier_type", row).is_some();
        assert_eq!(flag("printed"), !carrier && !flag("donated"), "{number}");
    });
    assert_eq!(sums.len(), headers, "no invoice number twice, none without lines");
}

#[test]
fn headers_are_sorted_by_seller_and_date() {
    let mut last = (String::new(), String::new(), 0);
    each("invoice/header", |period, batch, row| {
        let day = batch.column_by_name("invoice_date").unwrap().as_primitive::<Date32Type>().value(row);
        let key = (period.to_owned(), text(batch, "seller_ban", row).unwrap().to_owned(), day);
        assert!(last <= key, "{key:?} after {last:?}");
        last = key;
    });
}

#[test]
fn invoices_add_up_to_the_returns_except_where_somebody_evades() {
    #[derive(Default, Clone, Copy, PartialEq, Debug)]
    struct Sums {
        sales: i64,
        tax: i64,
        consumers: i64,
        zero_rated: i64,
        input_tax: i64,
    }
    let mut sums: BTreeMap<(String, String), Sums> = BTreeMap::new();
    each("invoice/header", |period, batch, row| {
        let (sales, tax) = (amount(batch, "sales_amount", row), amount(batch, "tax_amount", row));
        let buyer = text(batch, "buyer_ban", row);
        let seller = text(batch, "seller_ban", row).unwrap();
        let seller = sums.entry((seller.to_owned(), period.to_owned())).or_default();
        match (text(batch, "tax_kind", row).unwrap(), buyer) {
            ("1", Some(_)) => (seller.sales, seller.tax) = (seller.sales + sales, seller.tax + tax),
            ("1", None) => seller.consumers += sales,
            ("2", _) => seller.zero_rated += sales,
            _ => {}
        }
        if let Some(buyer) = buyer {
            sums.entry((buyer.to_owned(), period.to_owned())).or_default().input_tax += tax;
        }
    });
    let mut evasion: BTreeMap<(String, String), (String, i64)> = BTreeMap::new();
    each("truth/vat_evasion", |_, batch, row| {
        let key =
            (text(batch, "ban", row).unwrap().to_owned(), text(batch, "period", row).unwrap().to_owned());
        let pattern = text(batch, "pattern", row).unwrap().to_owned();
        assert!(evasion.insert(key, (pattern, amount(batch, "hidden_sales", row))).is_none());
    });
    let mut filed = BTreeSet::new();
    each("tax/vat_return", |_, batch, row| {
        let key =
            (text(batch, "ban", row).unwrap().to_owned(), text(batch, "period", row).unwrap().to_owned());
        let sums = sums.get(&key).copied().unwrap_or_default();
        // Tax-inclusive sales at 20/21, rounded half up, in whole numbers.
        let net = (sums.consumers * 40 + 21) / 42;
        let hidden = evasion.get(&key).map_or(0, |(_, hidden)| *hidden);
        let output_tax = (sums.tax + sums.consumers - net - (hidden + 10) / 20).max(0);
        assert_eq!(amount(batch, "sales_amount", row), sums.sales + net - hidden, "{key:?}");
        assert_eq!(amount(batch, "output_tax", row), output_tax, "{key:?}");
        assert_eq!(amount(batch, "zero_rated_amount", row), sums.zero_rated, "{key:?}");
        assert_eq!(amount(batch, "input_tax", row), sums.input_tax, "{key:?}");
        assert_eq!(amount(batch, "tax_payable", row), (output_tax - sums.input_tax).max(0), "{key:?}");
        filed.insert(key);
    });
    for (key, sums) in &sums {
        let vanished = evasion.get(key).is_some_and(|(pattern, _)| pattern == "missing_trader");
        assert_eq!(filed.contains(key), !vanished, "{key:?}");
        assert!(!vanished || sums.input_tax == 0, "{key:?} buys nothing");
    }
    let patterns: BTreeSet<&str> = evasion.values().map(|(pattern, _)| pattern.as_str()).collect();
    assert_eq!(patterns, BTreeSet::from(["missing_trader", "ring", "under_report"]));
}

#[test]
fn rings_close() {
    let mut members = BTreeMap::<String, BTreeSet<String>>::new();
    each("truth/vat_evasion", |_, batch, row| {
        if text(batch, "pattern", row) == Some("ring") {
            let period = text(batch, "period", row).unwrap().to_owned();
            members.entry(period).or_default().insert(text(batch, "ban", row).unwrap().to_owned());
        }
    });
    let mut sold: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    each("invoice/header", |period, batch, row| {
        let seller = text(batch, "seller_ban", row).unwrap().to_owned();
        if let Some(buyer) = text(batch, "buyer_ban", row) {
            *sold.entry((period.to_owned(), seller, buyer.to_owned())).or_default() +=
                amount(batch, "sales_amount", row);
        }
    });
    assert!(members.len() >= 2, "a ring lasts at least two periods");
    for (period, members) in &members {
        for member in members {
            let outlets = members
                .iter()
                .filter(|other| {
                    sold.get(&(period.clone(), member.clone(), (*other).clone()))
                        .is_some_and(|&s| s > 300_000)
                })
                .count();
            assert!(outlets >= 1, "{member} sells to nobody in its ring in {period}");
        }
    }
}

#[test]
fn numbers_lie_in_the_sellers_blocks_and_only_the_missing_are_gone() {
    let mut used: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut take = |key: (&str, &str), number: &str| {
        let set = used.entry((key.0.to_owned(), key.1.to_owned())).or_default();
        assert!(set.insert(number.to_owned()), "{number} twice");
    };
    each("invoice/header", |period, batch, row| {
        take((text(batch, "seller_ban", row).unwrap(), period), text(batch, "invoice_number", row).unwrap());
    });
    each("truth/invoice_missing", |_, batch, row| {
        let key = (text(batch, "ban", row).unwrap(), text(batch, "period", row).unwrap());
        take(key, text(batch, "invoice_number", row).unwrap());
    });
    let mut allotted = 0;
    each("invoice/allotment", |_, batch, row| {
        allotted += 1;
        let key = (
            text(batch, "seller_ban", row).unwrap().to_owned(),
            text(batch, "period", row).unwrap().to_owned(),
        );
        let used = &used[&key];
        let number = |column: &str| text(batch, column, row).unwrap()[2..].parse::<usize>().unwrap();
        assert_eq!(used.first().map(String::as_str), text(batch, "first_number", row));
        assert_eq!(used.last().map(String::as_str), text(batch, "last_used_number", row));
        assert_eq!(used.len(), number("last_used_number") - number("first_number") + 1, "{key:?}");
        assert_eq!((number("last_number") - number("first_number") + 1) % 50, 0, "{key:?}");
    });
    assert_eq!(allotted, used.len());
}

#[test]
fn identifiers_are_valid_and_marked_as_synthetic() {
    fn ban_sum(ban: &str) -> u32 {
        let weights = [1, 2, 1, 2, 1, 2, 4, 1];
        let products = ban.chars().zip(weights).map(|(digit, weight)| digit.to_digit(10).unwrap() * weight);
        products.map(|product| product / 10 + product % 10).sum()
    }
    fn id_sum(id: &str) -> u32 {
        let (letter, digits) = id.split_at(1);
        let value = match letter {
            "L" => 20,
            "R" => 25,
            "S" => 26,
            "Y" => 31,
            other => panic!("{other} is still issued"),
        };
        let weights = [8, 7, 6, 5, 4, 3, 2, 1, 1];
        let digits = digits.chars().zip(weights).map(|(digit, weight)| digit.to_digit(10).unwrap() * weight);
        value / 10 + value % 10 * 9 + digits.sum::<u32>()
    }
    let april_2023 = 19_448;
    let (mut people, mut businesses, mut ids) = (0, 0, BTreeSet::new());
    each("tax/taxpayer", |_, batch, row| {
        assert!(batch.column_by_name("synthetic").unwrap().as_boolean().value(row));
        let registered_on =
            batch.column_by_name("registered_on").unwrap().as_primitive::<Date32Type>().value(row);
        match (text(batch, "kind", row).unwrap(), text(batch, "ban", row), text(batch, "national_id", row)) {
            ("business", Some(ban), None) => {
                businesses += 1;
                assert!(ban.starts_with('9'), "{ban}");
                assert_eq!(ban_sum(ban) % 10, if registered_on < april_2023 { 0 } else { 5 }, "{ban}");
                assert!(ids.insert(ban.to_owned()));
            }
            ("individual", None, Some(id)) => {
                people += 1;
                assert_eq!(id_sum(id) % 10, 0, "{id}");
                assert!(ids.insert(id.to_owned()));
            }
            other => panic!("{other:?}"),
        }
    });
    assert_eq!((people, businesses), (160, 40));
}

#[test]
fn creators_incomes_agree_across_tables() {
    let mut declared: BTreeMap<(String, i32), i64> = BTreeMap::new();
    each("truth/creator_income", |_, batch, row| {
        let parts = ["ads", "sponsorship", "donations", "group_buy", "other"];
        let total: i64 = parts.iter().map(|part| amount(batch, part, row)).sum();
        assert_eq!(amount(batch, "total", row), total);
        let year = batch.column_by_name("year").unwrap().as_primitive::<Int32Type>().value(row);
        let key = (text(batch, "taxpayer_id", row).unwrap().to_owned(), year);
        declared.insert(key, amount(batch, "declared", row));
    });
    let mut compared = 0;
    each("tax/income_return", |_, batch, row| {
        let year = batch.column_by_name("year").unwrap().as_primitive::<Int32Type>().value(row);
        let key = (text(batch, "taxpayer_id", row).unwrap().to_owned(), year);
        let expected = declared.get(&key).copied().unwrap_or(0);
        compared += usize::from(expected > 0);
        assert_eq!(amount(batch, "declared_creator_income", row), expected, "{key:?}");
        assert!(amount(batch, "total_income", row) >= expected);
    });
    assert_eq!(compared, declared.values().filter(|&&d| d > 0).count());
    each("tax/withholding", |_, batch, row| {
        let (gross, withheld) = (amount(batch, "gross_amount", row), amount(batch, "withheld_amount", row));
        if matches!(text(batch, "code", row), Some("9A" | "9B")) {
            assert_eq!(withheld, if gross > 20_000 { gross / 10 } else { 0 });
        }
    });
}

#[test]
fn documents_belong_to_channels() {
    let channels = json_lines("third_party/channel_raw");
    let ids: BTreeSet<&str> = channels.iter().map(|channel| channel["id"].as_str().unwrap()).collect();
    let handles: BTreeSet<&str> =
        channels.iter().map(|channel| channel["snippet"]["customUrl"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), handles.len()), (20, 20));
    for channel in &channels {
        assert!(channel["id"].as_str().unwrap().starts_with("UC"));
        assert!(channel["statistics"]["viewCount"].is_string());
        let hidden = channel["statistics"]["hiddenSubscriberCount"].as_bool().unwrap();
        assert_eq!(channel["statistics"]["subscriberCount"].is_null(), hidden);
    }
    let videos = json_lines("third_party/video_raw");
    for video in &videos {
        assert!(ids.contains(video["snippet"]["channelId"].as_str().unwrap()));
        assert!(video["statistics"]["viewCount"].as_str().unwrap().parse::<i64>().unwrap() >= 0);
        assert!(video["collected_at"].is_string());
    }
    let mut shapes = BTreeSet::new();
    for post in json_lines("third_party/post_raw") {
        let owner = post["owner"]["username"].as_str().or(post["author"]["uniqueId"].as_str());
        assert!(handles.contains(owner.unwrap()));
        shapes.insert(post["caption"].is_string());
    }
    assert_eq!(shapes.len(), 2, "both shapes of posts occur");
    let known: BTreeSet<String> =
        videos.iter().map(|video| video["id"].as_str().unwrap().to_owned()).collect();
    let mut sponsored = 0;
    each("truth/document", |_, batch, row| {
        let video = text(batch, "kind", row) != Some("post");
        assert_eq!(known.contains(text(batch, "document_id", row).unwrap()), video);
        sponsored += i32::from(batch.column_by_name("sponsored").unwrap().as_boolean().value(row));
    });
    assert!((20..300).contains(&sponsored), "{sponsored}");
}

#[test]
fn pages_come_in_two_encodings() {
    let (mut utf8, mut big5) = (0, 0);
    for path in files_below(&LAKE.folder.path().join("third_party/page_raw")) {
        let bytes = fs::read(&path).unwrap();
        let text = match String::from_utf8(bytes) {
            Ok(text) => {
                utf8 += 1;
                text
            }
            Err(error) => {
                big5 += 1;
                let bytes = error.into_bytes();
                let (text, _, broken) = encoding_rs::BIG5.decode(&bytes);
                assert!(!broken, "{}", path.display());
                text.into_owned()
            }
        };
        assert!(text.contains("統一編號："), "{}: {text}", path.display());
        assert!(!text.contains(['{', '}']) || path.extension().is_some_and(|e| e == "html"), "{text}");
    }
    assert!(utf8 > 0 && big5 > 0, "{utf8} in UTF-8, {big5} in Big5");
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let folder = TempDir::new().unwrap();
    let left = folder.path().join(".incomplete-gen/tax/taxpayer");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("part-00000.parquet"), b"PAR1").unwrap();
    generate(&options(folder.path(), 42), &Silent).unwrap();
    let names: BTreeSet<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = ["_lake.json", "income", "invoice", "real", "ref", "tax", "third_party", "truth"];
    assert!(names.iter().eq(expected.iter()), "{names:?}");
    assert!(contents(folder.path()) == contents(LAKE.folder.path()));
}

#[test]
fn tables_are_replaced_only_on_request() {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("tax/taxpayer");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("mine.parquet"), b"mine").unwrap();
    let bystander = folder.path().join("other/table");
    fs::create_dir_all(&bystander).unwrap();
    let error = generate(&options(folder.path(), 42), &Silent).unwrap_err();
    assert!(matches!(&error, GenerateError::TableExists { table, .. } if table == "taxpayer"));
    assert!(
        error.to_string().contains("tax.taxpayer") && error.to_string().contains("--overwrite"),
        "{error}"
    );
    assert_eq!(fs::read(own.join("mine.parquet")).unwrap(), b"mine");
    generate(&GenerateOptions { overwrite: true, ..options(folder.path(), 42) }, &Silent).unwrap();
    assert!(!own.join("mine.parquet").exists() && own.join("part-00000.parquet").exists());
    assert!(bystander.exists() && !folder.path().join(".incomplete-gen").exists());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"not a directory").unwrap();
    let error = generate(&options(&file.join("lake"), 42), &Silent).unwrap_err();
    assert!(error.to_string().starts_with("cannot create directory"), "{error}");
    assert!(error.to_string().contains("file/lake"), "{error}");
}

#[test]
fn two_runs_do_not_write_to_one_lake() {
    let folder = TempDir::new().unwrap();
    let lock = File::create(folder.path().join(".incomplete-gen.lock")).unwrap();
    lock.lock().unwrap();
    let error = generate(&options(folder.path(), 42), &Silent).unwrap_err();
    assert!(matches!(error, GenerateError::Busy { .. }), "{error}");
}

#[test]
fn nonsense_options_leave_no_trace() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("lake");
    for scale in [0.0, -1.0, f64::NAN, 1e6] {
        let error = generate(&GenerateOptions { scale, ..options(&out, 42) }, &Silent).unwrap_err();
        assert!(matches!(error, GenerateError::Scale { .. }), "{error}");
    }
    let error = generate(&GenerateOptions { threads: Some(0), ..options(&out, 42) }, &Silent).unwrap_err();
    assert!(matches!(error, GenerateError::Threads), "{error}");
    assert!(!out.exists());
}

#[test]
fn the_published_series_can_be_written_alone() {
    let folder = TempDir::new().unwrap();
    let tables = generate_real(folder.path(), false).unwrap();
    let names: Vec<&str> = tables.iter().map(|table| table.table.as_str()).collect();
    assert_eq!(names, ["br_tax_monthly", "phl_wage_tax_monthly", "tw_tax_monthly"]);
    assert!(matches!(generate_real(folder.path(), false), Err(GenerateError::TableExists { .. })));
    generate_real(folder.path(), true).unwrap();
    assert!(!folder.path().join("_lake.json").exists());
}

#[test]
fn progress_reaches_its_total() {
    #[derive(Default)]
    struct Count {
        total: AtomicU64,
        done: AtomicU64,
        finished: AtomicU64,
    }
    impl Progress for Count {
        fn start(&self, total_units: u64) {
            self.total.store(total_units, Ordering::Relaxed);
        }
        fn advance(&self, units: u64, _table: &str) {
            self.done.fetch_add(units, Ordering::Relaxed);
        }
        fn finish(&self) {
            self.finished.fetch_add(1, Ordering::Relaxed);
        }
    }
    let folder = TempDir::new().unwrap();
    let count = Count::default();
    generate(&options(folder.path(), 1), &count).unwrap();
    assert_eq!(count.total.load(Ordering::Relaxed), 10_200);
    assert_eq!(count.done.load(Ordering::Relaxed), 10_200);
    assert_eq!(count.finished.load(Ordering::Relaxed), 1);
}

#[test]
fn misleading_keys_point_to_others_and_agencies_are_marked() {
    let mut owners = BTreeMap::new();
    each("truth/link", |_, batch, row| {
        let (channel, owner) = (text(batch, "channel_id", row), text(batch, "taxpayer_id", row));
        owners.insert(channel.unwrap().to_owned(), owner.unwrap().to_owned());
    });
    let mut misleading = 0;
    each("truth/misleading_key", |_, batch, row| {
        let owner = &owners[text(batch, "channel_id", row).unwrap()];
        assert_ne!(owner, text(batch, "taxpayer_id", row).unwrap());
        misleading += 1;
    });
    assert!(misleading > 0);
    let mut agencies = BTreeSet::new();
    each("ref/agency", |_, batch, row| {
        assert!(text(batch, "ban", row).unwrap().starts_with('5'));
        agencies.insert(text(batch, "agency_id", row).unwrap().to_owned());
    });
    each("truth/agency", |_, batch, row| {
        assert!(owners.contains_key(text(batch, "channel_id", row).unwrap()));
        assert!(agencies.contains(text(batch, "agency_id", row).unwrap()));
    });
    assert_eq!(rows("tax/business_owner"), 40);
}
