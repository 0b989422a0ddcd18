use super::Priors;
use super::evidence::Checked;
use super::model::{Model, Purpose, Reach};
use crate::random::{
    LognormalSum, beta, exp, gamma, ln, ln_gamma, normal_quantile, poisson_quantile, uniform,
};

/// Deals seen by payers beyond which their overlap with detected posts is approximated by its mean.
const OVERLAP_SUMMED: f64 = 64.0;

/// Shown deals up to which the combinatorial part of their probability is kept in a table.
const TABLED: u32 = 256;

/// What is known of a row's sponsored deals.
///
/// Deals arrive as a Poisson process whose rate is gamma distributed over creators. A payer reports each
/// with one probability and it shows in public posts with another, independently; so reported and shown
/// deals thin the process, and the rate, and with it the number of unseen deals, has an exact posterior.
#[derive(Debug, Clone)]
pub(crate) struct Deals {
    seen: Option<Seen>,
    detected: Option<Detected>,
    sum: LognormalSum,
}

/// Deals that show in public posts.
#[derive(Debug, Clone)]
struct Detected {
    count: f64,
    /// Shape of the deal rate once reported deals are counted.
    shape: f64,
    /// By the number of shown deals that nobody reported.
    ln_gammas: Vec<LnGammas>,
}

/// What the negative binomial probability of a number takes besides powers.
#[derive(Debug, Clone, Copy)]
struct LnGammas {
    of_sum: f64,
    of_shape: f64,
    of_number: f64,
}

impl LnGammas {
    fn of(shape: f64, number: f64) -> Self {
        Self {
            of_sum: ln_gamma(shape + number),
            of_shape: ln_gamma(shape),
            of_number: ln_gamma(number + 1.0),
        }
    }
}

impl Detected {
    fn new(count: f64, shape: f64) -> Self {
        let numbers = (0..=TABLED).map(f64::from).take_while(|number| *number <= count);
        Self { count, shape, ln_gammas: numbers.map(|number| LnGammas::of(shape, number)).collect() }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a number past the table finds nothing in it")]
    #[expect(clippy::cast_sign_loss, reason = "a count is not negative")]
    fn ln_gammas(&self, number: f64) -> LnGammas {
        self.ln_gammas.get(number as usize).copied().unwrap_or_else(|| LnGammas::of(self.shape, number))
    }
}

/// Deals reported by payers.
#[derive(Debug, Clone, Copy)]
struct Seen {
    count: f64,
    sum: f64,
    mean_ln: f64,
}

/// One draw of a creator's multiplier and sponsorship.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sponsorship {
    pub(crate) multiplier: f64,
    pub(crate) amount: f64,
    pub(crate) count: f64,
    pub(crate) ln_weight: f64,
}

impl Deals {
    pub(crate) fn new(checked: &Checked, priors: &Priors) -> Self {
        let seen = checked.deals.as_ref().map(|amounts| {
            let mut amounts = amounts.clone();
            // Lists come in any order; sums of floating-point numbers depend on it.
            amounts.sort_unstable_by(f64::total_cmp);
            let count: f64 = amounts.iter().map(|_| 1.0).sum();
            let ln_sum: f64 = amounts.iter().map(|amount| ln(*amount)).sum();
            Seen { count, sum: amounts.iter().sum(), mean_ln: if count > 0.0 { ln_sum / count } else { 0.0 } }
        });
        let shape = priors.deals_shape + seen.map_or(0.0, |seen| seen.count);
        let detected = checked.detected.map(|count| Detected::new(count, shape));
        Self { seen, detected, sum: LognormalSum::new(priors.deal_price_spread) }
    }

    /// The exact total of what payers reported.
    pub(crate) fn seen_sum(&self) -> f64 {
        self.seen.map_or(0.0, |seen| seen.sum)
    }

    /// How many standard deviations the mean price of reported deals lies off what this reach fetches.
    pub(crate) fn surprise(&self, reach: &Reach, priors: &Priors) -> f64 {
        self.seen.filter(|seen| seen.count > 0.0).map_or(0.0, |seen| {
            let noise = priors.deal_price_spread * priors.deal_price_spread / seen.count;
            let spread = (priors.creator_spread * priors.creator_spread + noise).sqrt();
            (seen.mean_ln - reach.ln_price).abs() / spread
        })
    }

    pub(crate) fn weighted(&self) -> bool {
        self.seen.is_some() || self.detected.is_some()
    }

