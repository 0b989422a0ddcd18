use super::digits;

/// Which check a business administration number (統一編號) has to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BanRule {
    /// The sum is a multiple of ten: every number issued before April 2023.
    Old,
    /// The sum is a multiple of five, in force since 2023-04-01. Every number that passes the old rule passes.
    New,
}

const WEIGHTS: [u32; 8] = [1, 2, 1, 2, 1, 2, 4, 1];

/// Whether `text` is a business administration number: eight digits whose weighted digit sum fits the rule.
///
/// A seventh digit of 7 contributes 10, whose digits may be summed as 1 or as 0. `00000000`, the usual stand-in for
/// "no number", is not one although its sum would fit.
///
/// Source: Ministry of Finance, check rule for the 統一編號 with the extension of 2023-04-01.
#[must_use]
pub fn ban_is_valid(text: &str, rule: BanRule) -> bool {
    let Some(digits) = digits::<8>(text.as_bytes()) else { return false };
    if digits == [0; 8] {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| {
            let product = digit * weight;
            product / 10 + product % 10
        })
        .sum();
    let modulus = match rule {
        BanRule::Old => 10,
        BanRule::New => 5,
    };
    sum.is_multiple_of(modulus) || (digits[6] == 7 && (sum + 1).is_multiple_of(modulus))
}

#[cfg(test)]
mod tests {
    use super::{BanRule, ban_is_valid};

    #[test]
    fn follows_the_published_vectors() {
        let vectors = [
            ("12345675", true, true),
            ("12345676", true, true),
            ("04595257", true, true),
            ("22099131", true, true),
            ("12345670", false, true),
            ("12345671", false, true),
            ("12345678", false, false),
            ("00000000", false, false),
            ("1234567", false, false),
            ("123456750", false, false),
            ("1234567五", false, false),
            ("１２３４５６７５", false, false),
            (" 12345675", false, false),
            ("", false, false),
        ];
        for (text, old, new) in vectors {
            assert_eq!(ban_is_valid(text, BanRule::Old), old, "{text} by the old rule");
            assert_eq!(ban_is_valid(text, BanRule::New), new, "{text} by the new rule");
        }
    }

    #[test]
    fn old_numbers_pass_the_new_rule_and_the_rates_are_as_published() {
        let (mut old, mut new) = (0_u32, 0_u32);
        for number in 1..100_000_u32 {
            let text = format!("{:08}", number * 997 % 100_000_000);
            let passes_old = ban_is_valid(&text, BanRule::Old);
            let passes_new = ban_is_valid(&text, BanRule::New);
            assert!(!passes_old || passes_new, "{text}");
            old += u32::from(passes_old);
            new += u32::from(passes_new);
        }
        assert!((10_500..11_700).contains(&old), "{old} of 100,000 pass the old rule");
        assert!((21_200..23_200).contains(&new), "{new} of 100,000 pass the new rule");
    }
}
