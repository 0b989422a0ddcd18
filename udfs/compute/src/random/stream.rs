use super::{normal_quantile, philox4x32_10};

/// What names a row's random numbers: the seed of the query and the row's own key, mixed to 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowKey([u32; 2]);

impl RowKey {
    /// The key of a row. `identity` is any bytes that name it; equal bytes give equal numbers.
    #[must_use]
    pub fn new(seed: u64, identity: &[u8]) -> Self {
        // FNV-1a, then the finaliser of SplitMix64, which spreads every bit of the sum over all 64.
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        for byte in identity {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        Self(halves(spread(spread(hash) ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))))
    }

    /// The key as the generator takes it.
    #[inline(always)]
    pub(crate) fn words(self) -> [u32; 2] {
        self.0
    }

    /// The blocks of one draw for one purpose.
    #[must_use]
    #[inline]
    pub fn stream(self, draw: u32, purpose: u32) -> Stream {
        Stream { key: self.0, draw, purpose, step: 0 }
    }
}

fn spread(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of a 64-bit word are wanted")]
fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

/// The random blocks of one draw for one purpose, in steps. Purposes never share numbers, so how many
/// steps one takes moves no other.
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    draw: u32,
    purpose: u32,
    step: u32,
}

impl Stream {
    /// Four random words; moves one step on.
    #[inline]
    pub fn words(&mut self) -> [u32; 4] {
        let block = philox4x32_10([self.draw, self.purpose, self.step, 0], self.key);
        self.step += 1;
        block
    }

    /// Four numbers uniform in (0, 1); moves one step on.
    #[inline]
    pub fn uniforms(&mut self) -> [f64; 4] {
        self.words().map(uniform)
    }

    /// Four standard normal numbers; moves one step on.
    #[inline]
    pub fn normals(&mut self) -> [f64; 4] {
        self.words().map(|word| normal_quantile(uniform(word)))
    }
}

/// The middle of the cell a word names: uniform in (0, 1), never 0 or 1, symmetric around one half.
#[must_use]
#[inline(always)]
pub fn uniform(word: u32) -> f64 {
    (f64::from(word) + 0.5) * (1.0 / 4_294_967_296.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_address_changes_the_numbers() {
        let first =
            |seed, identity: &[u8], draw, purpose| RowKey::new(seed, identity).stream(draw, purpose).words();
        let base = first(1, b"UC1", 0, 0);
        assert_eq!(base, first(1, b"UC1", 0, 0));
        for other in
            [first(2, b"UC1", 0, 0), first(1, b"UC2", 0, 0), first(1, b"UC1", 1, 0), first(1, b"UC1", 0, 1)]
        {
            assert_ne!(base, other);
        }
        let mut stream = RowKey::new(1, b"UC1").stream(0, 0);
        assert_eq!(stream.words(), base);
        assert_ne!(stream.words(), base);
    }

    #[test]
    fn uniforms_stay_inside_the_interval() {
        assert!(uniform(0) > 0.0 && uniform(u32::MAX) < 1.0);
        assert_eq!(uniform(0).to_bits(), (1.0 - uniform(u32::MAX)).to_bits());
    }
}
