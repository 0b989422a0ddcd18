use super::twd::parse_twd;

/// Most amounts taken from one text.
const MOST_AMOUNTS: usize = 1_024;
/// Longest number read, in bytes.
const LONGEST_NUMBER: usize = 48;

/// What an amount in a text says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AmountKind {
    /// New Taiwan dollars: a currency mark or a word for a price stands with it.
    Money(i64),
    /// Dollars off a price: `現折100`, `省300`.
    Reduction(i64),
    /// What one has to buy for: `滿1000`.
    Threshold(i64),
    /// A number with 萬 or 億 and no mark: money or anything else that is counted.
    Bare(i64),
    /// Percent off a price: `85折` is 15, `20% off` is 20.
    PercentOff(f64),
    /// Another currency, which is not converted.
    Foreign,
}

/// An amount and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AmountFound<'a> {
    /// What it says.
    pub kind: AmountKind,
    /// The number with its marks, as written.
    pub text: &'a str,
    /// Where it begins, in bytes of the text.
    pub start: usize,
}

const DOLLAR_PREFIXES: [&str; 10] =
    ["NT$", "NTD$", "NTD", "TWD$", "TWD", "新台幣", "新臺幣", "台幣", "臺幣", "$"];
const DOLLAR_SUFFIXES: [&str; 8] = ["元", "圓", "塊錢", "塊", "NTD", "TWD", "台幣", "臺幣"];
const FOREIGN_PREFIXES: [&str; 17] = [
    "US$",
    "USD",
    "HK$",
    "HKD",
    "S$",
    "A$",
    "C$",
    "¥",
    "€",
    "£",
    "RMB",
    "JPY",
    "人民幣",
    "日幣",
    "美金",
    "港幣",
    "歐元",
];
const FOREIGN_SUFFIXES: [&str; 12] =
    ["美元", "美金", "日圓", "日元", "日幣", "港幣", "港元", "歐元", "人民幣", "USD", "JPY", "韓元"];
const PRICE_WORDS: [&str; 17] = [
    "團購價",
    "優惠價",
    "會員價",
    "特價",
    "原價",
    "售價",
    "定價",
    "價格",
    "只要",
    "預算",
    "報價",
    "酬勞",
    "稿費",
    "業配費",
    "贊助金",
    "費用",
    "單價",
];
const REDUCTION_WORDS: [&str; 7] = ["折抵", "折價", "現折", "再折", "現省", "省下", "省"];
/// What is counted when no money is: after a number with 萬 it is no amount.
const COUNTED: [&str; 24] = [
    "訂閱", "粉", "追蹤", "觀看", "次", "人", "名", "位", "個", "支", "部", "則", "讚", "點閱", "瀏覽",
    "流量", "步", "公里", "件", "票", "小時", "字", "觀眾", "會員",
];

/// Finds the amounts of money in a text of half-width characters (Unicode NFKC), in its order, at most 1,024.
///
/// A number alone is none: it needs a currency mark (`NT$1,280`, `1280元`), a word for a price (`團購價1180`), for a
/// reduction (`現折100`) or a threshold (`滿1000`), a 折 or `% off`, or 萬 or 億 without a counted thing after it
/// (`1.2萬`, but not `1.2萬訂閱`). `k`, `w` and `m` count only beside a mark, for `4k` is a picture.
#[must_use]
pub fn extract_amounts(text: &str) -> Vec<AmountFound<'_>> {
    let mut found = Vec::new();
    let (mut place, mut taken) = (0, 0);
    while let Some(start) = next_numeral(text, place) {
        if found.len() >= MOST_AMOUNTS {
            break;
        }
        let number = number_at(text, start);
        let end = start + number.len();
        place = end.max(start + 1);
        while !text.is_char_boundary(place) {
            place += 1;
        }
        if let Some(amount) = amount_at(text, taken, start, number) {
            taken = amount.start + amount.text.len();
            place = place.max(taken);
            found.push(amount);
        }
    }
    found
}

/// Characters of three bytes, a bit each, by their first two bytes and then by the third.
type CharacterSet = [u64; 1024];

const fn set_of(characters: &[char]) -> CharacterSet {
    let mut set = [0; 1024];
    let mut place = 0;
    while place < characters.len() {
        let code = characters[place] as usize;
        set[code >> 6] |= 1 << (code & 63);
        place += 1;
    }
    set
}

static NUMERALS: CharacterSet = set_of(&[
    '零', '〇', '一', '二', '兩', '三', '四', '五', '六', '七', '八', '九', '十', '壹', '貳', '參', '肆',
    '伍', '陸', '柒', '捌', '玖', '拾', '廿', '卅',
]);
static UNITS: CharacterSet = set_of(&['百', '千', '萬', '万', '億', '兆', '佰', '仟']);

