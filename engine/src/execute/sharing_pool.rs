//! A pool of memory that leaves something for whoever comes later.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation, human_readable_size};

/// Who can spill may hold two times what is then still free: one alone two thirds, two of them two fifths each.
const SPILLING: Share = Share { times: 2, of: 1 };
/// How DataFusion names its sorts.
const SORT: &str = "ExternalSorter[";
/// Of all memory, the part that is kept for those who hold little: a counter must find its few bytes.
const FOR_SMALL: usize = 16;
/// Little is this part of that part.
const SMALL: usize = 8;

/// Memory that operators share by what they hold, not by how many there are.
///
/// A large query has hundreds of operators that can spill, of which few work at a time. DataFusion's `FairSpillPool` gives each
/// an equal part from the beginning. Here each may hold so many times what is free (the dynamic threshold of Choudhury and
/// Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", IEEE/ACM Transactions on Networking 6(2), 1998):
/// the more there are at work the less each gets, and something is always left for the next. Who cannot spill may take what
/// is free, but for a last part that is for those who need little.
#[derive(Debug)]
pub(super) struct SharingPool {
    limit: usize,
    /// Of sorts. To write what it holds a sort merges it, and needs up to as much again for that; and as many sorts may merge
    /// at a time as there are partitions. So all of them together hold half, and merge with the other half.
    sorting: Share,
    used: Mutex<usize>,
}

impl SharingPool {
    /// Of `limit` bytes, for queries that run in so many partitions.
    pub(super) fn new(limit: usize, partitions: usize) -> Self {
        Self { limit, sorting: Share { times: 1, of: partitions.max(1) }, used: Mutex::new(0) }
    }

    fn used(&self) -> MutexGuard<'_, usize> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryPool for SharingPool {
    fn name(&self) -> &'static str {
        "sharing"
    }

    fn grow(&self, _reservation: &MemoryReservation, additional: usize) {
        *self.used() += additional;
    }

    fn shrink(&self, _reservation: &MemoryReservation, shrink: usize) {
        let mut used = self.used();
        *used = used.saturating_sub(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut used = self.used();
        let free = self.limit.saturating_sub(*used);
        let consumer = reservation.consumer();
        let most = match consumer.can_spill() {
            true if consumer.name().starts_with(SORT) => self.sorting.may_take(reservation.size(), free),
            true => SPILLING.may_take(reservation.size(), free),
            false if reservation.size() + additional <= self.limit / FOR_SMALL / SMALL => free,
            false => free.saturating_sub(self.limit / FOR_SMALL),
        };
        if additional > most {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "Failed to allocate {} more for {}, which holds {}: of the memory limit of {}, {} are free, of which it may take {}",
                human_readable_size(additional),
                reservation.consumer().name(),
                human_readable_size(reservation.size()),
                human_readable_size(self.limit),
                human_readable_size(free),
                human_readable_size(most),
            )));
        }
        *used += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        *self.used()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

impl fmt::Display for SharingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sharing(limit: {})", human_readable_size(self.limit))
    }
}

/// What one may hold of what is free: `times / of` as much.
#[derive(Debug)]
struct Share {
    times: usize,
    of: usize,
}

impl Share {
    /// The most that may be taken by one that holds `held`: `of * (held + x) <= times * (free - x)`.
    fn may_take(&self, held: usize, free: usize) -> usize {
        self.times.saturating_mul(free).saturating_sub(self.of.saturating_mul(held)) / (self.times + self.of)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::execution::memory_pool::MemoryConsumer;

    use super::*;

    fn pool() -> Arc<dyn MemoryPool> {
        Arc::new(SharingPool::new(1600, 2))
    }

    fn consumer(pool: &Arc<dyn MemoryPool>, can_spill: bool) -> MemoryReservation {
        MemoryConsumer::new("a sort").with_can_spill(can_spill).register(pool)
    }

    /// Takes all that it may, a byte at a time.
    fn fill(reservation: &MemoryReservation) -> usize {
        while reservation.try_grow(1).is_ok() {}
        reservation.size()
    }

    #[test]
    fn something_is_left_for_the_next() {
        let pool = pool();
        let idle: Vec<_> = (0..300).map(|_place| consumer(&pool, true)).collect();
        let first = consumer(&pool, true);
        assert_eq!(fill(&first), 1066);
        let second = consumer(&pool, true);
        assert_eq!(fill(&second), 356);
        // It has more than its part by now and must spill.
        assert!(first.try_grow(1).is_err());
        first.free();
        assert!(fill(&second) > 800);
        assert!(fill(&first) > 300);
        assert_eq!(pool.reserved(), first.size() + second.size());
        drop((first, second, idle));
        assert_eq!(pool.reserved(), 0);
    }

    #[test]
    fn sorts_leave_what_they_merge_with() {
        let pool = pool();
        let sorts = [0, 1].map(|partition| {
            MemoryConsumer::new(format!("ExternalSorter[{partition}]")).with_can_spill(true).register(&pool)
        });
        // In turn, until neither may have more.
        while sorts.iter().map(|sort| sort.try_grow(1).is_ok()).fold(false, |either, one| either | one) {}
        assert!(sorts.iter().all(|sort| (350..450).contains(&sort.size())), "{sorts:?}");
        let merges = sorts.map(|sort| {
            let merge = MemoryConsumer::new("ExternalSorterMerge[0]").register(&pool);
            merge.try_grow(sort.size() / 4 * 3).map(|()| (sort, merge))
        });
        assert!(merges.iter().all(Result::is_ok), "{merges:?}");
    }

    #[test]
    fn who_cannot_spill_may_take_all_but_what_is_for_small_ones() {
        let pool = pool();
        let sort = consumer(&pool, true);
        sort.try_grow(1000).unwrap();
        let join = consumer(&pool, false);
        assert_eq!(fill(&join), 500);
        let told = join.try_grow(1).unwrap_err().to_string();
        assert!(
            told.ends_with(
                "Failed to allocate 1.0 B more for a sort, which holds 500.0 B: of the memory limit of 1600.0 B, 100.0 B are \
                 free, of which it may take 0.0 B"
            ),
            "{told}"
        );
        let counter = consumer(&pool, false);
        assert_eq!(fill(&counter), 12);
        assert_eq!(pool.reserved(), 1512);
    }
}
