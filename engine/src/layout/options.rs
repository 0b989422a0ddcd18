//! What is asked of a layout.

use std::path::PathBuf;
use std::time::Duration;

/// In which order a table's rows are to lie.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LayoutOrder {
    /// By the columns that observed queries filter by; as they lie where none do.
    #[default]
    Observed,
    /// By these columns, the first one foremost, NULL last.
    Columns(Vec<String>),
    /// By these columns within each row group, whose rows are those that lay together before.
    WithinRowGroups(Vec<String>),
    /// Near each other where they are near in all of these columns.
    ZOrder(Vec<String>),
}

/// Which queries are asked of the table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ObservedQueries {
    /// Nobody says.
    #[default]
    None,
    /// These statements, all of which must be understood, and one be a query on the table.
    Statements(Vec<String>),
    /// Those on record in an audit directory that name the table; what is not understood any more is left out.
    Audit(PathBuf),
}

/// How a table is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutOptions {
    /// The order of the rows.
    pub order: LayoutOrder,
    /// What is asked of the table.
    pub queries: ObservedQueries,
    /// Columns that get a bloom filter, beside those that queries suggest.
    pub bloom_filters: Vec<String>,
    /// Bytes of a file. A file ends with a row group, so it may be smaller or larger by half of one.
    pub target_file_size: u64,
    /// Rows of a row group.
    pub row_group_rows: usize,
    /// How long files that were replaced are kept for the queries that read them.
    pub grace: Duration,
    /// Do everything but keep it.
    pub dry_run: bool,
    /// Run the observed queries before and after.
    pub measure: bool,
    /// Lay out partitions anew that lie so already.
    pub force: bool,
}

impl Default for LayoutOptions {
    fn default() -> Self {
        Self {
            order: LayoutOrder::default(),
            queries: ObservedQueries::default(),
            bloom_filters: Vec::new(),
            target_file_size: 128 << 20,
            row_group_rows: 128 << 10,
            grace: Duration::from_secs(60),
            dry_run: false,
            measure: false,
            force: false,
        }
    }
}
