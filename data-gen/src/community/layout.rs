use std::ops::Range;

use crate::calendar::PERIODS;
use crate::options::Size;

/// Taxpayers of a whole community.
pub(crate) const TAXPAYERS: u64 = 2_000;
/// Communities whose invoices of a period share a file.
pub(crate) const COMMUNITIES_PER_FILE: u64 = 10;

/// Invoices of a period, in hundredths of an even share; they add up to 1200.
const PERIOD_WEIGHTS: [u64; 12] = [96, 94, 97, 98, 99, 108, 99, 97, 99, 101, 100, 112];

/// How the whole is dealt out to communities and periods, exactly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    size: Size,
}

/// The share of slot `start..end` out of `parts`; all shares add up to `total`.
fn share(total: u64, start: u64, end: u64, parts: u64) -> u64 {
    let upto = |edge: u64| u128::from(total) * u128::from(edge) / u128::from(parts.max(1));
    u64::try_from(upto(end) - upto(start)).unwrap_or(0)
}

impl Layout {
    pub(crate) fn new(size: Size) -> Self {
        Self { size }
    }

    pub(crate) fn communities(&self) -> u64 {
        self.size.taxpayers.div_ceil(TAXPAYERS)
    }

    /// Groups of communities whose invoices share a file.
    pub(crate) fn groups(&self) -> u64 {
        self.communities().div_ceil(COMMUNITIES_PER_FILE)
    }

    pub(crate) fn group(&self, group: u64) -> Range<u64> {
        group * COMMUNITIES_PER_FILE..((group + 1) * COMMUNITIES_PER_FILE).min(self.communities())
    }

    /// Global indices of a community's taxpayers.
    pub(crate) fn taxpayers(&self, community: u64) -> Range<u64> {
        community * TAXPAYERS..((community + 1) * TAXPAYERS).min(self.size.taxpayers)
    }

    fn dealt(&self, total: u64, community: u64) -> u64 {
        let taxpayers = self.taxpayers(community);
        share(total, taxpayers.start, taxpayers.end, self.size.taxpayers)
    }

    pub(crate) fn creators(&self, community: u64) -> u64 {
        self.dealt(self.size.creators, community)
    }

    /// Videos and posts of a community.
    pub(crate) fn documents(&self, community: u64) -> u64 {
        self.dealt(self.size.documents, community)
    }

    /// Invoices of a community in a period.
    pub(crate) fn headers(&self, community: u64, period: u32) -> u64 {
        let before: u64 = PERIOD_WEIGHTS.iter().take(period as usize).sum();
        let weight = PERIOD_WEIGHTS.get(period as usize).copied().unwrap_or(0);
        let of_period = share(self.size.headers, before, before + weight, PERIOD_WEIGHTS.iter().sum());
        self.dealt(of_period, community)
    }

    /// Units of progress: one for each invoice and each taxpayer.
    pub(crate) fn units(&self) -> u64 {
        self.size.headers + self.size.taxpayers
    }

    pub(crate) fn periods(&self) -> Range<u32> {
        0..PERIODS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole() {
        assert_eq!(PERIOD_WEIGHTS.iter().sum::<u64>(), 1200);
        for scale in [0.0001, 0.001, 0.0137, 0.25, 1.0] {
            let size = Size::of(scale).unwrap();
            let layout = Layout::new(size);
            let all = 0..layout.communities();
            let headers: u64 =
                all.clone().flat_map(|c| layout.periods().map(move |p| layout.headers(c, p))).sum();
            assert_eq!(headers, size.headers, "scale {scale}");
            assert_eq!(all.clone().map(|c| layout.creators(c)).sum::<u64>(), size.creators);
            assert_eq!(all.clone().map(|c| layout.documents(c)).sum::<u64>(), size.documents);
            let grouped: u64 = (0..layout.groups()).map(|g| layout.group(g).count() as u64).sum();
            assert_eq!(grouped, layout.communities());
        }
    }
}
