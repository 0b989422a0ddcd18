use crate::calendar::PERIODS;
use crate::random::{Stream, Topic};

/// How a business cheats on VAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Declares less than it invoices.
    UnderReport,
    /// Trades the same value in a circle.
    Ring,
    /// Sells with tax, files nothing, vanishes.
    MissingTrader,
}

impl Pattern {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnderReport => "under_report",
            Self::Ring => "ring",
            Self::MissingTrader => "missing_trader",
        }
    }
}

/// One business's scheme: from `first` to `last` period, inclusive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evasion {
    pub(crate) pattern: Pattern,
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Under-reporting: the hidden part of sales, per mille.
    pub(crate) hidden_per_mille: i64,
    /// Ring: the business (position among the community's businesses) that it sells to.
    pub(crate) ring_buyer: usize,
    /// Ring: the value of one round, NT$.
    pub(crate) ring_value: i64,
    /// Ring: invoices to the next member in a period.
    pub(crate) ring_invoices: u64,
}

impl Evasion {
    pub(crate) fn active(&self, period: u32) -> bool {
        (self.first..=self.last).contains(&period)
    }
}

/// The schemes of a community's `count` businesses, by position among them.
pub(crate) fn evasions(seed: u64, community: u64, count: usize) -> Vec<Option<Evasion>> {
    let mut random = Stream::new(seed, Topic::Evasion, 0, community);
    let mut schemes = vec![None; count];
    if count < 8 {
        return schemes;
    }
    let base = Evasion {
        pattern: Pattern::UnderReport,
        first: 0,
        last: 0,
        hidden_per_mille: 0,
        ring_buyer: 0,
        ring_value: 0,
        ring_invoices: 0,
    };
    for _ in 0..(count / 120).max(1) {
        let mut members = Vec::new();
        while members.len() < 3 {
            let member = random.index(count);
            if schemes[member].is_none() && !members.contains(&member) {
                members.push(member);
            }
        }
        let first = random.below(PERIODS - 2);
        let last = (first + 1 + random.below(4)).min(PERIODS - 1);
        let ring_value = random.between(40, 600) * 10_000;
        let ring_invoices = u64::from(2 + random.below(3));
        for (at, &member) in members.iter().enumerate() {
            let ring_buyer = members[(at + 1) % members.len()];
            let pattern = Pattern::Ring;
            schemes[member] =
                Some(Evasion { pattern, first, last, ring_buyer, ring_value, ring_invoices, ..base });
        }
    }
    for _ in 0..(count / 200).max(1) {
        let member = free(&mut random, &schemes);
        let first = 1 + random.below(PERIODS - 3);
        let last = (first + random.below(3)).min(PERIODS - 1);
        schemes[member] = Some(Evasion { pattern: Pattern::MissingTrader, first, last, ..base });
    }
    for _ in 0..(count / 25).max(2) {
        let member = free(&mut random, &schemes);
        let first = random.below(PERIODS);
        let last = (first + 2 + random.below(9)).min(PERIODS - 1);
        let hidden_per_mille = random.between(80, 550);
        schemes[member] = Some(Evasion { first, last, hidden_per_mille, ..base });
    }
    schemes
}

fn free(random: &mut Stream, schemes: &[Option<Evasion>]) -> usize {
    loop {
        let member = random.index(schemes.len());
        if schemes[member].is_none() {
            return member;
        }
    }
}
