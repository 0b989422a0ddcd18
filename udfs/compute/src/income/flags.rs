/// What a reader must know before relying on an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Flag {
    /// A value made no sense (negative, infinite, absurdly large) and was taken as not observed.
    BadEvidence = 1,
    /// The category is not a known one; the average over all was used.
    UnknownCategory = 1 << 1,
    /// Observations hardly go together: a remittance without a view, or deals of prices that such reach never
    /// fetches, or more of them than a year has hours. One of them probably belongs to someone else.
    ConflictingEvidence = 1 << 2,
    /// A minor's channel: nothing is estimated.
    MinorExcluded = 1 << 3,
    /// No income was declared, which says nothing of its size; the declared amount did not inform the estimate.
    NothingDeclared = 1 << 4,
    /// Less was declared than payers reported; the declared amount did not inform the estimate.
    DeclaredBelowReported = 1 << 5,
    /// The 90 % quantile is more than six times the 10 % quantile: the prior speaks, not the evidence.
    PriorDominated = 1 << 6,
    /// Too few draws agreed with the evidence, so more were made, up to eight times as many.
    MoreDraws = 1 << 7,
    /// Even so too few agreed; the evidence was given less weight than it has.
    Tempered = 1 << 8,
    /// Fewer than a hundred draws carry the estimate: its quantiles are rough.
    LowEss = 1 << 9,
    /// The priors given for the row cannot be used: nothing is estimated.
    BadPriors = 1 << 10,
}

impl Flag {
    /// Every flag, in the order in which they are reported.
    pub const ALL: [Self; 11] = [
        Self::BadEvidence,
        Self::UnknownCategory,
        Self::ConflictingEvidence,
        Self::MinorExcluded,
        Self::NothingDeclared,
        Self::DeclaredBelowReported,
        Self::PriorDominated,
        Self::MoreDraws,
        Self::Tempered,
        Self::LowEss,
        Self::BadPriors,
    ];

    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BadEvidence => "bad_evidence",
            Self::UnknownCategory => "unknown_category",
            Self::ConflictingEvidence => "conflicting_evidence",
            Self::MinorExcluded => "minor_excluded",
            Self::NothingDeclared => "nothing_declared",
            Self::DeclaredBelowReported => "declared_below_reported",
            Self::PriorDominated => "prior_dominated",
            Self::MoreDraws => "more_draws",
            Self::Tempered => "tempered",
            Self::LowEss => "low_ess",
            Self::BadPriors => "bad_priors",
        }
    }
}

/// A set of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u16);

impl Flags {
    /// Adds a flag.
    pub fn raise(&mut self, flag: Flag) {
        self.0 |= flag as u16;
    }

    /// Whether a flag is raised.
    #[must_use]
    pub fn has(self, flag: Flag) -> bool {
        self.0 & flag as u16 != 0
    }

    /// The raised flags in the order of [`Flag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.has(*flag))
    }
}
