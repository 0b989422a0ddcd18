use super::{Block, LANES, RowKey, Stream, Words, exp, exp_lane, ln, ln_lane, normal_single, normals, words};

/// Up to this many terms are drawn one by one.
const EXACT: f64 = 6.0;

/// Terms of at most this spread are never drawn one by one: the lognormal of a sum's mean and variance has nine tenths
/// of its skewness or more, and is the term itself where there is one.
const NARROW: f64 = 0.6;

/// Most terms of all the sums drawn together.
const TERMS: usize = 6 * LANES;

/// The sum of independent lognormal terms that share a spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LognormalSum {
    spread: f64,
    excess: f64,
}

impl LognormalSum {
    /// Terms whose logarithms have this standard deviation.
    #[must_use]
    pub fn new(spread: f64) -> Self {
        Self { spread, excess: exp(spread * spread) - 1.0 }
    }

    /// A random sum of `count` terms whose logarithms have the mean `location`. Up to six terms of a wide spread are
    /// drawn one by one; more, and terms of a spread up to 0.6, are replaced by one lognormal of the same mean and
    /// variance (Fenton 1960; Wilkinson), so the cost does not grow with the count.
    #[must_use]
    #[inline]
    pub fn sample(&self, stream: &mut Stream, count: f64, location: f64) -> f64 {
        if count < 1.0 {
            return 0.0;
        }
        let mut words = stream.words();
        if self.is_narrow() || count > EXACT {
            return self.approximation(words[0], count, location);
        }
        let mut sum = 0.0;
        let mut left = count;
        loop {
            for word in words {
                sum += exp(location + self.spread * f64::from(normal_single(word)));
                left -= 1.0;
                if left < 1.0 {
                    return sum;
                }
            }
            words = stream.words();
        }
    }

    /// One lognormal of the mean and variance of the sum.
    pub(crate) fn approximation(&self, word: u32, count: f64, location: f64) -> f64 {
        if count < 1.0 {
            return 0.0;
        }
        let variance = ln(1.0 + self.excess / count);
        let center = ln(count) + location + 0.5 * (self.spread * self.spread - variance);
        exp(center + variance.sqrt() * f64::from(normal_single(word)))
    }

    /// The spread, and by how much the mean square of a term exceeds the square of its mean.
    pub(crate) fn parameters(&self) -> [f64; 2] {
        [self.spread, self.excess]
    }

    /// Whether a sum takes one random word, whatever its count.
    pub(crate) fn is_narrow(&self) -> bool {
        self.spread <= NARROW
    }

    /// [`Self::sample`] for many draws.
    #[inline(always)]
    pub(crate) fn samples(
        &self,
        key: RowKey,
        draws: &[u32],
        purpose: u32,
        counts: &Block,
        locations: &Block,
        out: &mut Block,
    ) {
        let drawn = draws.len().min(LANES);
        let mut first = [[0; LANES]; 4];
        words(key, draws, purpose, 0, &mut first);
        if self.is_narrow() {
            return self.approximate(&first[0], drawn, counts, locations, out);
        }
        let (mut any_many, mut beyond, mut beyond_draws) = (false, 0, [0; LANES]);
        let (mut second_place, mut lengths) = ([0; LANES], [0; LANES]);
        for (lane, draw) in draws.iter().enumerate().take(drawn) {
            any_many |= counts[lane] > EXACT;
            lengths[lane] = if counts[lane] > EXACT { 0 } else { length(counts[lane]) };
            (beyond_draws[beyond], second_place[lane]) = (*draw, beyond);
            beyond += usize::from(lengths[lane] > 4);
        }
        let mut second = [[0; LANES]; 4];
        if beyond > 0 {
            words(key, &beyond_draws[..beyond], purpose, 1, &mut second);
        }
        // One after the other: the terms of every sum, so that few of them are drawn in vain.
        let (mut term_words, mut terms, mut zs) = ([0; TERMS], [0.0; TERMS], [0.0; TERMS]);
        let mut count = 0;
        for lane in 0..drawn {
            for position in 0..lengths[lane] {
                let word = match first.get(position) {
                    Some(words) => words[lane],
                    None => second[position - 4][second_place[lane]],
                };
                (term_words[count], terms[count]) = (word, locations[lane]);
                count += 1;
            }
        }
        for (z, word) in zs[..count].iter_mut().zip(&term_words) {
            *z = normal_single(*word);
        }
        for (term, z) in terms[..count].iter_mut().zip(&zs) {
            *term = exp_lane(*term + self.spread * f64::from(*z));
        }
        let mut next = 0;
        for lane in 0..drawn {
            let mut sum = 0.0;
            for term in &terms[next..next + lengths[lane]] {
                sum += *term;
            }
            next += lengths[lane];
            out[lane] = sum;
        }
        if any_many {
            let mut sums = [0.0; LANES];
            self.approximate(&first[0], drawn, counts, locations, &mut sums);
            for lane in 0..drawn {
                out[lane] = if counts[lane] > EXACT { sums[lane] } else { out[lane] };
            }
        }
    }

    /// [`Self::approximation`] for many draws.
    #[inline(always)]
    pub(crate) fn approximate(
        &self,
        words: &Words,
        drawn: usize,
        counts: &Block,
        locations: &Block,
        out: &mut Block,
    ) {
        let mut zs = [0.0; LANES];
        normals(words, drawn, &mut zs);
        for lane in 0..drawn.min(LANES) {
            let count = counts[lane];
            let variance = ln_lane(1.0 + self.excess / count);
            let center = ln_lane(count) + locations[lane] + 0.5 * (self.spread * self.spread - variance);
            let sum = exp_lane(center + variance.sqrt() * f64::from(zs[lane]));
            out[lane] = if count < 1.0 { 0.0 } else { sum };
        }
    }
}

/// How many terms of a sum of this count are drawn one by one.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most six")]
#[expect(clippy::cast_sign_loss, reason = "a count is not negative")]
fn length(count: f64) -> usize {
    if count > EXACT { 0 } else { count as usize }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RowKey;

    #[test]
    fn has_the_mean_and_spread_of_the_sum() {
        let key = RowKey::new(3, b"sum");
        let counts = [0.0, 1.0, 4.0, 5.0, 6.0, 7.0, 40.0];
        for (count, spread) in counts.into_iter().flat_map(|count| [(count, 0.5), (count, 0.7)]) {
            let sum = LognormalSum::new(spread);
            let values: Vec<f64> =
                (0..100_000).map(|draw| sum.sample(&mut key.stream(draw, 1), count, 2.0)).collect();
            let mean = values.iter().sum::<f64>() / 1e5;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
            let square = spread * spread;
            let expected = count * (2.0 + 0.5 * square).exp();
            let spread = count * (square.exp() - 1.0) * (4.0 + square).exp();
            assert!((mean - expected).abs() <= 5.0 * (spread / 1e5).sqrt(), "mean of {count}: {mean}");
            assert!((variance - spread).abs() <= 0.08 * spread, "variance of {count}: {variance}");
        }
    }
}
