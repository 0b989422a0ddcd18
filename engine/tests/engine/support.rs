//! A small lake in a temporary directory, and short ways to ask it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use parquet::arrow::ArrowWriter;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tithe_engine::{Engine, EngineError, EngineOptions, Principal, Session, SessionOptions};

pub(crate) struct TestLake {
    directory: TempDir,
}

impl TestLake {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn parquet(&self, name: &str, columns: &[(&str, ArrayRef)]) {
        self.parquet_of(name, &RecordBatch::try_from_iter(columns.iter().cloned()).unwrap());
    }

    /// A Parquet file whose columns may all be NULL, whether or not one is.
    pub(crate) fn nullable(&self, name: &str, columns: &[(&str, ArrayRef)]) {
        let columns = columns.iter().map(|(name, column)| (*name, Arc::clone(column), true));
        self.parquet_of(name, &RecordBatch::try_from_iter_with_nullable(columns).unwrap());
    }

    fn parquet_of(&self, name: &str, batch: &RecordBatch) {
        let mut writer =
            ArrowWriter::try_new(File::create(self.path(name)).unwrap(), batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
    }

    /// A Parquet file with the one column `n`.
    pub(crate) fn numbers(&self, name: &str, numbers: &[i64]) {
        self.parquet(name, &[("n", int64(numbers))]);
    }

    pub(crate) async fn engine(&self, options: EngineOptions) -> Arc<Engine> {
        let lake = Some(self.root().to_str().unwrap().parse().unwrap());
        Engine::open(EngineOptions { lake, ..options }).await.unwrap()
    }

    pub(crate) async fn session(&self) -> Session {
        self.engine(EngineOptions::default()).await.session(Principal::local()).unwrap()
    }

    /// A session whose queries are cut into so many parts, and may hold so many bytes.
    pub(crate) async fn session_within(&self, partitions: usize, memory_limit: Option<usize>) -> Session {
        let options =
            EngineOptions { target_partitions: Some(partitions), memory_limit, ..EngineOptions::default() };
        self.engine(options).await.session(Principal::local()).unwrap()
    }

    pub(crate) async fn read_only(&self) -> Session {
        let engine = self.engine(EngineOptions::default()).await;
        engine
            .session_with(Principal::local(), SessionOptions { read_only: true, ..SessionOptions::default() })
            .unwrap()
    }
}

/// Numbers that scatter, the same in every run: splitmix64 from its seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % end
    }

    pub(crate) fn one_of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A number below 2^20 that is the same for the same row and salt, and otherwise anything.
pub(crate) fn mixed(row: i64, salt: i64) -> i64 {
    let mixed = row.wrapping_add(salt).wrapping_mul(0x9e37_79b9).rotate_left(17).wrapping_mul(0x85eb_ca6b);
    (mixed ^ (mixed >> 13)).rem_euclid(1 << 20)
}

pub(crate) fn int64(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

pub(crate) fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(crate) async fn ask(session: &Session, sql: &str) -> Result<String, EngineError> {
    let query = session.query(sql).await?;
    let batches = query.collect().await?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

/// The rows of `sql`, as a table.
pub(crate) async fn table(session: &Session, sql: &str) -> String {
    ask(session, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// How `sql` would be run.
pub(crate) async fn plan(session: &Session, sql: &str) -> String {
    table(session, &format!("EXPLAIN {sql}")).await
}

/// The one value of `sql`.
pub(crate) async fn value(session: &Session, sql: &str) -> String {
    let rows = table(session, sql).await;
    rows.lines().nth(3).unwrap_or_default().trim_matches(['|', ' ']).to_owned()
}

pub(crate) async fn error(session: &Session, sql: &str) -> EngineError {
    match ask(session, sql).await {
        Ok(rows) => panic!("{sql} gave\n{rows}"),
        Err(error) => error,
    }
}

/// The message of the error of `sql`.
pub(crate) async fn message(session: &Session, sql: &str) -> String {
    error(session, sql).await.to_string()
}

/// The metric `name` in a line of `EXPLAIN ANALYZE`.
pub(crate) fn metric(line: &str, name: &str) -> f64 {
    let (_before, value) = line.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("{name}: {line}"));
    let (value, _after) = value.split_once([',', ']']).unwrap_or((value, ""));
    let (number, unit) = value.trim().split_once(' ').unwrap_or((value, ""));
    let unit = match unit.trim() {
        "" => 1.0,
        "K" => 1e3,
        "M" => 1e6,
        other => panic!("{other}: {line}"),
    };
    number.trim().parse::<f64>().unwrap() * unit
}

/// How many queries ran on workers.
pub(crate) fn queries_on_workers(engine: &Engine) -> u32 {
    let mut metrics = Registry::default();
    engine.register_metrics(&mut metrics);
    let mut text = String::new();
    encode(&mut text, &metrics).unwrap();
    let ran = text.lines().find_map(|line| line.strip_prefix("cluster_queries_total "));
    ran.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}
