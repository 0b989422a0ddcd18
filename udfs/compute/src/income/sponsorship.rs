use super::Priors;
use super::counts::{Counts, Noticed};
use super::evidence::Checked;
use super::model::{Normal, REACH_SHIFT, REACHES, deals_of};
use crate::random::{LognormalSum, ln, normal_single};

/// What is known of a row's sponsored deals.
///
/// Deals arrive as a Poisson process whose rate is gamma distributed over creators. A payer reports each
/// with one probability and it shows in public posts with another, independently; so the number of unseen deals
/// has an exact posterior, and so has what reported and shown deals say of the followers.
#[derive(Debug, Clone)]
pub(crate) struct Deals {
    pub(crate) seen: Option<Seen>,
    shown: bool,
    /// Deals that nobody reported: one distribution, or one for each range of unknown followers.
    pub(crate) unseen: Counts,
    pub(crate) sum: LognormalSum,
}

/// Deals reported by payers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) mean_ln: f64,
}

impl Deals {
    pub(crate) fn new(checked: &Checked, priors: &Priors, ln_followers: Normal) -> Self {
        let seen = checked.deals.as_ref().map(|amounts| {
            let mut amounts = amounts.clone();
            // Lists come in any order; sums of floating-point numbers depend on it.
            amounts.sort_unstable_by(f64::total_cmp);
            let count: f64 = amounts.iter().map(|_| 1.0).sum();
            let ln_sum: f64 = amounts.iter().map(|amount| ln(*amount)).sum();
            let sum = amounts.iter().fold(0.0, |sum, amount| sum + amount);
            Seen { count, sum, mean_ln: if count > 0.0 { ln_sum / count } else { 0.0 } }
        });
        let reported = seen.map(|seen| Noticed { count: seen.count, share: priors.reported_share });
        let shown = checked.detected.map(|count| Noticed { count, share: priors.detected_share });
        let noticed: Vec<Noticed> = reported.into_iter().chain(shown).collect();
        let expected =
            |z: f32| deals_of(priors, checked.posts, ln_followers.mean + ln_followers.spread * f64::from(z));
        let middle = |range: u32| normal_single((range << REACH_SHIFT) + (1 << (REACH_SHIFT - 1)));
        let means: Vec<f64> = if ln_followers.spread > 0.0 {
            (0..REACHES).map(|range| expected(middle(range))).collect()
        } else {
            vec![expected(0.0)]
        };
        Self {
            seen,
            shown: shown.is_some(),
            unseen: Counts::new(priors.deals_shape, &means, &noticed, seen.map_or(0.0, |seen| seen.count)),
            sum: LognormalSum::new(priors.deal_price_spread),
        }
    }

    /// Whether they tell of a reach that is not known.
    pub(crate) fn informative(&self) -> bool {
        self.seen.is_some() || self.shown
    }
}