/// Whether the character that begins at `place` is of the set; no character of another length is.
fn is_of(set: &CharacterSet, bytes: &[u8], place: usize) -> bool {
    match bytes.get(place..place + 3) {
        Some(&[first @ 0xE0..=0xEF, second, third]) => {
            let pair = usize::from(first & 15) << 6 | usize::from(second & 63);
            set[pair] >> (third & 63) & 1 == 1
        }
        _ => false,
    }
}

/// Where the next digit or numeral is. Walks by the bytes that begin a character: most of a text is passed over here.
fn next_numeral(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut place = from;
    loop {
        while without_digits(bytes, place) {
            place += 8;
        }
        place += match *bytes.get(place)? {
            b'0'..=b'9' => return Some(place),
            0xE0..=0xEF if is_of(&NUMERALS, bytes, place) => return Some(place),
            0xE0..=0xEF => 3,
            0xC0..=0xDF => 2,
            0xF0..=0xFF => 4,
            _ => 1,
        };
    }
}

/// Whether the next eight bytes are ASCII without a digit.
fn without_digits(bytes: &[u8], place: usize) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let Some(eight) = bytes.get(place..).and_then(<[u8]>::first_chunk) else { return false };
    let eight = u64::from_le_bytes(*eight);
    // A digit becomes less than ten; adding 0x76 takes all others to 0x80 or more.
    let others = (eight ^ (EACH * 0x30)).wrapping_add(EACH * 0x76);
    (eight | !others) & (EACH * 0x80) == 0
}

/// The longest run of digits, separators, numerals and units, less a comma or point that ends a sentence.
fn number_at(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    let bytes = rest.as_bytes();
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        let continues = match byte {
            b'0'..=b'9' => true,
            b',' => groups_thousands(rest, end),
            b'.' => bytes.get(end + 1).is_some_and(u8::is_ascii_digit),
            b' ' => end > 0 && is_of(&UNITS, bytes, end + 1),
            0xE0..=0xEF => is_of(&NUMERALS, bytes, end) || is_of(&UNITS, bytes, end),
            _ => false,
        };
        if !continues {
            break;
        }
        end += if byte.is_ascii() { 1 } else { 3 };
    }
    rest.get(..end).unwrap_or_default()
}

/// Whether the comma at `place` stands between one to three digits and three more, rather than between two numbers:
/// the comma of Chinese sentences becomes the same character.
fn groups_thousands(number: &str, place: usize) -> bool {
    let digits = |bytes: &mut dyn Iterator<Item = u8>| bytes.take(4).take_while(u8::is_ascii_digit).count();
    let (before, after) = number.split_at(place);
    (1..=3).contains(&digits(&mut before.bytes().rev())) && digits(&mut after.bytes().skip(1)) == 3
}

/// The amount that a number is; its marks begin no earlier than at `least`, where the amount before it ends.
fn amount_at<'a>(text: &'a str, least: usize, start: usize, number: &'a str) -> Option<AmountFound<'a>> {
    if number.len() > LONGEST_NUMBER {
        return None;
    }
    let before = text.get(least..start)?;
    let after = text.get(start + number.len()..)?;
    let spread = |kind: AmountKind, prefix: usize, suffix: usize| {
        let (start, end) = (start - prefix, start + number.len() + suffix);
        text.get(start..end).map(|text| AmountFound { kind, text, start })
    };
    if let Some((percent, suffix)) = percent_off(number, after) {
        return spread(AmountKind::PercentOff(percent), 0, suffix);
    }
    let before = Before::new(before);
    if let Some(prefix) = before.ends_with_any(&FOREIGN_PREFIXES) {
        return spread(AmountKind::Foreign, prefix, 0);
    }
    let (factor, gap) = letter_factor(after);
    let rest = after.get(gap..)?;
    let opens = rest.starts_with(opens_a_mark);
    if opens && let Some(suffix) = starts_with_any(rest, &FOREIGN_SUFFIXES) {
        return spread(AmountKind::Foreign, 0, gap + suffix);
    }
    let prefix = before.ends_with_any(&DOLLAR_PREFIXES).or_else(|| before.price_word());
    let suffix = if opens { starts_with_any(rest, &DOLLAR_SUFFIXES) } else { None };
    let reduction = before.ends_with_any(&REDUCTION_WORDS);
    let threshold = before.ends_with_any(&["滿"]).filter(|_| suffix.is_some() || !counts_a_thing(rest));
    let marked = prefix.is_some() || suffix.is_some() || reduction.is_some() || threshold.is_some();
    if !marked && (!number.contains(['萬', '万', '億']) || starts_with_any(after, &COUNTED).is_some()) {
        return None;
    }
    let dollars = if marked && !factor.is_empty() {
        parse_twd(&format!("{number}{factor}"))?
    } else {
        parse_twd(number)?
    };
    let (taken_gap, suffix) =
        (if factor.is_empty() && suffix.is_none() { 0 } else { gap }, suffix.unwrap_or(0));
    if let Some(prefix) = reduction {
        return spread(AmountKind::Reduction(dollars), prefix, taken_gap + suffix);
    }
    if let Some(prefix) = threshold {
        return spread(AmountKind::Threshold(dollars), prefix, taken_gap + suffix);
    }
    if marked {
        return spread(AmountKind::Money(dollars), prefix.unwrap_or(0), taken_gap + suffix);
    }
    spread(AmountKind::Bare(dollars), 0, 0)
}

