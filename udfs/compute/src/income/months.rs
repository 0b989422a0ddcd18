/// Deals or campaigns that are placed in months one by one; of more, equal parts are.
const PLACED: usize = 8;
/// Monthly sales of services from which a business must register, and from which invoices are due, NT$.
const THRESHOLDS: [f64; 2] = [50_000.0, 200_000.0];
/// Beyond the rounding of sums of parts.
const ROUNDED_UP: f64 = 1.0 + 1e-9;

/// By a number of parts and a number less one: the words below it put at most that number of the parts in one month.
pub(crate) const MOST_TOGETHER: [[u32; PLACED]; PLACED + 1] = most_together();

/// An amount in a number of equal parts, each of which falls in a month.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lump {
    pub(crate) amount: f64,
    pub(crate) count: f64,
}

impl Lump {
    /// How many parts are placed.
    #[inline(always)]
    fn parts(&self) -> f64 {
        if self.count < PLACED as f64 { self.count } else { PLACED as f64 }
    }

    #[inline(always)]
    fn part(&self) -> f64 {
        if self.count < 1.0 { 0.0 } else { self.amount / self.parts() }
    }
}

/// How many of the thresholds the highest month surely reaches and may reach, whatever months the lumps fall in: it
/// has at least one part of each and at most all of them.
#[inline(always)]
pub(crate) fn bounds(steady: f64, lumps: [Lump; 2]) -> [f64; 2] {
    let (first, second) = (lumps[0].part(), lumps[1].part());
    let least = steady + if first > second { first } else { second };
    let most = (steady + (lumps[0].amount + lumps[1].amount)) * ROUNDED_UP;
    [reached(least), reached(most)]
}

/// How many of the thresholds an amount reaches.
#[inline(always)]
pub(crate) fn reached(amount: f64) -> f64 {
    let [first, second] = THRESHOLDS;
    (if amount >= first { 1.0 } else { 0.0 }) + if amount >= second { 1.0 } else { 0.0 }
}

/// The highest month when the lumps fall in random months. Of one lump only the number of parts that fall together
/// matters, and that takes the first word; two are placed part by part, a byte each.
#[inline(always)]
pub(crate) fn peak(words: [u32; 4], lumps: [Lump; 2]) -> f64 {
    let [first, second] = lumps;
    if first.count < 1.0 {
        return highest_of_one(words[0], second);
    }
    if second.count < 1.0 {
        return highest_of_one(words[0], first);
    }
    let mut months = [0.0_f64; 12];
    for (lump, words) in lumps.into_iter().zip([[words[0], words[1]], [words[2], words[3]]]) {
        let part = lump.part();
        let mut left = lump.count;
        for byte in words.into_iter().flat_map(u32::to_le_bytes) {
            if left < 1.0 {
                break;
            }
            months[(usize::from(byte) * 12) >> 8] += part;
            left -= 1.0;
        }
    }
    months.into_iter().fold(0.0, |highest, month| if month > highest { month } else { highest })
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most eight")]
#[expect(clippy::cast_sign_loss, reason = "a count is not negative")]
fn highest_of_one(word: u32, lump: Lump) -> f64 {
    let parts = lump.parts() as usize;
    let mut together = 1.0;
    for most in &MOST_TOGETHER[parts.min(PLACED)] {
        if word < *most {
            break;
        }
        together += 1.0;
    }
    lump.part() * together
}

/// Counts the ways to put so many parts in twelve months.
#[expect(clippy::cast_possible_truncation, reason = "shares of at most one, in words")]
const fn most_together() -> [[u32; PLACED]; PLACED + 1] {
    let mut table = [[u32::MAX; PLACED]; PLACED + 1];
    let mut most = 1;
    while most < PLACED {
        // Ways to put so many parts in the months so far, none of which gets more than `most`.
        let mut ways = [0_u64; PLACED + 1];
        ways[0] = 1;
        let mut month = 0;
        while month < 12 {
            let mut parts = PLACED;
            loop {
                let (mut sum, mut choose, mut here) = (0, 1, 0);
                while here <= most && here <= parts {
                    sum += choose * ways[parts - here];
                    choose = choose * (parts - here) as u64 / (here as u64 + 1);
                    here += 1;
                }
                ways[parts] = sum;
                if parts == 0 {
                    break;
                }
                parts -= 1;
            }
            month += 1;
        }
        let (mut parts, mut all) = (0, 1_u64);
        while parts <= PLACED {
            let share = ((ways[parts] as u128) << 32) / all as u128;
            table[parts][most - 1] = if share > u32::MAX as u128 { u32::MAX } else { share as u32 };
            all *= 12;
            parts += 1;
        }
        most += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RowKey;

    #[test]
    fn one_lump_lies_together_as_often_as_part_by_part() {
        let key = RowKey::new(1, b"months");
        for count in [1.0, 2.0, 3.0, 5.0, 8.0, 30.0] {
            let lump = Lump { amount: 8.0 * count, count };
            // A second lump too small to matter has the first one placed part by part.
            let small = Lump { amount: 1e-9, count: 1.0 };
            let none = Lump { amount: 0.0, count: 0.0 };
            let sample = |purpose, lumps| {
                let heights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
                let found: Vec<f64> = (0..100_000)
                    .map(|draw| (peak(key.stream(draw, purpose).words(), lumps) / lump.part()).round())
                    .collect();
                heights.map(|height| found.iter().filter(|found| **found == height).count() as f64)
            };
            let (together, apart) = (sample(0, [lump, none]), sample(1, [lump, small]));
            assert_eq!(together, sample(0, [none, lump]));
            for (one, other) in together.iter().zip(apart) {
                let spread = 5.0 * (2.0 * one + 25.0).sqrt();
                assert!((one - other).abs() < spread, "{count}: {together:?} {apart:?}");
            }
        }
    }

    #[test]
    fn bounds_hold_whatever_the_months() {
        let key = RowKey::new(2, b"bounds");
        for draw in 0..20_000 {
            let [a, b, c, d] = key.stream(draw, 0).uniforms();
            let lumps = [
                Lump { amount: 400_000.0 * a, count: (12.0 * b).floor() },
                Lump { amount: 300_000.0 * c, count: (3.0 * d).floor() },
            ];
            let lumps = lumps.map(|lump| if lump.count < 1.0 { Lump { amount: 0.0, ..lump } } else { lump });
            let steady = 60_000.0 * (a + d);
            let [least, most] = bounds(steady, lumps);
            let found = reached(steady + peak(key.stream(draw, 1).words(), lumps));
            assert!((least..=most).contains(&found), "{lumps:?}: {least} {found} {most}");
        }
    }
}
