//! Whether it pays to look for rows that can be dropped.

/// The first rows, of which it is too early to say anything: among few rows, each is the first of its group.
const EARLY: usize = 1 << 16;
/// Where more of the rows belong to groups not met before, groups have hardly more than one row.
const MOST_NEW: f64 = 15.0 / 16.0;
/// From so many rows on, rows must be dropped. It is so late because what 300,000 groups have too much of comes late: of the
/// first million rows nearly all are among the first three of their groups, of the next nine million hardly any. And so
/// many rows are looked up in vain in a twentieth of a second.
const LATE: usize = 1 << 20;
/// Looking a row up costs about a tenth of what it costs to divide, sort and number it.
const LEAST_DROPPED: f64 = 1.0 / 16.0;

/// Decides each time as many rows have come as before.
#[derive(Debug, Default)]
pub(super) struct Worth {
    seen: Seen,
    /// When it was last decided.
    last: Seen,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    rows: usize,
    dropped: usize,
    groups: usize,
}

impl Worth {
    /// Adds rows, of which some were dropped, after which there are `groups`; `false` if no more should be looked up.
    pub(super) fn pays(&mut self, rows: usize, dropped: usize, groups: usize) -> bool {
        self.seen.rows += rows;
        self.seen.dropped += dropped;
        self.seen.groups = groups;
        if self.seen.rows < EARLY.max(2 * self.last.rows) {
            return true;
        }
        let Seen { rows, dropped, groups } = self.seen;
        let before = std::mem::replace(&mut self.last, self.seen);
        if before.rows == 0 {
            return true;
        }
        let since = rows - before.rows;
        let too_many_groups = share(groups - before.groups, since) > MOST_NEW;
        let too_few_dropped = rows >= LATE && share(dropped - before.dropped, since) < LEAST_DROPPED;
        !(too_many_groups || too_few_dropped)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::first_of_groups::best_codes::BestCodes;

    /// The rows after which it is given up, of rows scattered over `groups`, whose codes `code` makes of their number.
    fn given_up(groups: u64, wanted: usize, code: fn(u64) -> u64) -> Option<u64> {
        const BATCH: u64 = 8192;
        let mut best = BestCodes::new(wanted, false);
        best.grow(usize::try_from(groups).unwrap());
        let mut met = vec![false; usize::try_from(groups).unwrap()];
        let mut met_groups = 0;
        let mut worth = Worth::default();
        (1..500).map(|batch| batch * BATCH).find(|end| {
            let mut dropped = 0;
            for row in end - BATCH..*end {
                let group = usize::try_from(scattered(row) % groups).unwrap();
                met_groups += usize::from(!std::mem::replace(&mut met[group], true));
                dropped += usize::from(!best.keeps(group, code(row)));
            }
            !worth.pays(8192, dropped, met_groups)
        })
    }

    fn scattered(row: u64) -> u64 {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
    }

    fn any(row: u64) -> u64 {
        scattered(row ^ 0xffff_ffff)
    }

    #[test]
    fn groups_with_many_rows_are_worth_it() {
        assert_eq!(given_up(1, 3, any), None);
        assert_eq!(given_up(1000, 5, any), None);
        assert_eq!(given_up(300_000, 1, any), None);
        assert_eq!(given_up(300_000, 3, any), None);
    }

    #[test]
    fn groups_of_one_row_are_noticed_soon() {
        assert_eq!(given_up(1 << 22, 1, any), Some(1 << 17));
    }

    #[test]
    fn rows_that_get_better_and_better_are_noticed() {
        assert_eq!(given_up(1000, 1, |row| u64::MAX - row), Some(1 << 20));
        // And those of which more are wanted than there are.
        assert_eq!(given_up(50_000, 100, any), Some(1 << 20));
    }
}
