use super::code::{Code, write_digits};

/// A unified business number (統一編號).
pub(crate) type Ban = Code<8>;

const WEIGHTS: [u32; 8] = [1, 2, 1, 2, 1, 2, 4, 1];
const PREFIXES_PER_LEADING_DIGIT: u64 = 1_000_000;

/// The number of the `index`-th business: starts with 9 (from the millionth business on with 8, 7, 6, 5), which marks
/// it as synthetic. Numbers registered before April 2023 satisfy the check modulo 10, later ones only modulo 5.
pub(crate) fn business_ban(index: u64, registered_before_april_2023: bool) -> Ban {
    let leading = 9 - (index / PREFIXES_PER_LEADING_DIGIT).min(4);
    let scattered = (index % PREFIXES_PER_LEADING_DIGIT) * 617_047 % PREFIXES_PER_LEADING_DIGIT;
    let mut digits = [b'0'; 8];
    write_digits(&mut digits[..7], leading * PREFIXES_PER_LEADING_DIGIT + scattered);
    let check = (10 - check_sum(&digits) % 10) % 10;
    let last = if registered_before_april_2023 { check } else { (check + 5) % 10 };
    write_digits(&mut digits[7..], u64::from(last));
    Code(digits)
}

fn check_sum(digits: &[u8; 8]) -> u32 {
    digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| {
            let product = u32::from(digit - b'0') * weight;
            product / 10 + product % 10
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_sum_follows_the_published_examples() {
        for (number, old_rule) in
            [(b"12345676", true), (b"04595257", true), (b"22099131", true), (b"12345671", false)]
        {
            assert_eq!(check_sum(number).is_multiple_of(10), old_rule);
            assert_eq!(check_sum(number) % 5, 0);
        }
    }

    #[test]
    fn numbers_are_valid_under_their_rule_and_differ() {
        let mut seen = BTreeSet::new();
        for index in (0..3000).chain(999_900..1_000_100) {
            let old = business_ban(index, true);
            let new = business_ban(index, false);
            assert_eq!(check_sum(&old.0) % 10, 0);
            assert_eq!(check_sum(&new.0) % 10, 5);
            assert!(matches!(old.0[0], b'8' | b'9'));
            assert!(seen.insert(old) && seen.insert(new), "{old:?} or {new:?} twice");
        }
    }
}
