/// A number exactly as written: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numeral {
    pub(super) mantissa: i128,
    pub(super) scale: u32,
}

/// Longest run of digits taken; keeps a whole number inside `i64` and every intermediate result inside `i128`.
pub(super) const MOST_DIGITS: usize = 18;

/// Reads a whole number of Arabic digits, Chinese numerals or both: `114`, `1,280`, `二千五百`, `一一四`, `3萬5千`.
/// `None` for anything else, for fractions, and past 64 bits.
#[must_use]
pub fn parse_count(text: &str) -> Option<u64> {
    let numeral = parse_numeral(text)?;
    if numeral.scale != 0 {
        return None;
    }
    u64::try_from(numeral.mantissa).ok()
}

/// Reads a number of Arabic digits (grouped by commas or not, with a fraction or not), Chinese numerals (everyday and
/// financial), or digits with Chinese units.
///
/// A single digit that closes a number right after a unit counts in the next lower unit, as it is spoken:
/// `3萬5` and `三萬五` are 35,000, `三萬零五` is 30,005. A fraction may stand only in the one number before the units.
pub(super) fn parse_numeral(text: &str) -> Option<Numeral> {
    let tokens = tokenize(text)?;
    match tokens.as_slice() {
        [] => None,
        [Token::Number { numeral, .. }] => Some(*numeral),
        [Token::Number { numeral, .. }, units @ ..] if numeral.scale > 0 => {
            let factor = units.iter().try_fold(1_i128, |factor, token| match token {
                Token::Unit(unit) => factor.checked_mul(*unit),
                Token::Number { .. } => None,
            })?;
            let ascending = units.windows(2).all(|pair| match pair {
                [Token::Unit(lower), Token::Unit(higher)] => lower < higher,
                _ => false,
            });
            if !ascending {
                return None;
            }
            Some(Numeral { mantissa: numeral.mantissa.checked_mul(factor)?, scale: numeral.scale })
        }
        tokens => evaluate(tokens).map(|mantissa| Numeral { mantissa, scale: 0 }),
    }
}

#[derive(Debug, Clone, Copy)]
enum Token {
    Number {
        numeral: Numeral,
        /// Written with a zero before it, as in 三萬零五.
        after_zero: bool,
        /// Two Chinese digits or more in a row, which stand alone: 二三萬 is a range, not a number.
        positional: bool,
    },
    Unit(i128),
}

fn tokenize(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let end =
                rest.find(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.')).unwrap_or(rest.len());
            let (number, tail) = rest.split_at(end);
            let numeral = arabic(number)?;
            tokens.push(Token::Number {
                numeral,
                after_zero: number.len() > 1 && first == '0',
                positional: false,
            });
            rest = tail;
        } else if chinese_digit(first).is_some() {
            let end = rest.find(|c| chinese_digit(c).is_none()).unwrap_or(rest.len());
            let (number, tail) = rest.split_at(end);
            tokens.push(chinese_digits(number)?);
            rest = tail;
        } else if let Some(value) = tens_ligature(first) {
            let numeral = Numeral { mantissa: value, scale: 0 };
            tokens.push(Token::Number { numeral, after_zero: false, positional: false });
            tokens.push(Token::Unit(10));
            rest = rest.get(first.len_utf8()..)?;
        } else if let Some(unit) = unit(first) {
            tokens.push(Token::Unit(unit));
            rest = rest.get(first.len_utf8()..)?;
        } else if first == ' ' && !tokens.is_empty() {
            rest = rest.trim_start_matches(' ');
            if rest.is_empty() {
                return None;
            }
        } else {
            return None;
        }
    }
    Some(tokens)
}

fn arabic(text: &str) -> Option<Numeral> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut groups = whole.split(',');
    let leading = groups.next()?;
    let grouped = whole.contains(',');
    if leading.is_empty() || (grouped && leading.len() > 3) || groups.any(|group| group.len() != 3) {
        return None;
    }
    let digits = || whole.bytes().filter(|byte| *byte != b',').chain(fraction.bytes());
    if digits().count() > MOST_DIGITS {
        return None;
    }
    let mantissa = digits().fold(0, |number, digit| number * 10 + i128::from(digit - b'0'));
    Some(Numeral { mantissa, scale: u32::try_from(fraction.len()).ok()? })
}

fn chinese_digits(run: &str) -> Option<Token> {
    let digits: Vec<i128> = run.chars().map_while(chinese_digit).collect();
    if digits.len() > MOST_DIGITS {
        return None;
    }
    let mantissa = digits.iter().fold(0, |number, digit| number * 10 + digit);
    let after_zero = digits.len() == 2 && digits.first() == Some(&0);
    Some(Token::Number {
        numeral: Numeral { mantissa, scale: 0 },
        after_zero,
        positional: digits.len() > 1 && !after_zero,
    })
}

