//! What kind of table a folder is, told by the files in it.

/// How a table's rows are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// `*.parquet`, hive partitions as columns.
    Parquet,
    /// `*.jsonl` or `*.ndjson`, also `.gz` and `.zst`.
    JsonLines,
    /// `*.txt`, `*.html`: one row a file.
    Text,
    /// Made by `CREATE VIEW` or `CREATE EXTERNAL TABLE` in this session.
    Temporary,
}

/// A table's name and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Schema.
    pub schema: String,
    /// Name within the schema.
    pub table: String,
    /// Storage.
    pub format: TableFormat,
}
