//! Up to which size one side of a join becomes one hash table for all threads.
//!
//! The other side is then not divided by hash, and what its scan may leave out is known for the join as a whole: of a
//! year's items, only the files of the month that is joined are opened.

use datafusion::common::config::OptimizerOptions;

/// Rows of that side, over the threads that would otherwise share the work of building the table.
const ROWS: usize = 32 << 20;
/// A guess of what a row takes.
const BYTES_OF_A_ROW: usize = 64;
/// Of the memory of all queries, one table takes at most this part.
const SHARE_OF_MEMORY: usize = 8;

/// Chooses for a process with `partitions` threads and `memory` bytes.
pub(crate) fn share_small_sides(options: &mut OptimizerOptions, partitions: usize, memory: usize) {
    let rows = ROWS / partitions.max(1);
    let bytes = (rows * BYTES_OF_A_ROW).min(memory / SHARE_OF_MEMORY);
    options.hash_join_single_partition_threshold = bytes;
    options.hash_join_single_partition_threshold_rows = bytes / BYTES_OF_A_ROW;
}

/// Chooses for workers, each of which would get a copy of that side: as DataFusion does.
pub(crate) fn copy_tiny_sides(options: &mut OptimizerOptions) {
    let usual = OptimizerOptions::default();
    options.hash_join_single_partition_threshold = usual.hash_join_single_partition_threshold;
    options.hash_join_single_partition_threshold_rows = usual.hash_join_single_partition_threshold_rows;
}
