use super::Priors;
use super::draw::Reaches;
use super::evidence::Checked;
use super::model::{Model, Purpose, Reach};
use crate::random::{
    Block, LANES, LognormalSum, betas, exp, exp_lane, gammas, ln, ln_gamma, ln_lane, normal_quantile,
    poisson_quantiles, uniforms,
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
    pub(crate) seen: Option<Seen>,
    pub(crate) detected: Option<Detected>,
    pub(crate) sum: LognormalSum,
}

/// Deals that show in public posts.
#[derive(Debug, Clone)]
pub(crate) struct Detected {
    pub(crate) count: f64,
    /// Shape of the deal rate once reported deals are counted.
    shape: f64,
    /// By the number of shown deals that nobody reported.
    ln_gammas: Vec<LnGammas>,
}

/// What the negative binomial probability of a number takes besides powers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LnGammas {
    pub(crate) of_sum: f64,
    pub(crate) of_shape: f64,
    pub(crate) of_number: f64,
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
    pub(crate) fn ln_gammas(&self, number: f64) -> LnGammas {
        self.ln_gammas.get(number as usize).copied().unwrap_or_else(|| LnGammas::of(self.shape, number))
    }
}

/// Deals reported by payers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) mean_ln: f64,
}

/// Draws of a creator's multiplier and sponsorship.
#[derive(Debug)]
pub(crate) struct Sponsorships {
    pub(crate) multipliers: Block,
    pub(crate) amounts: Block,
    pub(crate) counts: Block,
    pub(crate) ln_weights: Block,
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

    /// Draws the multipliers and the deals of a creator with these reaches.
    #[inline(always)]
    pub(crate) fn draw(
        &self,
        model: &Model<'_>,
        draws: &[u32; LANES],
        reach: &Reaches,
        normals: &Block,
        drawn: &mut Sponsorships,
    ) {
        let (priors, key) = (model.priors, model.key);
        let mut shapes = [priors.deals_shape; LANES];
        let (mut rates, mut hidden) = ([0.0; LANES], [1.0; LANES]);
        for lane in 0..LANES {
            rates[lane] = priors.deals_shape / reach.deals[lane];
            drawn.multipliers[lane] = priors.creator_spread * normals[lane];
            drawn.ln_weights[lane] = 0.0;
        }
        let (mut seen_count, mut seen_sum) = (0.0, 0.0);
        let mut shares = [0.0; LANES];
        if let Some(seen) = self.seen {
            let purposes = [Purpose::ReportedFirst as u32, Purpose::ReportedSecond as u32];
            betas(key, draws, purposes, priors.reported_share, &mut shares);
            (seen_count, seen_sum) = (seen.count, seen.sum);
            let prior = priors.creator_spread * priors.creator_spread;
            let noise = priors.deal_price_spread * priors.deal_price_spread / seen.count;
            let gain = prior / (prior + noise);
            let left = (noise * gain).sqrt();
            for lane in 0..LANES {
                let (reported, rate) = (shares[lane], rates[lane]);
                let sum = rate + reported;
                drawn.ln_weights[lane] +=
                    priors.deals_shape * ln_lane(rate / sum) + seen.count * ln_lane(reported / sum);
                shapes[lane] = priors.deals_shape + seen.count;
                rates[lane] = sum;
                hidden[lane] = 1.0 - reported;
                if seen.count > 0.0 {
                    let surprise = seen.mean_ln - reach.ln_price[lane];
                    drawn.ln_weights[lane] -= 0.5 * surprise * surprise / (prior + noise);
                    drawn.multipliers[lane] = gain * surprise + left * normals[lane];
                }
            }
        }
        let mut numbers = [[0.0; LANES]; 4];
        uniforms(key, draws, Purpose::DealCount as u32, 0, &mut numbers);
        let mut unseen = [0.0; LANES];
        if let Some(detected) = &self.detected {
            let purposes = [Purpose::DetectedFirst as u32, Purpose::DetectedSecond as u32];
            betas(key, draws, purposes, priors.detected_share, &mut shares);
            let (mut ln_possible, mut combinations) = ([0.0; LANES], [LnGammas::default(); LANES]);
            overlaps(seen_count, &shares, detected.count, &numbers[0], &mut unseen, &mut ln_possible);
            for lane in 0..LANES {
                unseen[lane] = detected.count - unseen[lane];
                combinations[lane] = detected.ln_gammas(unseen[lane]);
            }
            for lane in 0..LANES {
                let (shown, found, rate) = (shares[lane], unseen[lane], rates[lane]);
                let LnGammas { of_sum, of_shape, of_number } = combinations[lane];
                let thinned = hidden[lane] * shown;
                let sum = rate + thinned;
                drawn.ln_weights[lane] += ln_possible[lane] + of_sum - of_shape - of_number
                    + shapes[lane] * ln_lane(rate / sum)
                    + found * ln_lane(thinned / sum);
                shapes[lane] += found;
                rates[lane] = sum;
                hidden[lane] *= 1.0 - shown;
            }
        }
        let mut arrivals = [0.0; LANES];
        gammas(key, draws, Purpose::DealRate as u32, &shapes, &mut arrivals);
        let mut locations = [0.0; LANES];
        for lane in 0..LANES {
            arrivals[lane] = arrivals[lane] / rates[lane] * hidden[lane];
            locations[lane] = reach.ln_price[lane] + drawn.multipliers[lane];
        }
        poisson_quantiles(&arrivals, &numbers[1], LANES, &mut drawn.counts);
        for (unseen, count) in unseen.iter_mut().zip(&drawn.counts) {
            *unseen += *count;
        }
        let purpose = Purpose::DealPrices as u32;
        self.sum.samples(key, draws, purpose, &unseen, &locations, &mut drawn.amounts);
        for (lane, unseen) in unseen.iter().enumerate() {
            drawn.amounts[lane] += seen_sum;
            drawn.counts[lane] = seen_count + unseen;
        }
    }
}

