use std::sync::LazyLock;

use regex::Regex;

/// Most distinct codes taken from one text.
const MOST_CODES: usize = 64;

/// Words that follow 輸入 or `code` and are no code.
const NO_CODES: [&str; 8] = ["HTTP", "HTTPS", "WWW", "LINE", "APP", "EMAIL", "QR", "QRCODE"];

/// A word that announces a code, then the code: after Chinese in any letters, after English in capitals, where small
/// letters are the rest of the sentence. After 輸入 alone anything may follow, so there a code needs a digit or a
/// capital.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?:折扣|優惠|專屬|團購|推薦|邀請)(?:代碼|碼|序號)\s*(?:是|為)?[\s:「『【"'“]{0,4}(?P<named>[A-Za-z0-9_]{3,20})"#,
        r#"|(?:輸入|填寫|打上)(?:代碼|碼|序號)?[\s:「『【"'“]{0,4}(?P<entered>[A-Za-z0-9_]{3,20})"#,
        r#"|(?i:(?-u:\b)(?:(?:use|enter|with|my)\s+(?:my\s+)?(?:promo\s+|discount\s+)?(?:code|coupon)|(?:promo|discount|coupon)\s*code))"#,
        r#"\s*(?i:is(?-u:\b))?[\s:"'“]{0,4}(?P<english>[A-Z0-9][A-Z0-9_]{2,19})(?-u:\b)"#,
    ))
    .ok()
});

/// A code and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeFound<'a> {
    /// The code as written.
    pub code: &'a str,
    /// The code with the words that announce it.
    pub text: &'a str,
    /// Where `text` begins, in bytes.
    pub start: usize,
}

/// Whether a word that announces a code can be in the text: most texts hold none, and this is far faster than the
/// pattern.
fn announces(text: &str) -> bool {
    static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new("代碼|序號|扣碼|惠碼|屬碼|購碼|薦碼|請碼|輸入|填寫|打上|(?i-u:code|coupon)").ok()
    });
    WORDS.as_ref().is_none_or(|words| words.is_match(text))
}

/// Finds discount codes, each once (letter case apart), in the order of the text, at most 64.
#[must_use]
pub fn discount_codes(text: &str) -> Vec<CodeFound<'_>> {
    let mut found: Vec<CodeFound<'_>> = Vec::new();
    if !announces(text) {
        return found;
    }
    let Some(pattern) = PATTERN.as_ref() else { return found };
    for captures in pattern.captures_iter(text) {
        if found.len() >= MOST_CODES {
            break;
        }
        let whole = captures.get_match();
        let entered = captures.name("entered");
        let Some(code) = captures.name("named").or(entered).or_else(|| captures.name("english")) else {
            continue;
        };
        let code = code.as_str();
        let telling = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let is_code = !NO_CODES.iter().any(|word| code.eq_ignore_ascii_case(word))
            && code.contains(|c: char| c != '_')
            && (entered.is_none()
                || (code.contains(telling) && code.contains(|c: char| c.is_ascii_alphabetic())));
        if is_code && !found.iter().any(|known| known.code.eq_ignore_ascii_case(code)) {
            found.push(CodeFound { code, text: whole.as_str(), start: whole.start() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = discount_codes(text).iter().map(|found| found.code).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_codes_in_both_languages() {
        assert!(PATTERN.is_some());
        check("輸入折扣碼:XIAO88 享85折", &["XIAO88"]);
        check("結帳輸入 mimi2025 再折100", &["mimi2025"]);
        check("專屬優惠碼「yaoyao」", &["yaoyao"]);
        check("團購序號是 20250901", &["20250901"]);
        check("Use my code SAVE20 at checkout", &["SAVE20"]);
        check("promo code: TAIWAN_10", &["TAIWAN_10"]);
        check("折扣碼AAA1、折扣碼BBB2、優惠碼aaa1", &["AAA1", "BBB2"]);
    }

    #[test]
    fn leaves_what_is_no_code() {
        check("use the code at checkout", &[]);
        check("輸入關鍵字,輸入 google 搜尋,輸入 12345,輸入LINE", &[]);
        check("折扣碼還能用嗎?折扣碼 ab", &[]);
        check("source code REVIEW", &[]);
        check("", &[]);
    }
}
