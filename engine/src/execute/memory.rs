//! How much memory queries may hold before they spill to disk.

use std::sync::Arc;

use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};

/// The limit where the machine does not say how much memory it has.
const UNKNOWN_MACHINE: usize = 4 * 1024 * 1024 * 1024;

/// Sixty percent of the memory of this machine, or of its container if that is less; 4 GiB where neither is known.
pub(crate) fn default_memory_limit() -> usize {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let containers = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let container =
        containers.iter().find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok());
    match [machine, container].into_iter().flatten().min() {
        Some(bytes) => bytes / 10 * 6,
        None => UNKNOWN_MACHINE,
    }
}

/// A pool of `bytes` that queries share fairly.
pub(crate) fn memory_pool(bytes: usize) -> Arc<dyn MemoryPool> {
    Arc::new(FairSpillPool::new(bytes))
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
    fn memory_of_the_machine() {
        assert_eq!(total("MemTotal:       24576 kB\nMemFree: 1 kB\n"), Some(24576 * 1024));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(default_memory_limit() > 64 * 1024 * 1024);
    }
}
