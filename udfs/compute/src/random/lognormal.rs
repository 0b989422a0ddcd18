use super::{
    Block, LANES, RowKey, Stream, exp, exp_lane, ln, ln_lane, normal_lane, normal_quantile, uniform, uniforms,
};

/// Up to this many terms are drawn one by one.
const EXACT: f64 = 6.0;

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

    /// A random sum of `count` terms whose logarithms have the mean `location`. Up to six terms are drawn
    /// one by one; more are replaced by one lognormal of the same mean and variance (Fenton 1960; Wilkinson),
    /// so the cost does not grow with the count.
    #[must_use]
    #[inline]
    pub fn sample(&self, stream: &mut Stream, count: f64, location: f64) -> f64 {
        if count < 1.0 {
            return 0.0;
        }
        let mut words = stream.words();
        if count > EXACT {
            let variance = ln(1.0 + self.excess / count);
            let center = ln(count) + location + 0.5 * (self.spread * self.spread - variance);
            return exp(center + variance.sqrt() * normal_quantile(uniform(words[0])));
        }
        let mut sum = 0.0;
        let mut left = count;
        loop {
            for word in words {
                sum += exp(location + self.spread * normal_quantile(uniform(word)));
                left -= 1.0;
                if left < 1.0 {
                    return sum;
                }
            }
            words = stream.words();
        }
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
        let mut first = [[0.5; LANES]; 4];
        uniforms(key, draws, purpose, 0, &mut first);
        let spread = self.spread;
        let (mut any_many, mut beyond, mut beyond_draws) = (false, 0, [0; LANES]);
        let (mut second_place, mut lengths) = ([0; LANES], [0; LANES]);
        for (lane, draw) in draws.iter().enumerate() {
            any_many |= counts[lane] > EXACT;
            lengths[lane] = length(counts[lane]);
            if lengths[lane] > 4 {
                (beyond_draws[beyond], second_place[lane]) = (*draw, beyond);
                beyond += 1;
            }
        }
        let mut second = [[0.5; LANES]; 4];
        if beyond > 0 {
            uniforms(key, &beyond_draws[..beyond], purpose, 1, &mut second);
        }
        // One after the other: the terms of every sum, so that few of them are drawn in vain.
        let (mut terms, mut places) = ([0.5; TERMS], [0.0; TERMS]);
        let mut drawn = 0;
        for lane in 0..draws.len().min(LANES) {
            for position in 0..lengths[lane] {
                let number = match first.get(position) {
                    Some(numbers) => numbers[lane],
                    None => second[position - 4][second_place[lane]],
                };
                (terms[drawn], places[drawn]) = (number, locations[lane]);
                drawn += 1;
            }
        }
        for (term, place) in terms[..drawn].iter_mut().zip(&places) {
            *term = exp_lane(place + spread * normal_lane(*term));
        }
        let mut next = 0;
        for lane in 0..draws.len().min(LANES) {
            let mut sum = 0.0;
            for term in &terms[next..next + lengths[lane]] {
                sum += *term;
            }
            next += lengths[lane];
            out[lane] = sum;
        }
        if any_many {
            for lane in 0..draws.len().min(LANES) {
                let count = counts[lane];
                let variance = ln_lane(1.0 + self.excess / count);
                let center = ln_lane(count) + locations[lane] + 0.5 * (spread * spread - variance);
                let sum = exp_lane(center + variance.sqrt() * normal_lane(first[0][lane]));
                out[lane] = if count > EXACT { sum } else { out[lane] };
            }
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
        let sum = LognormalSum::new(0.5);
        for count in [0.0, 1.0, 4.0, 5.0, 6.0, 7.0, 40.0] {
            let values: Vec<f64> =
                (0..100_000).map(|draw| sum.sample(&mut key.stream(draw, 1), count, 2.0)).collect();
            let mean = values.iter().sum::<f64>() / 1e5;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
            let expected = count * (2.0_f64 + 0.125).exp();
            let spread = count * (0.25_f64.exp() - 1.0) * (4.0_f64 + 0.25).exp();
            assert!((mean - expected).abs() <= 5.0 * (spread / 1e5).sqrt(), "mean of {count}: {mean}");
            assert!((variance - spread).abs() <= 0.05 * spread, "variance of {count}: {variance}");
        }
    }
}
