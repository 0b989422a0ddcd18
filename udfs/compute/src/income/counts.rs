use crate::random::{exp, ln, ln_gamma};

/// Entries of a table; numbers that spread wider are counted in steps.
const MOST_ENTRIES: usize = 2048;
/// What the next entry may add, as a share of all before, for the table to end: of single numbers, and of steps.
const NEGLIGIBLE: [f64; 2] = [1.0 / 68_719_476_736.0, 1.0 / 16_777_216.0];
/// Guides to a table's entries: one for each first byte of a word.
const GUIDES: usize = 256;
/// Where a growing product is scaled down, and by what.
const HUGE: f64 = 1e200;

/// Those of a number that could be noticed, each with the same probability, which has a beta distribution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noticed {
    pub(crate) count: f64,
    pub(crate) share: (f64, f64),
}

/// The exact distribution of a negative binomial number given how many of it were noticed, for one or more expected
/// values, as a table that a random word is looked up in.
///
/// With λ gamma distributed and N Poisson of mean λ, N is negative binomial; given N and a beta distributed probability
/// of being noticed, the noticed are beta-binomial. Being noticed in one way says nothing of the other, so
/// `P(N | n, k) ∝ NB(N; r, μ) · BB(n; N, a, b) · BB(k; N, c, d)`, whose terms follow from one another by ratios.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    least: f64,
    step: f64,
    length: usize,
    /// By expected value, then by entry: the words below it give this entry or an earlier one.
    thresholds: Vec<u32>,
    guides: Vec<u16>,
    ln_probabilities: Vec<f64>,
}

impl Counts {
    /// The distribution of the number less `known`, which are among those noticed, for a gamma distribution of this
    /// shape and each of these means.
    pub(crate) fn new(shape: f64, means: &[f64], noticed: &[Noticed], known: f64) -> Self {
        let first = noticed.iter().map(|noticed| noticed.count).fold(0.0, f64::max);
        let growths: Vec<f64> = means.iter().map(|mean| mean / (shape + mean)).collect();
        let fastest = growths.iter().copied().fold(0.0, f64::max);
        let mut step = 1.0;
        let ratios = loop {
            if let Some(ratios) = ratios(shape, noticed, first, step, fastest) {
                break ratios;
            }
            step *= 4.0;
        };
        let length = ratios.len() + 1;
        let mut counts = Self {
            least: first - known + (0.5 * (step - 1.0)).floor(),
            step,
            length,
            thresholds: Vec::with_capacity(length * growths.len()),
            guides: Vec::with_capacity(GUIDES * growths.len()),
            ln_probabilities: Vec::with_capacity(growths.len()),
        };
        let mut sums = vec![0.0; length];
        for growth in growths {
            counts.push(&ratios, growth, shape, first, &mut sums);
        }
        counts
    }

    fn push(&mut self, ratios: &[f64], growth: f64, shape: f64, first: f64, sums: &mut [f64]) {
        let growth_of_step = growth_of(growth, self.step);
        let (mut term, mut sum, mut scales) = (1.0, 1.0, 0.0);
        sums[0] = sum;
        for (place, ratio) in ratios.iter().enumerate() {
            term *= ratio * growth_of_step;
            if term > HUGE {
                (term, sum, scales) = (term / HUGE, sum / HUGE, scales + 1.0);
                sums[..=place].iter_mut().for_each(|sum| *sum /= HUGE);
            }
            sum += term;
            sums[place + 1] = sum;
        }
        let from = self.thresholds.len();
        let unit = 4_294_967_296.0 / sum;
        self.thresholds.extend(sums.iter().map(|sum| word(sum * unit)));
        let thresholds = &self.thresholds[from..];
        let mut entry = 0_u16;
        for first_byte in 0_u32..256 {
            let least = first_byte << 24;
            while usize::from(entry) + 1 < thresholds.len() && thresholds[usize::from(entry)] <= least {
                entry += 1;
            }
            self.guides.push(entry);
        }
        let first = first + 0.5 * (self.step - 1.0);
        let found = if first > 0.0 { first * ln(growth) } else { 0.0 };
        self.ln_probabilities.push(shape * ln(1.0 - growth) + found + ln(sum) + scales * ln(HUGE));
    }

