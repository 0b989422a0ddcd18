use super::code::{Code, write_digits};

/// A national identification number (國民身分證統一編號).
pub(crate) type NationalId = Code<10>;

/// Letters that are no longer issued, with their two-digit values.
const RETIRED_LETTERS: [(u8, u64); 4] = [(b'L', 20), (b'R', 25), (b'S', 26), (b'Y', 31)];

/// The number of the `index`-th person: its letter is no longer issued, which marks it as synthetic.
pub(crate) fn national_id(index: u64, male: bool) -> NationalId {
    let (letter, value) = RETIRED_LETTERS[usize::try_from(index % 4).unwrap_or(0)];
    let mut id = [b'0'; 10];
    id[0] = letter;
    id[1] = if male { b'1' } else { b'2' };
    write_digits(&mut id[2..9], (index / 4) * 6_170_471 % 10_000_000);
    let digits: u64 =
        id[1..9].iter().zip((1..=8).rev()).map(|(d, weight)| u64::from(d - b'0') * weight).sum();
    let sum = value / 10 + value % 10 * 9 + digits;
    write_digits(&mut id[9..], (10 - sum % 10) % 10);
    Code(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(id: &[u8; 10], letter_value: u64) -> bool {
        let weights = [8, 7, 6, 5, 4, 3, 2, 1, 1];
        let digits: u64 = id[1..].iter().zip(weights).map(|(d, w)| u64::from(d - b'0') * w).sum();
        (letter_value / 10 + letter_value % 10 * 9 + digits).is_multiple_of(10)
    }

    #[test]
    fn numbers_are_valid_and_marked() {
        assert!(valid(b"A123456789", 10));
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..5000 {
            let id = national_id(index, index % 3 == 0);
            let (_, value) = RETIRED_LETTERS.into_iter().find(|(letter, _)| *letter == id.0[0]).unwrap();
            assert!(valid(&id.0, value), "{id:?}");
            assert!(seen.insert(id));
        }
    }
}
