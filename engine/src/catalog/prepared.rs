//! The files of whole tables as scans take them, with their statistics, kept for as long as the tables have these files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::Statistics;
use datafusion::datasource::listing::PartitionedFile;

use crate::catalog::listing::Listing;

/// Bytes that a file takes besides its statistics, roughly.
const FILE_BYTES: usize = 500;
/// Bytes that the statistics of a column of a file take, roughly.
const COLUMN_BYTES: usize = 450;

/// All files of one table.
#[derive(Debug)]
pub(super) struct PreparedFiles {
    listing: Arc<Listing>,
    /// In the order of the listing.
    pub(super) files: Vec<PartitionedFile>,
    /// Those of all files together.
    pub(super) statistics: Statistics,
}

impl PreparedFiles {
    pub(super) fn new(
        listing: &Arc<Listing>,
        files: Vec<PartitionedFile>,
        statistics: Statistics,
    ) -> Arc<Self> {
        Arc::new(Self { listing: Arc::clone(listing), files, statistics })
    }

    fn bytes(&self) -> usize {
        self.files.len() * (FILE_BYTES + self.statistics.column_statistics.len() * COLUMN_BYTES)
    }
}

/// Those of the tables of a lake.
#[derive(Debug, Default)]
pub(super) struct PreparedTables {
    known: Mutex<BTreeMap<String, Arc<PreparedFiles>>>,
}

impl PreparedTables {
    /// The files of `listing`, the one that the table called `table` has.
    pub(super) fn get(&self, table: &str, listing: &Arc<Listing>) -> Option<Arc<PreparedFiles>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(table).filter(|files| Arc::ptr_eq(&files.listing, listing)).cloned()
    }

    /// Keeps the files of `table` in the place of others of it, and then of other tables where all would take more than
    /// `most` bytes.
    pub(super) fn keep(&self, table: &str, files: Arc<PreparedFiles>, most: usize) {
        let bytes = files.bytes();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(table);
        if bytes > most {
            return;
        }
        while known.values().map(|files| files.bytes()).sum::<usize>() + bytes > most {
            known.pop_first();
        }
        known.insert(table.to_owned(), files);
    }
}

#[cfg(test)]
mod tests {
    use datafusion::common::stats::Precision;

    use super::*;
    use crate::catalog::TableFormat;

    fn files(count: usize) -> (Arc<Listing>, Arc<PreparedFiles>) {
        let listing = Arc::new(Listing {
            format: TableFormat::Parquet,
            partition_columns: Vec::new(),
            files: Vec::new(),
            rollups: Vec::new(),
        });
        let files = (0..count).map(|number| PartitionedFile::new(number.to_string(), 1)).collect();
        let statistics = Statistics {
            num_rows: Precision::Absent,
            total_byte_size: Precision::Absent,
            column_statistics: vec![],
        };
        (Arc::clone(&listing), PreparedFiles::new(&listing, files, statistics))
    }

    #[test]
    fn files_are_those_of_the_list_and_take_no_more_than_they_may() {
        let tables = PreparedTables::default();
        let (old, of_old) = files(1);
        let (new, of_new) = files(2);
        tables.keep("a", of_old, 10 * FILE_BYTES);
        assert!(tables.get("a", &old).is_some() && tables.get("a", &new).is_none());
        tables.keep("a", of_new, 10 * FILE_BYTES);
        assert!(tables.get("a", &old).is_none() && tables.get("a", &new).is_some());
        let (large, of_large) = files(9);
        tables.keep("b", of_large, 10 * FILE_BYTES);
        assert!(tables.get("b", &large).is_some() && tables.get("a", &new).is_none(), "one had to go");
        let (too_large, of_too_large) = files(11);
        tables.keep("b", of_too_large, 10 * FILE_BYTES);
        assert!(tables.get("b", &too_large).is_none());
    }
}