    /// The number that a random word gives for an expected value.
    #[inline(always)]
    pub(crate) fn of_word(&self, mean: usize, word: u32) -> f64 {
        let thresholds = &self.thresholds[mean * self.length..][..self.length];
        let mut entry = usize::from(self.guides[mean * GUIDES + (word >> 24) as usize]);
        while entry + 1 < thresholds.len() && thresholds[entry] <= word {
            entry += 1;
        }
        self.least + self.step * entry as f64
    }

    /// The first number, how far apart the numbers are, how many there are, and their thresholds.
    pub(crate) fn table(&self) -> (f64, f64, usize, &[u32]) {
        (self.least, self.step, self.length, &self.thresholds)
    }

    /// Logarithm of how probable the noticed are for each expected value, up to a constant.
    pub(crate) fn ln_probabilities(&self) -> &[f64] {
        &self.ln_probabilities
    }
}

fn growth_of(growth: f64, step: f64) -> f64 {
    if step > 1.0 { exp(step * ln(growth)) } else { growth }
}

/// Ratios of entries to those before, but for the power of the growth; `None` where they are too many. An entry of
/// several numbers has the probability of the middle one.
fn ratios(shape: f64, noticed: &[Noticed], first: f64, step: f64, growth: f64) -> Option<Vec<f64>> {
    let growth = growth_of(growth, step);
    let negligible = NEGLIGIBLE[usize::from(step > 1.0)];
    let (mut term, mut sum) = (1.0, 1.0);
    let mut ratios = Vec::with_capacity(64);
    let mut number = first + 0.5 * (step - 1.0);
    let mut before = if step > 1.0 { ln_arrangements(shape, noticed, number) } else { 0.0 };
    loop {
        let ratio = if step > 1.0 {
            let after = ln_arrangements(shape, noticed, number + step);
            let ratio = exp(after - before);
            before = after;
            ratio
        } else {
            following(shape, noticed, number)
        };
        term *= ratio * growth;
        sum += term;
        if term > HUGE {
            (term, sum) = (term / HUGE, sum / HUGE);
        }
        // What is no number ends it too.
        let goes_on = ratio * growth >= 1.0 || term >= negligible * sum;
        if !goes_on {
            return Some(ratios);
        }
        if ratios.len() + 1 >= MOST_ENTRIES {
            return None;
        }
        ratios.push(ratio);
        number += step;
    }
}

/// The probability of the next number over that of this one, but for the growth.
fn following(shape: f64, noticed: &[Noticed], number: f64) -> f64 {
    let arrival = (number + shape) / (number + 1.0);
    noticed.iter().fold(arrival, |ratio, Noticed { count, share: (a, b) }| {
        let unnoticed = number - count;
        ratio * ((number + 1.0) / (unnoticed + 1.0)) * ((unnoticed + b) / (number + a + b))
    })
}

/// Logarithm of the probability of a number, but for the growth and a constant.
fn ln_arrangements(shape: f64, noticed: &[Noticed], number: f64) -> f64 {
    noticed.iter().fold(ln_gamma_ratio(number, shape), |sum, Noticed { count, share: (a, b) }| {
        sum + ln_gamma_ratio(number - count, *b) - ln_gamma_ratio(number, a + b)
    })
}

