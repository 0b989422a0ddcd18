use super::estimate::{Amounts, estimate_in};
use super::posterior::Posterior;
use super::{Evidence, Flags, Priors, Summary};

/// A kind of evidence that an office can ask for, check, or lose as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceKind {
    /// Followers, views, category and where the audience is.
    Audience,
    /// What public texts show: posts, sponsored posts, signs of donations and group buys.
    PublicDocuments,
    /// Deals that payers reported.
    ReportedStatements,
    /// Remittances from abroad.
    Remittances,
    /// The declared income.
    DeclaredIncome,
}

impl EvidenceKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 5] = [
        Self::Audience,
        Self::PublicDocuments,
        Self::ReportedStatements,
        Self::Remittances,
        Self::DeclaredIncome,
    ];

    /// The name in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Audience => "audience",
            Self::PublicDocuments => "public_documents",
            Self::ReportedStatements => "reported_statements",
            Self::Remittances => "remittances",
            Self::DeclaredIncome => "declared_income",
        }
    }

    /// Whether anything of this kind was observed and made sense.
    pub(super) fn observed(self, evidence: &Evidence) -> bool {
        let checked = evidence.checked(&mut Flags::default());
        match self {
            Self::Audience => {
                checked.followers.is_some()
                    || checked.views.is_some()
                    || checked.category.is_some()
                    || checked.foreign_share.is_some()
            }
            Self::PublicDocuments => {
                checked.posts.is_some()
                    || checked.detected.is_some()
                    || checked.donation_signal.is_some()
                    || checked.group_buy_signal.is_some()
            }
            Self::ReportedStatements => checked.deals.is_some(),
            Self::Remittances => checked.remittance.is_some(),
            Self::DeclaredIncome => checked.declared.is_some(),
        }
    }

    /// The evidence less all of this kind; the row keeps its name, and with it its random numbers.
    pub(super) fn left_out_of(self, evidence: &Evidence) -> Evidence {
        let mut rest = evidence.clone();
        match self {
            Self::Audience => {
                rest.followers = None;
                rest.annual_views = None;
                rest.category = None;
                rest.foreign_audience_share = None;
            }
            Self::PublicDocuments => {
                rest.posts = None;
                rest.sponsored_posts = None;
                rest.donation_signal = None;
                rest.group_buy_signal = None;
            }
            Self::ReportedStatements => rest.seen_deal_amounts = None,
            Self::Remittances => rest.remittance = None,
            Self::DeclaredIncome => rest.declared_income = None,
        }
        rest
    }
}

/// What one kind of evidence does to an estimate: the estimate that the rest alone would give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    /// What was left out.
    pub kind: EvidenceKind,
    /// Gross receipts of the year as estimated without it.
    pub without: Summary,
    /// How far it moves the median of gross receipts: with it less without it, NT$.
    pub shift: f64,
    /// By how much it narrows the range, p90 over p10: 0.5 halves the ratio, above 1 it widens. `None` where
    /// either p10 is zero.
    pub narrowing: Option<f64>,
}

impl Contribution {
    /// Of the kind without which the rest gives this.
    pub(super) fn new(kind: EvidenceKind, with: Summary, without: Summary) -> Self {
        let narrowing = width(with).zip(width(without)).map(|(with, without)| with / without);
        Self { kind, without, shift: with.p50 - without.p50, narrowing }
    }
}

/// Leaves out each observed kind of evidence in turn, with the same draws and seed.
///
/// The shifts do not add up: two kinds that say the same each shift little. A declared amount of which the
/// estimate made no use (nothing declared, or less than payers reported) shifts exactly nothing.
pub(super) fn contributions(
    memory: &mut Posterior,
    evidence: &Evidence,
    full: &Amounts,
    priors: &Priors,
    draws: u32,
    seed: u64,
) -> Vec<Contribution> {
    EvidenceKind::ALL
        .into_iter()
        .filter(|kind| kind.observed(evidence))
        .filter_map(|kind| {
            let without =
                estimate_in(memory, &kind.left_out_of(evidence), priors, draws, seed).amounts?.total;
            Some(Contribution::new(kind, full.total, without))
        })
        .collect()
}

fn width(total: Summary) -> Option<f64> {
    (total.p10 > 0.0).then(|| total.p90 / total.p10)
}

#[cfg(test)]
mod tests {
    use super::super::{estimate, explained};
    use super::*;

    fn full_evidence() -> Evidence {
        Evidence {
            channel_id: Some("UC1".to_owned()),
            followers: Some(80_000.0),
            annual_views: Some(3_000_000.0),
            posts: Some(40.0),
            sponsored_posts: Some(6.0),
            seen_deal_amounts: Some(vec![42_000.0, 60_000.0]),
            remittance: Some(150_000.0),
            declared_income: Some(180_000.0),
            ..Evidence::default()
        }
    }

    fn kinds(evidence: &Evidence) -> Vec<EvidenceKind> {
        let contributions = explained(evidence, &Priors::default(), 256, 0).contributions;
        contributions.unwrap_or_default().iter().map(|contribution| contribution.kind).collect()
    }

    #[test]
    fn only_what_was_observed_contributes() {
        assert_eq!(kinds(&full_evidence()), EvidenceKind::ALL);
        assert_eq!(kinds(&Evidence::default()), []);
        let silent = Evidence { seen_deal_amounts: Some(Vec::new()), ..Evidence::default() };
        assert_eq!(kinds(&silent), [EvidenceKind::ReportedStatements]);
        let absurd = Evidence { remittance: Some(f64::NAN), ..Evidence::default() };
        assert_eq!(kinds(&absurd), []);
        assert_eq!(kinds(&Evidence { minor: Some(true), ..full_evidence() }), []);
    }

    #[test]
    fn the_shift_is_that_of_an_estimate_without_the_evidence() {
        let (evidence, priors) = (full_evidence(), Priors::default());
        let explained = explained(&evidence, &priors, 512, 9);
        let plain = estimate(&evidence, &priors, 512, 9);
        assert_eq!(explained.amounts, plain.amounts);
        for contribution in explained.contributions.unwrap_or_default() {
            let rest = estimate(&contribution.kind.left_out_of(&evidence), &priors, 512, 9);
            let without = rest.amounts.map(|amounts| amounts.total);
            assert_eq!(Some(contribution.without), without);
        }
    }

    #[test]
    fn an_unused_declaration_shifts_nothing() {
        let evidence = Evidence { declared_income: Some(0.0), ..full_evidence() };
        let contributions = explained(&evidence, &Priors::default(), 256, 0).contributions;
        let declared = contributions.unwrap_or_default().into_iter().next_back();
        assert_eq!(declared.map(|last| (last.kind, last.shift)), Some((EvidenceKind::DeclaredIncome, 0.0)));
    }
}
