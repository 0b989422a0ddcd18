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
    /// A folder that is no table that Tithe reads: Delta, mixed, or without data files. A query on it says which.
    Unreadable,
}

impl TableFormat {
    /// The format that a file's name promises; `None` for a file that is not data.
    pub(crate) fn of_file(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let bare = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        if bare.ends_with(".jsonl") || bare.ends_with(".ndjson") {
            return Some(Self::JsonLines);
        }
        match name.rsplit_once('.')?.1 {
            "parquet" => Some(Self::Parquet),
            "txt" | "html" | "htm" => Some(Self::Text),
            _ => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::TableFormat;

    #[test]
    fn formats_by_name() {
        let check = |name: &str, expected: Option<TableFormat>| {
            assert_eq!(TableFormat::of_file(name), expected, "{name}");
        };
        check("part-0.parquet", Some(TableFormat::Parquet));
        check("PART.PARQUET", Some(TableFormat::Parquet));
        check("a.jsonl", Some(TableFormat::JsonLines));
        check("a.ndjson.gz", Some(TableFormat::JsonLines));
        check("a.jsonl.zst", Some(TableFormat::JsonLines));
        check("網頁.html", Some(TableFormat::Text));
        check("a.htm", Some(TableFormat::Text));
        check("a.txt", Some(TableFormat::Text));
        check("a.txt.gz", None);
        check("a.csv", None);
        check("README", None);
    }
}