/// How many of the reported deals are among the shown ones: a binomial number that cannot exceed those
/// shown, and the logarithm of the probability that it does not.
pub(crate) fn overlap(reported: f64, shown: f64, found: f64, u: f64) -> (f64, f64) {
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

/// [`overlap`] for many draws. Sums stop counting where one alone would stop adding, for they never fall.
#[inline(always)]
fn overlaps(
    reported: f64,
    shown: &Block,
    found: f64,
    us: &Block,
    numbers: &mut Block,
    ln_possible: &mut Block,
) {
    if reported > OVERLAP_SUMMED {
        for lane in 0..LANES {
            (numbers[lane], ln_possible[lane]) = overlap(reported, shown[lane], found, us[lane]);
        }
        return;
    }
    let most = reported.min(found);
    let (mut odds, mut none) = ([0.0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        odds[lane] = shown[lane] / (1.0 - shown[lane]);
        none[lane] = exp_lane(reported * ln_lane(1.0 - shown[lane]));
    }
    let (mut terms, mut sums) = (none, none);
    let mut number = 0.0;
    while number < most {
        for lane in 0..LANES {
            terms[lane] = terms[lane] * odds[lane] * (reported - number) / (number + 1.0);
            sums[lane] += terms[lane];
        }
        number += 1.0;
    }
    let mut targets = [0.0; LANES];
    for lane in 0..LANES {
        targets[lane] = us[lane] * sums[lane];
        ln_possible[lane] = ln_lane(sums[lane]);
        numbers[lane] = 0.0;
    }
    (terms, sums, number) = (none, none, 0.0);
    while number < most {
        for lane in 0..LANES {
            numbers[lane] += if sums[lane] < targets[lane] { 1.0 } else { 0.0 };
            terms[lane] = terms[lane] * odds[lane] * (reported - number) / (number + 1.0);
            sums[lane] += terms[lane];
        }
        number += 1.0;
    }
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
