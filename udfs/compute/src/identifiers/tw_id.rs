use super::digits;

/// Whom a valid ten-character personal number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TwIdKind {
    /// A national identity card (國民身分證): letter, 1 or 2, eight digits.
    National,
    /// A resident certificate in the form of 2021 and later (新式統一證號): letter, 8 or 9, eight digits.
    Resident,
    /// A resident certificate in the form up to 2020 (舊式統一證號): letter, A to D, eight digits.
    FormerResident,
}

/// Household-registration codes of the letters A to Z.
const LETTER_CODES: [u32; 26] =
    [10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33];

/// The kind of a personal number whose form and check digit are right, or `None`.
///
/// Letters are upper case, as issued. The letter's two-digit code and the digits, weighted 1, 9, 8, …, 1, 1, add up
/// to a multiple of ten; the second letter of the former resident form counts as the last digit of its code.
///
/// Source: Ministry of the Interior, numbering rules of the identity card and of the resident certificate.
#[must_use]
pub fn tw_id_kind(text: &str) -> Option<TwIdKind> {
    let (&letter, rest) = text.as_bytes().split_first()?;
    let (&second, tail) = rest.split_first()?;
    let tail = digits::<8>(tail)?;
    let (kind, second_digit) = match second {
        b'1' | b'2' => (TwIdKind::National, u32::from(second - b'0')),
        b'8' | b'9' => (TwIdKind::Resident, u32::from(second - b'0')),
        b'A'..=b'D' => (TwIdKind::FormerResident, letter_code(second)? % 10),
        _ => return None,
    };
    let code = letter_code(letter)?;
    let weighted: u32 = tail.iter().zip([7, 6, 5, 4, 3, 2, 1, 1]).map(|(digit, weight)| digit * weight).sum();
    let sum = code / 10 + code % 10 * 9 + second_digit * 8 + weighted;
    sum.is_multiple_of(10).then_some(kind)
}

fn letter_code(letter: u8) -> Option<u32> {
    LETTER_CODES.get(usize::from(letter.checked_sub(b'A')?)).copied()
}

#[cfg(test)]
mod tests {
    use super::{TwIdKind, tw_id_kind};

    #[test]
    fn tells_the_three_kinds() {
        let vectors = [
            ("A123456789", Some(TwIdKind::National)),
            ("A123456788", None),
            ("A800000014", Some(TwIdKind::Resident)),
            ("A900207177", Some(TwIdKind::Resident)),
            ("A900207176", None),
            ("AA00000009", Some(TwIdKind::FormerResident)),
            ("AA00000008", None),
            ("AE00000009", None),
            ("A323456789", None),
            ("a123456789", None),
            ("A12345678", None),
            ("A1234567890", None),
            ("1123456789", None),
            ("Ａ123456789", None),
            ("é12345678", None),
            ("A", None),
            ("", None),
        ];
        for (text, kind) in vectors {
            assert_eq!(tw_id_kind(text), kind, "{text}");
        }
    }

    #[test]
    fn every_letter_has_one_check_digit() {
        for letter in 'A'..='Z' {
            let valid =
                (0..10).filter(|check| tw_id_kind(&format!("{letter}12345678{check}")).is_some()).count();
            assert_eq!(valid, 1, "{letter}");
        }
    }
}
