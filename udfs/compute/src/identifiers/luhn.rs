/// Whether a text of decimal digits passes the Luhn check of payment cards; `false` when anything else is in it
/// or when it is empty.
///
/// Source: ISO/IEC 7812-1, annex B.
#[must_use]
pub fn luhn_is_valid(text: &str) -> bool {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let sum = text.bytes().rev().enumerate().fold(0_u32, |sum, (place, byte)| {
        let digit = u32::from(byte - b'0');
        let counted = if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 };
        (sum + counted) % 10
    });
    sum == 0
}

#[cfg(test)]
mod tests {
    use super::luhn_is_valid;

    #[test]
    fn follows_known_numbers() {
        for (text, valid) in [
            ("4111111111111111", true),
            ("5555555555554444", true),
            ("378282246310005", true),
            ("4111111111111112", false),
            ("41111111a1111111", false),
            ("", false),
        ] {
            assert_eq!(luhn_is_valid(text), valid, "{text}");
        }
    }
}
