//! The forms that are looked for.

/// A form of values, and what it tells of a column.
pub(super) struct Detector {
    pub(super) tag: &'static str,
    /// Completes "9 of 10 values …".
    pub(super) meaning: &'static str,
    /// True of a value `{v}` that has the form.
    pub(super) condition: &'static str,
    /// The value `{v}` as it may be shown.
    pub(super) masked: &'static str,
    /// How many of a hundred values must have the form.
    pub(super) least_share: u64,
}

/// Values that are nothing else: of numbers with a check digit every tenth, or fifth, has it by chance.
const MOST: u64 = 80;
/// Texts, which are long or have words, of which any may hold something. A single word is what its column is: among
/// numbers of invoices some look like a person's by chance.
const ANY: u64 = 0;

const FIRST_CHARACTER: &str = "left({v}, 1) || '***'";

/// From the surest to the least sure: the first that fits names the column.
pub(super) const DETECTORS: &[Detector] = &[
    Detector {
        tag: "pii.id",
        meaning: "are personal numbers with a right check digit",
        condition: "tw_id_valid({v})",
        masked: FIRST_CHARACTER,
        least_share: MOST,
    },
    Detector {
        tag: "pii.id",
        meaning: "are business administration numbers with a right check digit: a sole trader's tells who it is",
        condition: "ban_valid({v})",
        masked: FIRST_CHARACTER,
        least_share: MOST,
    },
    Detector {
        tag: "pii.id",
        meaning: "are personal numbers, business administration numbers or mixed",
        condition: "(tw_id_valid({v}) OR ban_valid({v}))",
        masked: FIRST_CHARACTER,
        least_share: MOST,
    },
    Detector {
        tag: "pii.contact",
        meaning: "are e-mail addresses",
        condition: "regexp_like({v}, '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$')",
        masked: "'***@' || split_part({v}, '@', 2)",
        least_share: MOST,
    },
    Detector {
        tag: "pii.contact",
        meaning: "are telephone numbers",
        condition: "regexp_like({v}, '^([+]886[- ]?[0-9]{1,3}|[(]?0[0-9]{1,3}[)]?)[- ]?[0-9]{3,4}[- ]?[0-9]{3,4}$')",
        masked: "left({v}, 2) || '***'",
        least_share: MOST,
    },
    Detector {
        tag: "pii.account",
        meaning: "are payment-card numbers",
        condition: "(character_length({v}) <= 23 AND pii_find({v})[1]['kind'] = 'card')",
        masked: "pii_find({v})[1]['masked']",
        least_share: MOST,
    },
    Detector {
        tag: "pii.contact",
        meaning: "are addresses",
        condition: "regexp_like({v}, '[縣市].*[鄉鎮市區].*[路街巷村里段].*號')",
        masked: "left({v}, 3) || '***'",
        least_share: MOST,
    },
    Detector {
        tag: "pii.name",
        meaning: "have the form of personal names",
        condition: SURNAMES,
        masked: FIRST_CHARACTER,
        least_share: MOST,
    },
    Detector {
        tag: "pii.text",
        meaning: "hold an identifier, contact or account",
        condition: "((character_length({v}) > 64 OR regexp_like({v}, '[[:space:]\u{4e00}-\u{9fff}]')) \
                    AND cardinality(pii_find({v})) > 0)",
        masked: "pii_find({v})[1]['masked']",
        least_share: ANY,
    },
];

/// One of the hundred commonest surnames of Taiwan (Ministry of the Interior, 全國姓名統計分析), or of the commonest with
/// two characters, and one or two more characters.
const SURNAMES: &str = "regexp_like({v}, '^([陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余\
                        盧梁趙顏柯翁魏孫戴范方宋鄧杜傅侯曹薛丁卓阮馬董溫唐藍石蔣古紀姚連馮歐程湯黎田康姜白汪鄒尤巫凃\
                        鐘涂龔嚴韓袁金童陸夏柳邵]|歐陽|張簡|范姜)[\u{4e00}-\u{9fff}]{1,2}$')";