fn chinese_digit(c: char) -> Option<i128> {
    Some(match c {
        '零' | '〇' => 0,
        '一' | '壹' => 1,
        '二' | '貳' | '兩' => 2,
        '三' | '參' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陸' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    })
}

fn tens_ligature(c: char) -> Option<i128> {
    match c {
        '廿' => Some(2),
        '卅' => Some(3),
        _ => None,
    }
}

fn unit(c: char) -> Option<i128> {
    Some(match c {
        '十' | '拾' => 10,
        '百' | '佰' => 100,
        '千' | '仟' => 1_000,
        '萬' | '万' => 10_000,
        '億' => 100_000_000,
        '兆' => 1_000_000_000_000,
        _ => return None,
    })
}

/// Adds up 千百十 within each section of 萬億兆. Units have to fall from left to right.
fn evaluate(tokens: &[Token]) -> Option<i128> {
    let mut total = 0_i128;
    let mut section = 0_i128;
    let mut pending: Option<i128> = None;
    let mut lowest_large = i128::MAX;
    let mut lowest_small = 10_000_i128;
    for (place, token) in tokens.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| tokens.get(before));
        let last = place + 1 == tokens.len();
        match *token {
            Token::Number { numeral, after_zero, positional } => {
                if pending.is_some() || numeral.scale > 0 || positional {
                    return None;
                }
                let value = match before {
                    Some(Token::Unit(unit)) if last && !after_zero && (1..10).contains(&numeral.mantissa) => {
                        numeral.mantissa * unit / 10
                    }
                    Some(Token::Unit(unit)) if last && numeral.mantissa >= *unit => return None,
                    _ => numeral.mantissa,
                };
                pending = Some(value);
            }
            Token::Unit(unit) if unit < 10_000 => {
                if unit >= lowest_small {
                    return None;
                }
                lowest_small = unit;
                let count = match pending.take() {
                    Some(count) => count,
                    None if unit == 10 && section == 0 => 1,
                    None => return None,
                };
                section = section.checked_add(count.checked_mul(unit)?)?;
            }
            Token::Unit(unit) => {
                if unit >= lowest_large {
                    return None;
                }
                lowest_large = unit;
                lowest_small = 10_000;
                section += pending.take().unwrap_or(0);
                if section == 0 {
                    return None;
                }
                total = total.checked_add(section.checked_mul(unit)?)?;
                section = 0;
            }
        }
    }
    total.checked_add(section)?.checked_add(pending.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::parse_count;

    #[test]
    fn counts() {
        for (text, number) in [
            ("0", 0),
            ("114", 114),
            ("1,280", 1_280),
            ("1,234,567", 1_234_567),
            ("十", 10),
            ("十五", 15),
            ("二十", 20),
            ("二十五", 25),
            ("廿五", 25),
            ("卅", 30),
            ("一百零五", 105),
            ("一百一十四", 114),
            ("一一四", 114),
            ("二五〇〇", 2_500),
            ("二千五百", 2_500),
            ("二千五", 2_500),
            ("兩萬", 20_000),
            ("三萬五", 35_000),
            ("三萬零五", 30_005),
            ("三萬五千", 35_000),
            ("十二萬三千四百五十六", 123_456),
            ("一億二千萬", 120_000_000),
            ("壹拾貳萬參仟肆佰", 123_400),
            ("3萬", 30_000),
            ("3萬5", 35_000),
            ("3萬5000", 35_000),
            ("3萬5千", 35_000),
            ("3 萬", 30_000),
            ("2百萬", 2_000_000),
            ("1億2,000萬", 120_000_000),
            ("三兆", 3_000_000_000_000),
        ] {
            assert_eq!(parse_count(text), Some(number), "{text}");
        }
    }

    #[test]
    fn refuses() {
        for text in [
            "",
            " ",
            "1.5",
            "1,28",
            "12,80",
            "1234,567",
            ",123",
            "1,,234",
            "1.",
            "1.2.3",
            "萬",
            "百",
            "萬三",
            "二三萬",
            "一百二三",
            "三萬五億",
            "三百五千",
            "三十四十",
            "3萬50000",
            "三萬 ",
            "abc",
            "9999999999999999999",
            "九九九九九九九九九九九九九九九九九九九",
        ] {
            assert_eq!(parse_count(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_arabic_digits_as_they_stand(number in 0_u64..1_000_000_000_000_000_000) {
            assert_eq!(parse_count(&number.to_string()), Some(number));
        }

        #[test]
        fn never_panics(text in "[0-9,.零〇一二兩三九廿卅十百千萬億兆 壹佰x]{0,40}", any_text in any::<String>()) {
            let _ = parse_count(&text);
            let _ = parse_count(&any_text);
        }
    }
}