/// 折 and `% off`: the percentage off and the length of the mark.
fn percent_off(number: &str, after: &str) -> Option<(f64, usize)> {
    let rest = after.trim_start_matches(' ');
    let gap = after.len() - rest.len();
    if rest.starts_with('折') && !rest.starts_with("折抵") && !rest.starts_with("折價") {
        let tenths: f64 = match number.parse() {
            Ok(tenths) => tenths,
            Err(_) => f64::from(i32::try_from(super::parse_count(number)?).ok()?),
        };
        let paid = if tenths < 10.0 { tenths * 10.0 } else { tenths };
        // Tenths of a percent are all that is ever written; rounding takes off what multiplying in binary leaves.
        let off = ((100.0 - paid) * 10.0).round() / 10.0;
        return (1.0..100.0).contains(&paid).then_some((off, gap + '折'.len_utf8()));
    }
    let rest = rest.strip_prefix('%')?;
    let word = rest.trim_start_matches(' ');
    let off = word.get(..3).filter(|word| word.eq_ignore_ascii_case("off"))?;
    let percent: f64 = number.parse().ok().filter(|percent| *percent > 0.0 && *percent <= 100.0)?;
    Some((percent, gap + 1 + (rest.len() - word.len()) + off.len()))
}

/// A letter that multiplies, with nothing of a word after it, and how much of the text it and blanks take.
fn letter_factor(after: &str) -> (&str, usize) {
    let mut bytes = after.bytes();
    if matches!(bytes.next(), Some(b'k' | b'K' | b'w' | b'W' | b'm' | b'M'))
        && !bytes.next().is_some_and(|next| next.is_ascii_alphanumeric())
    {
        return (after.get(..1).unwrap_or_default(), 1);
    }
    ("", after.len() - after.trim_start_matches(' ').len())
}

fn counts_a_thing(after: &str) -> bool {
    // After a threshold stands what follows from it, a sign or nothing; anything else is what is counted.
    let next = after.trim_start_matches(' ').chars().next();
    next.is_some_and(|next| {
        next.is_alphanumeric()
            && !matches!(next, '折' | '送' | '減' | '免' | '享' | '現' | '即' | '再' | '可' | '就')
    })
}

/// What stands before a number.
struct Before<'a> {
    /// Without the blanks before the number.
    text: &'a str,
    blanks: usize,
    /// Whether a mark can end here: most numbers can be passed over by this alone.
    closes: bool,
}

impl<'a> Before<'a> {
    fn new(before: &'a str) -> Self {
        let text = before.trim_end_matches(' ');
        Self { text, blanks: before.len() - text.len(), closes: text.ends_with(closes_a_mark) }
    }

    /// The length of the longest mark at the end, with blanks after it.
    fn ends_with_any(&self, marks: &[&str]) -> Option<usize> {
        if !self.closes {
            return None;
        }
        let lengths = marks.iter().filter(|mark| ends_with(self.text, mark)).map(|mark| mark.len());
        lengths.max().map(|mark| mark + self.blanks)
    }

    /// The same of words for a price, which a colon may part from the number.
    fn price_word(&self) -> Option<usize> {
        if !self.text.ends_with(':') {
            return self.ends_with_any(&PRICE_WORDS);
        }
        let before = Before::new(self.text.trim_end_matches([' ', ':']));
        let parted = self.text.len() - before.text.len();
        before.ends_with_any(&PRICE_WORDS).map(|word| word + parted + self.blanks)
    }
}

/// Whether a mark before a number can end so.
fn closes_a_mark(last: char) -> bool {
    matches!(last, '$' | 'D' | 'd' | 'B' | 'b' | 'Y' | 'y' | '¥' | '€' | '£')
        || "幣金元價格要算勞費用折抵省下滿".contains(last)
}

