use super::{Stream, exp, ln, normal_quantile, uniform};

/// Attempts before the mode is given. Each is refused with a probability below 0.05.
const ATTEMPTS: u32 = 16;

/// A gamma-distributed number of this shape (above 0) and scale 1: Marsaglia and Tsang, "A simple method
/// for generating gamma variables" (ACM TOMS 26(3), 2000), with a bounded number of attempts of one step each.
#[must_use]
pub fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    let boosted = if shape < 1.0 { shape + 1.0 } else { shape };
    let d = boosted - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    let mut boost = 1.0;
    for attempt in 0..ATTEMPTS {
        let [z, u, spare, _] = stream.words();
        if attempt == 0 && shape < 1.0 {
            boost = exp(ln(uniform(spare)) / shape);
        }
        let z = normal_quantile(uniform(z));
        let root = 1.0 + c * z;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let u = uniform(u);
        let square = z * z;
        if u < 1.0 - 0.0331 * square * square || ln(u) < 0.5 * square + d * (1.0 - v + ln(v)) {
            return d * v * boost;
        }
    }
    d * boost
}

/// A beta-distributed number, from two gammas on their own streams.
#[must_use]
pub fn beta(first: &mut Stream, second: &mut Stream, a: f64, b: f64) -> f64 {
    let x = gamma(first, a);
    x / (x + gamma(second, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RowKey;

    fn moments(sample: impl Fn(u32) -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..100_000).map(sample).collect();
        let mean = values.iter().sum::<f64>() / 100_000.0;
        (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 100_000.0)
    }

    #[test]
    fn has_the_moments_of_the_distribution() {
        let key = RowKey::new(7, b"gamma");
        for shape in [0.3, 1.0, 1.2, 6.0, 250.0] {
            let (mean, variance) = moments(|draw| gamma(&mut key.stream(draw, 1), shape));
            assert!((mean - shape).abs() < 5.0 * (shape / 1e5).sqrt(), "mean {mean} of shape {shape}");
            assert!((variance / shape - 1.0).abs() < 0.05, "variance {variance} of shape {shape}");
        }
        let (mean, variance) =
            moments(|draw| beta(&mut key.stream(draw, 2), &mut key.stream(draw, 3), 6.0, 4.0));
        assert!((mean - 0.6).abs() < 0.003 && (variance - 0.24 / 11.0).abs() < 0.001, "{mean} {variance}");
    }
}
