//! Counter-based random numbers: any draw can be had without the draws before it, so files do not
//! depend on the order in which threads work.
//!
//! The generator is Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3");
//! logarithms and exponentials come from `libm`, which gives the same bits on every machine.

/// What a stream of random numbers is for; keeps the streams of different tables apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Topic {
    Taxpayer = 1,
    Business = 2,
    Evasion = 3,
    Volume = 4,
    Invoice = 5,
    Filing = 6,
    Payslip = 7,
    Return = 8,
    LocalTax = 9,
    Creator = 10,
    CreatorYear = 11,
    Document = 12,
    Donation = 13,
    Page = 14,
    Remittance = 15,
    PlatformReport = 16,
    Revenue = 17,
    Channel = 18,
    LinkKey = 19,
}

/// A stream of random numbers keyed by (seed, topic, part, entity).
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    buffer: [u32; 4],
    used: usize,
}

fn halves(value: u64) -> [u32; 2] {
    let b = value.to_le_bytes();
    [u32::from_le_bytes([b[0], b[1], b[2], b[3]]), u32::from_le_bytes([b[4], b[5], b[6], b[7]])]
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let [low_0, high_0] = halves(u64::from(counter[0]) * 0xD251_1F53);
        let [low_1, high_1] = halves(u64::from(counter[2]) * 0xCD9E_8D57);
        counter = [high_1 ^ counter[1] ^ key[0], low_1, high_0 ^ counter[3] ^ key[1], low_0];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

impl Stream {
    /// `part` is a period, year or other subdivision below 2^20.
    pub(crate) fn new(seed: u64, topic: Topic, part: u32, entity: u64) -> Self {
        let [low, high] = halves(entity);
        let purpose = ((topic as u32) << 20) | (part & 0xF_FFFF);
        Self { key: halves(seed), counter: [0, purpose, low, high], buffer: [0; 4], used: 4 }
    }

    pub(crate) fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.buffer = philox(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        let word = self.buffer[self.used];
        self.used += 1;
        word
    }

    /// Uniform in `0..bound` (0 for a bound of 0).
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        halves(u64::from(self.word()) * u64::from(bound))[1]
    }

    pub(crate) fn index(&mut self, bound: usize) -> usize {
        self.below(u32::try_from(bound).unwrap_or(u32::MAX)) as usize
    }

    /// Uniform in `low..=high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::from(self.below(u32::try_from(high - low + 1).unwrap_or(0)))
    }

    pub(crate) fn days(&mut self, low: i32, high: i32) -> i32 {
        low + i32::try_from(self.below(u32::try_from(high - low + 1).unwrap_or(0))).unwrap_or(0)
    }

    /// True with a chance of `chance` in a thousand.
    pub(crate) fn per_mille(&mut self, chance: u32) -> bool {
        self.below(1000) < chance
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> Option<&'a T> {
        from.get(self.index(from.len())).copied()
    }

    /// Index drawn in proportion to the steps of a rising table.
    pub(crate) fn weighted(&mut self, cumulative: &[u32]) -> usize {
        let total = cumulative.last().copied().unwrap_or(0);
        let point = self.below(total);
        cumulative.partition_point(|&edge| edge <= point)
    }

    /// Uniform in the open interval (0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (f64::from(self.word()) + 0.5) / 4_294_967_296.0
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Standard normal (Box–Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    pub(crate) fn log_normal(&mut self, median: f64, log_sd: f64) -> f64 {
        median * libm::exp(log_sd * self.normal())
    }

    /// Gamma with scale 1 (Marsaglia and Tsang 2000).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boosted = self.gamma(shape + 1.0);
            return boosted * libm::pow(self.unit(), 1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && libm::log(self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    pub(crate) fn beta(&mut self, a: f64, b: f64) -> f64 {
        let x = self.gamma(a);
        x / (x + self.gamma(b))
    }

    /// Poisson by inversion; above 30 by a rounded normal.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 30.0 {
            let draw = to_whole(mean + libm::sqrt(mean) * self.normal());
            return u32::try_from(draw.max(0)).unwrap_or(0);
        }
        let limit = libm::exp(-mean);
        let mut product = self.unit();
        let mut count = 0;
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// Rounds half away from zero; what does not fit becomes the nearest bound, NaN becomes 0.
#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate, which is the contract")]
pub(crate) fn to_whole(value: f64) -> i64 {
    libm::round(value) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_vectors() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn draws_have_the_moments_of_their_distribution() {
        fn check(name: &str, expected: f64, tolerance: f64, mut draw: impl FnMut(&mut Stream) -> f64) {
            let mut stream = Stream::new(7, Topic::Creator, 0, 1);
            let mean = (0..20_000).map(|_| draw(&mut stream)).sum::<f64>() / 20_000.0;
            assert!((mean - expected).abs() < tolerance, "{name}: mean {mean}, expected {expected}");
        }
        check("unit", 0.5, 0.01, Stream::unit);
        check("normal", 0.0, 0.03, Stream::normal);
        check("gamma", 1.2, 0.04, |s| s.gamma(1.2));
        check("small gamma", 0.5, 0.03, |s| s.gamma(0.5));
        check("beta", 6.0 / 7.0, 0.01, |s| s.beta(6.0, 1.0));
        check("poisson", 4.0, 0.08, |s| f64::from(s.poisson(4.0)));
        check("large poisson", 50.0, 0.3, |s| f64::from(s.poisson(50.0)));
        check("below", 4.5, 0.08, |s| f64::from(s.below(10)));
    }

    #[test]
    fn streams_of_other_keys_differ() {
        let words = |mut s: Stream| [s.word(), s.word(), s.word()];
        let base = words(Stream::new(1, Topic::Taxpayer, 0, 0));
        for other in [
            Stream::new(2, Topic::Taxpayer, 0, 0),
            Stream::new(1, Topic::Business, 0, 0),
            Stream::new(1, Topic::Taxpayer, 1, 0),
            Stream::new(1, Topic::Taxpayer, 0, 1),
        ] {
            assert_ne!(base, words(other));
        }
    }
}
