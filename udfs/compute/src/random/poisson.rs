use super::{Block, exp, exp_lane, normal_lane, normal_quantile};

/// Means below this are inverted term by term.
const SEARCHED: f64 = 10.0;

/// The count at which a Poisson distribution of this mean reaches the probability `u`, for `0 < u < 1`.
///
/// Below a mean of 10 by adding terms (64 at most); above, by the expansion of M. B. Giles, "Algorithm 955:
/// approximation of the inverse Poisson cumulative distribution function" (ACM TOMS 42(1), 2016), whose
/// constant cost suits any mean; its distance from the exact distribution is tested below 3e-4.
#[must_use]
#[inline]
pub fn poisson_quantile(mean: f64, u: f64) -> f64 {
    if mean < SEARCHED { searched(mean, u) } else { expanded(mean, u) }
}

#[inline]
fn searched(mean: f64, u: f64) -> f64 {
    let mut term = exp(-mean);
    let mut reached = term;
    let mut count = 0.0;
    while u > reached && count < 64.0 {
        count += 1.0;
        term *= mean / count;
        reached += term;
    }
    count
}

#[inline]
fn expanded(mean: f64, u: f64) -> f64 {
    expanded_at(mean, normal_quantile(u))
}

#[inline(always)]
fn expanded_at(mean: f64, w: f64) -> f64 {
    let square = w * w;
    let root = mean.sqrt();
    let correction = (1.0 / 3.0 + square / 6.0)
        + (-w / 36.0 - square * w / 72.0) / root
        + (-8.0 / 405.0 + 7.0 * square / 810.0 + square * square / 270.0) / mean;
    (mean + root * w + correction).floor().max(0.0)
}

/// Lanes that count together until the last of them has reached its probability.
const TOGETHER: usize = 16;

/// [`poisson_quantile`] for the first `count` lanes.
#[inline(always)]
pub(crate) fn poisson_quantiles(means: &Block, us: &Block, count: usize, out: &mut Block) {
    for first in (0..count).step_by(TOGETHER) {
        let lanes = first..first + TOGETHER;
        let (means, us, out) = (&means[lanes.clone()], &us[lanes.clone()], &mut out[lanes]);
        search(means, us, out);
        if means.iter().any(|mean| *mean >= SEARCHED) {
            for lane in 0..TOGETHER {
                let expanded = expanded_at(means[lane], normal_lane(us[lane]));
                out[lane] = if means[lane] < SEARCHED { out[lane] } else { expanded };
            }
        }
    }
}

/// Terms are added in every lane until none needs more: what a lane adds after it has reached its probability
/// does not count, for sums never fall.
#[inline(always)]
fn search(means: &[f64], us: &[f64], out: &mut [f64]) {
    let mut terms = [0.0; TOGETHER];
    let mut reached = [0.0; TOGETHER];
    let mut targets = [0.0; TOGETHER];
    let mut counts = [0.0; TOGETHER];
    for lane in 0..TOGETHER {
        terms[lane] = exp_lane(-means[lane]);
        reached[lane] = terms[lane];
        targets[lane] = if means[lane] < SEARCHED { us[lane] } else { 0.0 };
    }
    let mut step = 0.0;
    while step < 64.0 {
        let mut going = 0.0;
        step += 1.0;
        for lane in 0..TOGETHER {
            let more = if targets[lane] > reached[lane] { 1.0 } else { 0.0 };
            counts[lane] += more;
            going += more;
            terms[lane] *= means[lane] / step;
            reached[lane] += terms[lane];
        }
        if going == 0.0 {
            break;
        }
    }
    out.copy_from_slice(&counts);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::ln_gamma;

    /// Compares the cumulative distribution at every count with the exact one.
    #[test]
    fn follows_the_distribution() {
        for mean in [0.0, 0.3, 4.0, 9.99, 10.0, 37.0, 400.0, 20_000.0] {
            let steps = 20_000_u32;
            let mut exact = 0.0;
            let mut count = 0.0;
            let mut below = 0_u32;
            let mut worst = 0.0_f64;
            while exact < 0.999_99 {
                exact += if mean == 0.0 {
                    1.0
                } else {
                    (count * f64::ln(mean) - mean - ln_gamma(count + 1.0)).exp()
                };
                while below < steps
                    && poisson_quantile(mean, (f64::from(below) + 0.5) / f64::from(steps)) <= count
                {
                    below += 1;
                }
                worst = worst.max((exact - f64::from(below) / f64::from(steps)).abs());
                count += 1.0;
            }
            assert!(worst < 3e-4, "mean {mean}: {worst}");
        }
    }
}
