//! The formats of a result, and which one a file name asks for.

use std::path::Path;

use clap::ValueEnum;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for reading; shows the first rows
    Table,
    /// Comma-separated values with a header
    Csv,
    /// One array of objects
    Json,
    /// One object a line
    #[value(alias = "jsonl")]
    Ndjson,
    /// A table for documents
    #[value(alias = "md")]
    Markdown,
    /// Arrow IPC: a file with --output, a stream on standard output
    Arrow,
    /// Parquet, compressed with zstd
    Parquet,
}

impl Format {
    /// The format that the file's extension names.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "txt" => Self::Table,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "md" | "markdown" => Self::Markdown,
            "arrow" | "feather" | "ipc" => Self::Arrow,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }

    /// Whether the bytes are not text, and mean nothing to a terminal.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Markdown => "markdown",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<Format>) {
        assert_eq!(Format::of_path(Path::new(path)), expected, "{path}");
    }

    #[test]
    fn the_extension_names_the_format() {
        check("a/案件.CSV", Some(Format::Csv));
        check("x.y.jsonl", Some(Format::Ndjson));
        check("x.md", Some(Format::Markdown));
        check("x.feather", Some(Format::Arrow));
        check("x.parquet", Some(Format::Parquet));
        check("x.xlsx", None);
        check("parquet", None);
        check(".csv", None);
    }
}
