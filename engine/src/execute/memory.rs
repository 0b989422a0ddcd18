//! How much memory queries may hold before they spill to disk.

use std::sync::Arc;

use datafusion::execution::cache::cache_manager::{
    DEFAULT_FILE_STATISTICS_MEMORY_LIMIT, DEFAULT_METADATA_CACHE_LIMIT,
};
use datafusion::execution::memory_pool::MemoryPool;

use super::sharing_pool::SharingPool;

/// The limit where the machine does not say how much memory it has.
const UNKNOWN_MACHINE: usize = 4 * 1024 * 1024 * 1024;

/// Sixty percent of the memory of this machine, or of its container if that is less; 4 GiB where neither is known.
#[must_use]
pub fn default_memory_limit() -> usize {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let containers = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let container =
        containers.iter().find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok());
    match [machine, container].into_iter().flatten().min() {
        Some(bytes) => bytes / 10 * 6,
        None => UNKNOWN_MACHINE,
    }
}

/// What footers may take that are kept, and again what is kept of the ranges of files' columns: a sixteenth of `limit`, and no less
/// than DataFusion gives them. With less than a query needs of them, each one reads the footers of all files again.
pub(crate) fn footers_kept(limit: usize) -> (usize, usize) {
    let share = limit / 16;
    (share.max(DEFAULT_METADATA_CACHE_LIMIT), share.max(DEFAULT_FILE_STATISTICS_MEMORY_LIMIT))
}

/// A pool of `bytes` that queries share and their operators, in so many partitions.
pub(crate) fn memory_pool(bytes: usize, partitions: usize) -> Arc<dyn MemoryPool> {
    Arc::new(SharingPool::new(bytes, partitions))
}

/// Memory that each sort keeps from its first row on for merging what it has written to disk, where `partitions` of each
/// share `limit` bytes.
///
/// A large query sorts in fifty places, each on every core: with the usual 10 MiB they would take a small limit for themselves
/// before a row is read.
pub(crate) fn merge_reserve(limit: usize, partitions: usize) -> usize {
    const USUAL: usize = 10 << 20;
    const LEAST: usize = 64 << 10;
    const SORTS: usize = 128;
    (limit / SORTS / partitions.max(1)).clamp(LEAST, USUAL)
}

/// How many files a sort merges at a time, where `limit` bytes are shared. Otherwise it takes all memory there is for them, and
/// the next sort finds none.
pub(crate) fn merged_files(limit: usize) -> usize {
    /// What a file takes: two batches, each twice.
    const FILE: usize = 4 << 20;
    const SHARE: usize = 8;
    (limit / SHARE / FILE).clamp(2, 128)
}

fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_leave_memory_to_others() {
        assert_eq!(merge_reserve(512 << 20, 2), 2 << 20);
        assert_eq!(merge_reserve(512 << 20, 64), 64 << 10);
        assert_eq!(merge_reserve(64 << 30, 2), 10 << 20);
        assert_eq!(merge_reserve(0, 0), 64 << 10);
    }

    #[test]
    fn merges_leave_memory_to_others() {
        assert_eq!(merged_files(512 << 20), 16);
        assert_eq!(merged_files(16 << 20), 2);
        assert_eq!(merged_files(64 << 30), 128);
    }

    #[test]
    fn memory_of_the_machine() {
        assert_eq!(total("MemTotal:       24576 kB\nMemFree: 1 kB\n"), Some(24576 * 1024));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(default_memory_limit() > 64 * 1024 * 1024);
    }
}
