//! The best codes of each group, so far.

/// Of each group the `wanted` smallest codes, in order; where it has had fewer, the largest number stands for the rest.
pub(super) struct BestCodes {
    wanted: usize,
    /// Whether a code counts once, however many rows have it.
    distinct: bool,
    codes: Vec<u64>,
}

impl BestCodes {
    /// `wanted` is at least 1.
    pub(super) fn new(wanted: usize, distinct: bool) -> Self {
        Self { wanted, distinct, codes: Vec::new() }
    }

    /// Makes room for so many groups.
    pub(super) fn grow(&mut self, groups: usize) {
        self.codes.resize(groups * self.wanted, u64::MAX);
    }

    /// The bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.codes.capacity() * size_of::<u64>()
    }

    /// Adds the code of a row; `false` if `wanted` others of its group are smaller.
    pub(super) fn keeps(&mut self, group: usize, code: u64) -> bool {
        let best = &mut self.codes[group * self.wanted..][..self.wanted];
        let Some(worst) = best.last() else { return true };
        if code >= *worst {
            return code == *worst;
        }
        let place = best.partition_point(|better| *better < code);
        if !(self.distinct && best[place] == code) {
            best.copy_within(place..self.wanted - 1, place + 1);
            best[place] = code;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(wanted: usize, distinct: bool, codes: &[u64]) -> Vec<u64> {
        let mut best = BestCodes::new(wanted, distinct);
        best.grow(1);
        // A neighbour must not be touched.
        best.grow(2);
        assert!(best.keeps(1, 0));
        codes.iter().copied().filter(|code| best.keeps(0, *code)).collect()
    }

    #[test]
    fn what_is_worse_than_enough_others_is_dropped() {
        assert_eq!(kept(1, false, &[5, 6, 5, 4, 5, 4, u64::MAX]), [5, 5, 4, 4]);
        assert_eq!(kept(2, false, &[5, 6, 7, 6, 5, 6, 1, 6, 5, 4]), [5, 6, 6, 5, 1, 5, 4]);
        assert_eq!(kept(3, false, &[9, 8, 7, 6, 9, 8, 7]), [9, 8, 7, 6, 8, 7]);
        assert_eq!(
            kept(2, false, &[u64::MAX, u64::MAX, u64::MAX, 3, u64::MAX, 4, u64::MAX]),
            [u64::MAX, u64::MAX, u64::MAX, 3, u64::MAX, 4]
        );
    }

    #[test]
    fn a_code_may_count_once() {
        assert_eq!(kept(2, true, &[5, 5, 5, 6, 7, 6, 4, 6, 5]), [5, 5, 5, 6, 6, 4, 5]);
        assert_eq!(kept(1, true, &[5, 5, 6, 4, 5, 4]), [5, 5, 4, 4]);
    }

    #[test]
    fn nothing_that_belongs_is_dropped_in_any_order() {
        for salt in 0..200_u64 {
            let code = |row: u64| (row + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) % 12;
            let codes: Vec<u64> = (0..30).map(code).collect();
            for wanted in 1..6 {
                for distinct in [false, true] {
                    let mut best = BestCodes::new(wanted, distinct);
                    best.grow(1);
                    for (row, code) in codes.iter().enumerate() {
                        let mut better: Vec<u64> =
                            codes[..row].iter().copied().filter(|other| other < code).collect();
                        if distinct {
                            better.sort_unstable();
                            better.dedup();
                        }
                        assert_eq!(best.keeps(0, *code), better.len() < wanted, "{codes:?} {row}");
                    }
                }
            }
        }
    }
}