/// `ln(Γ(x + by) / Γ(x + 1))`, which for large `x` no difference of two logarithms would leave enough digits.
fn ln_gamma_ratio(x: f64, by: f64) -> f64 {
    if x < 1e6 { ln_gamma(x + by) - ln_gamma(x + 1.0) } else { (by - 1.0) * ln(x + 0.5 * by) }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the words")]
#[expect(clippy::cast_sign_loss, reason = "a sum is not negative")]
fn word(value: f64) -> u32 {
    value.min(4_294_967_295.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{RowKey, beta, gamma, poisson_quantile};

    const REPORTED: (f64, f64) = (6.0, 4.0);
    const SHOWN: (f64, f64) = (5.0, 5.0);

    fn ln_choose(of: f64, number: f64) -> f64 {
        ln_gamma(of + 1.0) - ln_gamma(number + 1.0) - ln_gamma(of - number + 1.0)
    }

    fn ln_beta(a: f64, b: f64) -> f64 {
        ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
    }

    /// Logarithm of the joint probability of the number and of what was noticed of it.
    fn ln_joint(number: f64, shape: f64, mean: f64, noticed: &[Noticed]) -> f64 {
        let arrivals = ln_gamma(number + shape) - ln_gamma(shape) - ln_gamma(number + 1.0)
            + shape * ln(shape / (shape + mean))
            + number * ln(mean / (shape + mean));
        noticed.iter().fold(arrivals, |sum, Noticed { count, share: (a, b) }| {
            sum + ln_choose(number, *count) + ln_beta(count + a, number - count + b) - ln_beta(*a, *b)
        })
    }

    fn shares(counts: &Counts, mean: usize) -> Vec<f64> {
        let mut before = 0.0;
        let thresholds = &counts.thresholds[mean * counts.length..][..counts.length];
        let share = |threshold: &u32| {
            let share = (f64::from(*threshold) - before) / 4_294_967_295.0;
            before = f64::from(*threshold);
            share
        };
        thresholds.iter().map(share).collect()
    }

    #[test]
    fn is_the_distribution_by_its_densities() {
        let check = |shape: f64, means: &[f64], noticed: &[Noticed], known: f64| {
            let counts = Counts::new(shape, means, noticed, known);
            for (place, mean) in means.iter().enumerate() {
                let first = counts.least + known;
                let joint: Vec<f64> = (0..4000_u32)
                    .map(|more| ln_joint(first + f64::from(more), shape, *mean, noticed).exp())
                    .collect();
                let sum: f64 = joint.iter().sum();
                let shares = shares(&counts, place);
                for (more, joint) in joint.iter().enumerate() {
                    let found = shares.get(more).copied().unwrap_or(0.0);
                    assert!((found - joint / sum).abs() < 2e-9, "{more} of {counts:?}: {found}");
                }
                let expected = sum.ln() - ln_joint_constant(first, shape, noticed);
                let found = counts.ln_probabilities()[place];
                assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} {expected}");
            }
        };
        let reported = |count: f64| Noticed { count, share: REPORTED };
        let shown = |count: f64| Noticed { count, share: SHOWN };
        check(1.2, &[1.0, 5.0, 36.0], &[], 0.0);
        check(1.2, &[1.0, 36.0], &[reported(0.0)], 0.0);
        check(1.2, &[1.0, 9.0, 36.0], &[reported(3.0), shown(7.0)], 3.0);
        check(0.4, &[2.0], &[reported(30.0), shown(2.0)], 30.0);
        check(1.2, &[14.0], &[shown(60.0)], 0.0);
    }

    /// What the first term has that does not depend on the mean: the table leaves it out.
    fn ln_joint_constant(first: f64, shape: f64, noticed: &[Noticed]) -> f64 {
        ln_joint(first, shape, 1.0, noticed)
            - shape * ln(shape / (shape + 1.0))
            - first * ln(1.0 / (shape + 1.0))
    }

    /// Against the process itself: rates, deals, and each deal noticed or not.
    #[test]
    fn is_the_distribution_of_simulated_deals() {
        let (shape, mean) = (1.2, 6.0);
        let key = RowKey::new(4, b"counts");
        let (mut cases, mut sum, mut none) = (0.0, 0.0, 0.0);
        for case in 0..400_000_u32 {
            let mut chances = key.stream(case, 9);
            let [u, mut state, ..] = chances.uniforms();
            let rate = gamma(&mut key.stream(case, 0), shape) / shape * mean;
            let number = poisson_quantile(rate, u);
            let reported = beta(&mut key.stream(case, 1), &mut key.stream(case, 2), 6.0, 4.0);
            let shown = beta(&mut key.stream(case, 3), &mut key.stream(case, 4), 5.0, 5.0);
            let (mut n, mut k, mut left) = (0.0, 0.0, number);
            while left >= 1.0 {
                let [one, other, ..] = chances.uniforms();
                state = (state + one) % 1.0;
                n += if one < reported { 1.0 } else { 0.0 };
                k += if other < shown { 1.0 } else { 0.0 };
                left -= 1.0;
            }
            if (n, k) == (2.0, 3.0) {
                cases += 1.0;
                sum += number - n;
                none += if number - n == 1.0 { 1.0 } else { 0.0 };
            }
        }
        let noticed = [Noticed { count: 2.0, share: REPORTED }, Noticed { count: 3.0, share: SHOWN }];
        let counts = Counts::new(shape, &[mean], &noticed, 2.0);
        let shares = shares(&counts, 0);
        let expected: f64 =
            shares.iter().zip(0_u32..).map(|(share, more)| share * (counts.least + f64::from(more))).sum();
        assert!(cases > 5000.0 && (sum / cases - expected).abs() < 0.15, "{} {expected}", sum / cases);
        assert!((none / cases - shares[0]).abs() < 0.02, "{} {}", none / cases, shares[0]);
    }

    #[test]
    fn a_word_finds_its_entry() {
        let noticed = [Noticed { count: 4.0, share: REPORTED }];
        let counts = Counts::new(1.2, &[3.0, 30.0], &noticed, 4.0);
        for mean in 0..2 {
            let thresholds = &counts.thresholds[mean * counts.length..][..counts.length];
            for word in (0..u32::MAX).step_by(65_521).chain([0, u32::MAX]) {
                let entry = thresholds.iter().filter(|threshold| **threshold <= word).count();
                let expected = entry.min(counts.length - 1) as f64;
                assert_eq!(counts.of_word(mean, word).to_bits(), expected.to_bits(), "{word}");
            }
        }
    }

    /// A share of the deals that is reported, of a beta distribution alone: deals far beyond what is expected say
    /// nothing else.
    #[test]
    fn many_are_counted_in_steps() {
        let noticed = [Noticed { count: 100_000.0, share: REPORTED }];
        let counts = Counts::new(1.2, &[1e9], &noticed, 100_000.0);
        assert!(counts.step > 1.0 && counts.length <= MOST_ENTRIES, "{}", counts.length);
        // Of N ∝ N^(r - 1) · BB(n; N, a, b), the share n / N is beta (a - r, b); a step is a tenth of its spread.
        let density = |share: f64| share.powf(REPORTED.0 - 1.2 - 1.0) * (1.0 - share).powf(REPORTED.1 - 1.0);
        let middles = (0..10_000_u32).map(|i| (f64::from(i) + 0.5) / 10_000.0);
        let all: f64 = middles.clone().map(density).sum();
        for share in [0.3, 0.5, 0.7, 0.9] {
            let unseen = 100_000.0 / share - 100_000.0;
            let found = (0..1000).filter(|i| counts.of_word(0, uniform_word(*i)) > unseen).count() as f64;
            let expected: f64 = middles.clone().filter(|middle| *middle < share).map(density).sum();
            assert!((found / 1000.0 - expected / all).abs() < 0.03, "{share}: {found} {}", expected / all);
        }
        let none = Counts::new(1.2, &[0.0], &[], 0.0);
        assert!(none.of_word(0, u32::MAX) == 0.0);
    }

    fn uniform_word(i: u32) -> u32 {
        i * 4_294_967 + 2_147_483
    }
}
