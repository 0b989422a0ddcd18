use super::numeral::{MOST_DIGITS, Numeral, parse_numeral};

/// Longest text read, in characters: no amount is longer.
const MOST_CHARACTERS: usize = 64;

/// What may stand before the number, longest first.
const PREFIXES: [&str; 13] =
    ["新台幣", "新臺幣", "台幣", "臺幣", "NT$", "NTD$", "NTD", "TWD$", "TWD", "NT", "$NT", "$", ""];

/// What may stand after the number.
const CURRENCY_SUFFIXES: [&str; 8] = ["元", "圓", "塊錢", "塊", "NTD", "TWD", "台幣", "臺幣"];

/// Reads an amount of New Taiwan dollars and rounds it to whole dollars, halves away from zero.
///
/// Takes half-width characters: `NT$1,280`, `1,280元`, `新台幣 3萬元整`, `1.2萬`, `1.5億`, `二千五百`, `1k+`, `2.5w`, `1.5M`,
/// `-500`, `(1,280)`. Letters are read in either case: `k` thousand, `w` ten thousand, `m` million. A closing `+`, `起`,
/// `以上`, `左右`, `整` is read over: the number is what counts. `None` for anything else: other currencies, two amounts, a
/// range, percentages, numbers past 64 bits.
#[must_use]
pub fn parse_twd(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') {
        return grouped(text);
    }
    if text.chars().nth(MOST_CHARACTERS).is_some() {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let (negative, text) = match upper.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => (true, inner.trim()),
        None => strip_sign(&upper),
    };
    let after_prefix = strip_prefix(text);
    let (inner_negative, text) = if after_prefix.len() < text.len() && !negative {
        strip_sign(after_prefix)
    } else {
        (false, after_prefix)
    };
    let dollars = round(parse_scaled(strip_suffix(text))?)?;
    Some(if negative || inner_negative { -dollars } else { dollars })
}

/// Digits, grouped by commas or not: what most amounts are, and needs no more than this.
fn grouped(text: &str) -> Option<i64> {
    let (mut dollars, mut digits, mut of_group, mut commas) = (0_i64, 0, 0, 0);
    for byte in text.bytes() {
        if byte == b',' {
            if (commas == 0 && !(1..=3).contains(&of_group)) || (commas > 0 && of_group != 3) {
                return None;
            }
            commas += 1;
            of_group = 0;
        } else {
            digits += 1;
            of_group += 1;
            if digits > MOST_DIGITS {
                return None;
            }
            dollars = dollars * 10 + i64::from(byte - b'0');
        }
    }
    (digits > 0 && (commas == 0 || of_group == 3)).then_some(dollars)
}

fn strip_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    }
}

fn strip_prefix(text: &str) -> &str {
    let rest = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    if rest.len() == text.len() {
        return text;
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    rest.strip_prefix('$').unwrap_or(rest).trim_start()
}

fn strip_suffix(text: &str) -> &str {
    let mut text = text.trim_end();
    for vague in ["以上", "左右", "起", "+"] {
        text = text.strip_suffix(vague).unwrap_or(text).trim_end();
    }
    let text = text.strip_suffix(['整', '正']).unwrap_or(text).trim_end();
    let number =
        CURRENCY_SUFFIXES.iter().find_map(|suffix| text.strip_suffix(suffix)).unwrap_or(text).trim_end();
    number.strip_suffix('+').unwrap_or(number).trim_end()
}

fn parse_scaled(text: &str) -> Option<Numeral> {
    let (number, factor) = match text.char_indices().next_back()? {
        (end, 'K') => (text.get(..end)?, 1_000),
        (end, 'W') => (text.get(..end)?, 10_000),
        (end, 'M') => (text.get(..end)?, 1_000_000),
        _ => return parse_numeral(text),
    };
    let number = number.trim_end();
    if !number.is_ascii() {
        return None;
    }
    let Numeral { mantissa, scale } = parse_numeral(number)?;
    Some(Numeral { mantissa: mantissa.checked_mul(factor)?, scale })
}

fn round(number: Numeral) -> Option<i64> {
    let unit = 10_i128.checked_pow(number.scale)?;
    i64::try_from((number.mantissa.checked_add(unit / 2)?) / unit).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::parse_twd;

    #[test]
    fn reads_what_people_write() {
        for (text, dollars) in [
            ("1280", 1_280),
            ("NT$1,280", 1_280),
            ("nt$ 1,280", 1_280),
            ("NTD 1,280", 1_280),
            ("NTD$1280", 1_280),
            ("TWD1280", 1_280),
            ("$1,280", 1_280),
            ("1,280元", 1_280),
            ("1,280 元整", 1_280),
            ("1280塊", 1_280),
            ("1280 TWD", 1_280),
            ("新台幣1,280元", 1_280),
            ("新臺幣:1,280元整", 1_280),
            ("新台幣 $1,280", 1_280),
            ("3萬", 30_000),
            ("3萬元", 30_000),
            ("1.2萬", 12_000),
            ("1萬2", 12_000),
            ("1.5億", 150_000_000),
            ("1.5百萬", 1_500_000),
            ("1k", 1_000),
            ("1k+", 1_000),
            ("1.5K", 1_500),
            ("3.5w", 35_000),
            ("2M", 2_000_000),
            ("二千五百", 2_500),
            ("二千五百元", 2_500),
            ("壹萬貳仟元整", 12_000),
            ("NT$1,280整", 1_280),
            ("3千+元", 3_000),
            ("500元起", 500),
            ("3萬以上", 30_000),
            ("3萬元以上", 30_000),
            ("0", 0),
            ("0.4", 0),
            ("0.5", 1),
            ("1280.49", 1_280),
            ("1280.50", 1_281),
            ("-500", -500),
            ("-0.5", -1),
            ("NT$-500", -500),
            ("-NT$500", -500),
            ("(1,280)", -1_280),
            ("9,223,372,036,854,775", 9_223_372_036_854_775),
        ] {
            assert_eq!(parse_twd(text), Some(dollars), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in [
            "",
            " ",
            "$",
            "NT$",
            "元",
            "萬元",
            "abc",
            "免費",
            "US$100",
            "100 USD",
            "¥100",
            "人民幣100",
            "85折",
            "5%",
            "100-200",
            "100~200元",
            "NT$100 NT$200",
            "1,28",
            "1.2.3",
            "--5",
            "-NT$-5",
            "(-5)",
            "+1",
            "1e5",
            "萬k",
            "一k",
            "整",
            "99999999999999999999",
            "9999999999999億",
            "1/2",
            "12:30",
        ] {
            assert_eq!(parse_twd(text), None, "{text}");
        }
        assert_eq!(parse_twd(&"1".repeat(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn reads_grouped_dollars(dollars in -1_000_000_000_i64..1_000_000_000) {
            let plain = dollars.unsigned_abs().to_string();
            let mut grouped = String::new();
            for (place, digit) in plain.chars().enumerate() {
                if place > 0 && (plain.len() - place) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            let sign = if dollars < 0 { "-" } else { "" };
            assert_eq!(parse_twd(&format!("{sign}NT${grouped}元")), Some(dollars));
        }

        #[test]
        fn never_panics(text in "[-+$NTDkwm0-9,.()萬億元整起五十零 ]{0,30}", any_text in any::<String>()) {
            let _ = parse_twd(&text);
            let _ = parse_twd(&any_text);
        }
    }
}
