//! What a layout did, and what it is worth.

use std::time::Duration;

/// Is told how a layout goes.
pub trait LayoutProgress: Send + Sync {
    /// It begins: so many partitions in all, and those that lie so already.
    fn begins(&self, partitions: usize, there: usize);
    /// Another partition is done.
    fn done(&self, partition: &str, rows: u64);
    /// Everything is in force; the old files are kept for so long.
    fn waits(&self, rest: Duration);
}

/// What a table's files come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LayoutTotals {
    /// Files.
    pub files: usize,
    /// Row groups in them.
    pub row_groups: usize,
    /// Bytes of the files.
    pub bytes: u64,
}

/// How one column is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnLayout {
    /// Its name.
    pub column: String,
    /// Parquet's name of its encoding.
    pub encoding: String,
    /// Its compression, with the level.
    pub compression: String,
    /// Whether it has a bloom filter.
    pub bloom_filter: bool,
    /// Bytes of the sample in this form.
    pub sample_bytes: usize,
    /// How long the sample took to decode.
    pub sample_decode: Duration,
}

/// What the layout is worth to one query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryGain {
    /// The statement.
    pub sql: String,
    /// How often it was asked.
    pub times: u64,
    /// Row groups that it looks at, of all, before.
    pub before: (usize, usize),
    /// The same after.
    pub after: (usize, usize),
    /// How long it took before and after, the best of three, where that was measured.
    pub measured: Option<(Duration, Option<Duration>)>,
}

/// What a layout did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LayoutReport {
    /// The order of the rows, in words.
    pub order: String,
    /// What each of its columns counted among the queries, where it was chosen; empty where it was given.
    pub because: String,
    /// Partitions of the table, which has one if its files lie in no folders.
    pub partitions: usize,
    /// Those that lay so before.
    pub there: usize,
    /// Rows of the table.
    pub rows: u64,
    /// The files before.
    pub before: LayoutTotals,
    /// The files after.
    pub after: LayoutTotals,
    /// How the columns were written; empty where nothing was.
    pub columns: Vec<ColumnLayout>,
    /// What it is worth to the observed queries.
    pub queries: Vec<QueryGain>,
    /// Statements of the audit that are not understood any more.
    pub not_understood: usize,
}