    /// Draws the multiplier and the deals of a creator with this reach.
    #[inline]
    pub(crate) fn draw(&self, model: &Model<'_>, draw: u32, reach: &Reach, normal: f64) -> Sponsorship {
        let priors = model.priors;
        let stream = |purpose: Purpose| model.key.stream(draw, purpose as u32);
        let mut ln_weight = 0.0;
        let mut shape = priors.deals_shape;
        let mut rate = priors.deals_shape / reach.deals;
        let mut hidden = 1.0;
        let mut multiplier = priors.creator_spread * normal;
        let (mut seen_count, mut seen_sum) = (0.0, 0.0);
        if let Some(seen) = self.seen {
            let (a, b) = priors.reported_share;
            let reported =
                beta(&mut stream(Purpose::ReportedFirst), &mut stream(Purpose::ReportedSecond), a, b);
            (seen_count, seen_sum) = (seen.count, seen.sum);
            ln_weight += shape * ln(rate / (rate + reported)) + seen.count * ln(reported / (rate + reported));
            shape += seen.count;
            rate += reported;
            hidden = 1.0 - reported;
            if seen.count > 0.0 {
                let prior = priors.creator_spread * priors.creator_spread;
                let noise = priors.deal_price_spread * priors.deal_price_spread / seen.count;
                let surprise = seen.mean_ln - reach.ln_price;
                let gain = prior / (prior + noise);
                ln_weight -= 0.5 * surprise * surprise / (prior + noise);
                multiplier = gain * surprise + (noise * gain).sqrt() * normal;
            }
        }
        let count_words = stream(Purpose::DealCount).words().map(uniform);
        let mut unseen = 0.0;
        if let Some(detected) = &self.detected {
            let (a, b) = priors.detected_share;
            let shown = beta(&mut stream(Purpose::DetectedFirst), &mut stream(Purpose::DetectedSecond), a, b);
            let (overlap, ln_possible) = overlap(seen_count, shown, detected.count, count_words[0]);
            let found_unseen = detected.count - overlap;
            let ln_gammas = detected.ln_gammas(found_unseen);
            let thinned = hidden * shown;
            ln_weight += ln_possible + ln_gammas.of_sum - ln_gammas.of_shape - ln_gammas.of_number
                + shape * ln(rate / (rate + thinned))
                + found_unseen * ln(thinned / (rate + thinned));
            shape += found_unseen;
            rate += thinned;
            hidden *= 1.0 - shown;
            unseen = found_unseen;
        }
        let arrivals = gamma(&mut stream(Purpose::DealRate), shape) / rate;
        unseen += poisson_quantile(arrivals * hidden, count_words[1]);
        let amount =
            seen_sum + self.sum.sample(&mut stream(Purpose::DealPrices), unseen, reach.ln_price + multiplier);
        Sponsorship { multiplier, amount, count: seen_count + unseen, ln_weight }
    }
}

/// How many of the reported deals are among the shown ones: a binomial number that cannot exceed those
/// shown, and the logarithm of the probability that it does not.
fn overlap(reported: f64, shown: f64, found: f64, u: f64) -> (f64, f64) {
    let most = reported.min(found);
    if reported > OVERLAP_SUMMED {
        let spread = (reported * shown * (1.0 - shown)).sqrt();
        let number = (reported * shown + spread * normal_quantile(u) + 0.5).floor();
        return (number.clamp(0.0, most), 0.0);
    }
    let odds = shown / (1.0 - shown);
    let none = exp(reported * ln(1.0 - shown));
    let following = |term: f64, number: f64| term * odds * (reported - number) / (number + 1.0);
    let (mut term, mut number, mut possible) = (none, 0.0, none);
    while number < most {
        term = following(term, number);
        number += 1.0;
        possible += term;
    }
    let target = u * possible;
    (term, number) = (none, 0.0);
    let mut reached = none;
    while reached < target && number < most {
        term = following(term, number);
        number += 1.0;
        reached += term;
    }
    (number, ln(possible))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_a_truncated_binomial() {
        let (_, ln_possible) = overlap(3.0, 0.5, 1.0, 0.5);
        assert!((ln_possible.exp() - 0.5).abs() < 1e-12);
        assert!(overlap(3.0, 0.5, 3.0, 0.5).1.abs() < 1e-12);
        let check =
            |u: f64, expected: f64| assert!((overlap(3.0, 0.5, 1.0, u).0 - expected).abs() < 1e-12, "{u}");
        check(0.2, 0.0);
        check(0.3, 1.0);
        check(0.99, 1.0);
        assert!((overlap(0.0, 0.5, 9.0, 0.7).0).abs() < 1e-12);
        let (many, _) = overlap(1e5, 0.5, 1e4, 0.5);
        assert!((many - 1e4).abs() < 1e-12);
    }
}