/// Whether a mark after a number can begin so.
fn opens_a_mark(first: char) -> bool {
    matches!(
        first,
        '元' | '圓'
            | '塊'
            | '台'
            | '臺'
            | '美'
            | '日'
            | '港'
            | '歐'
            | '人'
            | '韓'
            | 'N'
            | 'n'
            | 'T'
            | 't'
            | 'U'
            | 'u'
            | 'J'
            | 'j'
    )
}

fn ends_with(text: &str, mark: &str) -> bool {
    let Some(start) = text.len().checked_sub(mark.len()) else { return false };
    let letters = mark.starts_with(|first: char| first.is_ascii_alphabetic());
    text.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(mark))
        // The NT$ of a longer word, as in EVENT$, is none.
        && !(letters && text.get(..start).is_some_and(|rest| rest.ends_with(|last: char| last.is_ascii_alphanumeric())))
}

fn starts_with_any(after: &str, marks: &[&str]) -> Option<usize> {
    marks
        .iter()
        .filter(|mark| after.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)))
        .map(|mark| mark.len())
        .max()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::AmountKind::{Bare, Foreign, Money, PercentOff, Reduction, Threshold};
    use super::*;

    fn check(text: &str, expected: &[(AmountKind, &str)]) {
        let found: Vec<(AmountKind, &str)> =
            extract_amounts(text).iter().map(|amount| (amount.kind, amount.text)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn every_mark_ends_or_begins_as_one_can() {
        let all = DOLLAR_PREFIXES.iter().chain(&FOREIGN_PREFIXES).chain(&PRICE_WORDS).chain(&REDUCTION_WORDS);
        for mark in all {
            assert!(mark.ends_with(closes_a_mark), "{mark}");
        }
        for mark in DOLLAR_SUFFIXES.iter().chain(&FOREIGN_SUFFIXES) {
            assert!(mark.starts_with(opens_a_mark), "{mark}");
        }
    }

    #[test]
    fn money_needs_a_mark() {
        check("膠原飲 30入 原價$1,680 團購價$1,180", &[(Money(1_680), "$1,680"), (Money(1_180), "$1,180")]);
        check("只要 NT$ 1,280!", &[(Money(1_280), "NT$ 1,280")]);
        check("一支 500元,兩支900 元", &[(Money(500), "500元"), (Money(900), "900 元")]);
        check("酬勞:3萬5 另計", &[(Money(35_000), "酬勞:3萬5")]);
        check("業配費三萬元整", &[(Money(30_000), "業配費三萬元")]);
        check("預算 2.5w", &[(Money(25_000), "預算 2.5w")]);
        check("買2送1,4k 影片,第 3 集,0912-345-678,統編12345675,9/1-9/7", &[]);
        check("原價NT$1,280,85折", &[(Money(1_280), "NT$1,280"), (PercentOff(15.0), "85折")]);
        check("5,10元,2280,300元", &[(Money(10), "10元"), (Money(300), "300元")]);
        check("event$5", &[(Money(5), "$5")]);
    }

    #[test]
    fn large_numbers_count_unless_they_count_something() {
        check("月收1.2萬", &[(Bare(12_000), "1.2萬")]);
        check("破 1.2萬訂閱,30萬次觀看", &[]);
        check("千萬不要,萬一,十分,一起", &[]);
    }

    #[test]
    fn discounts_say_what_is_taken_off() {
        check("85折", &[(PercentOff(15.0), "85折")]);
        check(
            "全館 8.5 折、五折、八八折",
            &[(PercentOff(15.0), "8.5 折"), (PercentOff(50.0), "五折"), (PercentOff(12.0), "八八折")],
        );
        check("20% OFF", &[(PercentOff(20.0), "20% OFF")]);
        check("滿1000現折100,滿3盒免運", &[(Threshold(1_000), "滿1000"), (Reduction(100), "現折100")]);
        check("0折 100折 50%", &[]);
    }

    #[test]
    fn other_currencies_are_not_converted() {
        check("US$100 約 3200元", &[(Foreign, "US$100"), (Money(3_200), "3200元")]);
        check("500日圓、¥3000", &[(Foreign, "500日圓"), (Foreign, "¥3000")]);
    }

    proptest! {
        #[test]
        fn spans_lie_in_the_text_and_rise(text in "[-$NTUSDkw0-9,.%折萬億元滿省一二五十百 ]{0,40}", other in any::<String>()) {
            for text in [text.as_str(), other.as_str()] {
                let mut least = 0;
                for amount in extract_amounts(text) {
                    assert_eq!(text.get(amount.start..amount.start + amount.text.len()), Some(amount.text));
                    assert!(amount.start >= least && !amount.text.is_empty());
                    least = amount.start + amount.text.len();
                }
            }
        }
    }
}
