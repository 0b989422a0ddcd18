use std::path::{Path, PathBuf};

use crate::options::{LARGEST_SCALE, SMALLEST_SCALE};

/// Why a lake could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The scale is no number, not positive, or out of bounds.
    #[error(
        "scale {scale} is out of bounds: give a number from {SMALLEST_SCALE} to {LARGEST_SCALE} (1 is ten million invoices)"
    )]
    Scale {
        /// The scale asked for.
        scale: f64,
    },
    /// A thread count of zero.
    #[error("a lake cannot be generated with 0 threads: give at least 1, or none to use all cores")]
    Threads,
    /// A table of that name is there already.
    #[error("table {schema}.{table} already exists at {}: choose another directory or replace it with --overwrite", path.display())]
    TableExists {
        /// Its schema.
        schema: String,
        /// Its name.
        table: String,
        /// Its directory.
        path: PathBuf,
    },
    /// Another run writes into the same lake.
    #[error("another run is writing to {}: wait for it or choose another directory", out.display())]
    Busy {
        /// The lake's directory.
        out: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}; check that the place is writable and has room", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A Parquet file could not be written.
    #[error("cannot write Parquet file {}: {source}; check that the place is writable and has room", path.display())]
    Parquet {
        /// Where.
        path: PathBuf,
        /// What the writer said.
        source: parquet::errors::ParquetError,
    },
    /// Rows could not be put into columns.
    #[error("cannot form the columns of {}: {source}", path.display())]
    Columns {
        /// The file they were for.
        path: PathBuf,
        /// What went wrong.
        source: arrow::error::ArrowError,
    },
    /// A document could not be written as JSON.
    #[error("cannot write a document to {}: {source}", path.display())]
    Json {
        /// Where.
        path: PathBuf,
        /// What went wrong.
        source: serde_json::Error,
    },
    /// The threads could not be started.
    #[error("cannot start the worker threads: {source}")]
    ThreadPool {
        /// What went wrong.
        source: rayon::ThreadPoolBuildError,
    },
}

impl GenerateError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        move |source| Self::Parquet { path: path.to_owned(), source }
    }
}
