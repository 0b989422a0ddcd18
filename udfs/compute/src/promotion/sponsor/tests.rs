use std::borrow::Cow;
use std::sync::LazyLock;

use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};

use regex::Regex;

use super::signals::{MOST_CODES, Pass, blank, pass_of, quote};
use super::{SponsorEvidence, SponsorLexicon, SponsorSignals};
use crate::text::normalise;

fn signals(text: &str) -> SponsorSignals {
    SponsorLexicon::shipped().unwrap().signals(&normalise(text))
}

fn ids(text: &str) -> Vec<&'static str> {
    signals(text).evidence.iter().map(|evidence| evidence.id).collect()
}

#[test]
fn scores_and_judges() {
    for (text, score, sponsored, negated) in [
        ("", 0.0, false, false),
        ("今天天氣很好", 0.0, false, false),
        ("#業配 好用", 4.0, true, false),
        ("＃業配 好用", 4.0, true, false),
        ("#業\u{200b}配 好用", 4.0, true, false),
        ("今天聊業配", 1.6, false, false),
        ("無業配", -3.0, false, true),
        ("自費，無業配", -3.0, false, true),
        ("這篇非業配，但上一篇是業配", -1.4, false, true),
        ("本影片由小廠贊助播出", 3.2, true, false),
        ("包含付費宣傳內容", 3.2, true, false),
        ("Includes Paid Promotion", 3.4, true, false),
        ("抖內我 patreon.com/x", 0.0, false, false),
        ("#業配 #業配 #業配 業配", 5.6, true, false),
        ("膠原飲團購價$1,180 滿3盒免運 收單 9/7", 3.5, true, false),
        ("コスメ #PR", 3.0, true, false),
    ] {
        let found = signals(text);
        assert_eq!(
            (found.score, found.sponsored, found.negated),
            (score, sponsored, negated),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn names_the_phrases_in_the_order_of_the_text() {
    for (text, expected) in [
        ("#業配", vec!["Z01"]),
        ("業配", vec!["Z03"]),
        ("無業配", vec!["Z04"]),
        ("折扣碼 ABC123 只到月底", vec!["Z05"]),
        (
            "【9/1-9/7 團】膠原飲 30入 原價$1,680 團購價$1,180 (滿3盒免運)\n下單：https://portaly.cc/xxx",
            vec!["Z10", "Z06", "Z11", "Z07"],
        ),
        ("匯款帳號：012-345678901234", vec!["Z13"]),
        ("統編 123456789", vec![]),
        ("#adorable cat", vec![]),
        ("#ad so good", vec!["E1"]),
        ("use my code SAVE20 today", vec!["E3"]),
        ("Use my code and smile", vec!["E3"]),
    ] {
        assert_eq!(ids(text), expected, "{text}");
    }
}

#[test]
fn collects_codes_and_registration_numbers() {
    for (text, codes, bans) in [
        ("折扣碼：XIAO88", vec!["XIAO88"], vec![]),
        ("折扣碼：ＸＩＡＯ８８，優惠碼「xiao_99」", vec!["XIAO88", "xiao_99"], vec![]),
        ("折扣碼 AAA1 折扣碼 AAA1", vec!["AAA1"], vec![]),
        ("use code SAVE20 or discount code: OFF5", vec!["SAVE20", "OFF5"], vec![]),
        ("use my code and smile", vec![], vec![]),
        (
            "統一編號：12345675 統編１２３４５６７６。VAT No. 04595257",
            vec![],
            vec!["12345675", "12345676", "04595257"],
        ),
        ("統編 123456789", vec![], vec![]),
    ] {
        let found = signals(text);
        assert_eq!(found.discount_codes, codes, "{text}");
        assert_eq!(found.ban_hints, bans, "{text}");
    }
}

#[test]
fn quotes_without_personal_data() {
    let found = signals("合作邀約：xiao.yao@agency.example\n匯款帳號：012345678901");
    let quotes: Vec<_> =
        found.evidence.iter().map(|evidence| (evidence.text.as_str(), evidence.start)).collect();
    assert_eq!(quotes, [("合作邀約:***@agency.example", 0), ("匯款", 37)]);
}

#[test]
fn long_texts_are_read_to_their_end() {
    let text = "今天天氣很好。".repeat(50_000) + "#業配 折扣碼：LAST1";
    let found = signals(&text);
    assert_eq!(found.discount_codes, ["LAST1"]);
    assert_eq!(found.evidence.first().map(|evidence| evidence.start), Some(21 * 50_000));
    let codes: String = (0..1_000).map(|number| format!("折扣碼:CODE{number} ")).collect();
    assert_eq!(signals(&codes).discount_codes.len(), 64);
}

proptest! {
    #[test]
    fn never_panics(words in "(#業配|無業配|折扣碼|團購|[:： A-Za-z0-9$,@.元\\x00\u{200b}😀]){0,40}", any_text in any::<String>()) {
        for text in [words, any_text] {
            let found = signals(&text);
            assert!(found.score.is_finite());
            assert!(found.evidence.iter().all(|evidence| evidence.start < normalise(&text).len()));
        }
    }
}

static PATTERNS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| patterns().map(|pattern| Regex::new(pattern).unwrap()).collect());

fn patterns() -> impl Iterator<Item = &'static str> {
    include_str!("lexicon.tsv").lines().skip(1).map(|line| line.split('\t').nth(3).unwrap())
}

/// As they are defined: every phrase is sought in the whole text.
fn defined(text: &str) -> SponsorSignals {
    let lexicon = SponsorLexicon::shipped().unwrap();
    let mut found = SponsorSignals::default();
    let mut visible = Cow::Borrowed(text);
    let mut matched = 0;
    for pass in [Pass::Negation, Pass::Explicit, Pass::Rest] {
        let mut spent = Vec::new();
        for (place, (phrase, pattern)) in lexicon.phrases.iter().zip(PATTERNS.iter()).enumerate() {
            if pass_of(phrase.class) != pass || !pattern.is_match(text) {
                continue;
            }
            let Some(first) = pattern.captures(&visible) else { continue };
            let whole = first.get_match();
            matched |= 1 << place;
            let end = first.name("ban").map_or(whole.end(), |ban| ban.end());
            found.evidence.push(SponsorEvidence {
                id: phrase.id,
                class: phrase.class,
                text: quote(&visible[whole.start()..end]),
                start: whole.start(),
                log_odds: phrase.log_odds,
            });
            for (name, list) in [("code", &mut found.discount_codes), ("ban", &mut found.ban_hints)] {
                for captures in pattern.captures_iter(&visible) {
                    let value = captures.name(name).map(|value| value.as_str().to_owned());
                    list.extend(value.filter(|value| !list.contains(value) && list.len() < MOST_CODES));
                }
            }
            if pass != Pass::Rest {
                spent.extend(pattern.find_iter(&visible).map(|span| span.range()));
            }
        }
        blank(&mut visible, spent);
    }
    found.sum_up(lexicon, matched);
    found
}

/// What stands in the lexicon's patterns, whole, cut short, in other forms, and what may stand between.
fn pieces() -> impl Strategy<Value = String> {
    let lexicon: Vec<String> = patterns()
        .flat_map(|pattern| pattern.split(['(', ')', '|', '[', ']', '?', '*', '.', '\\', '{', '}', '+']))
        .filter(|piece| !piece.is_empty())
        .map(str::to_owned)
        .collect();
    let marks = [
        "#",
        "＃",
        "+1",
        "1",
        "12,345",
        "１２",
        "٣",
        "85",
        "%",
        " off with ",
        "$",
        " ",
        "\u{3000}",
        "\n",
        ":",
        "：",
    ];
    let noise = [
        "好", "今天", "😀", "\u{200b}", "\u{feff}", "\0", "a", "é", "שלום", "_", "12345675", "SAVE20",
        "x@y.tw",
    ];
    let cut = (prop::sample::select(lexicon.clone()), any::<prop::sample::Index>())
        .prop_map(|(piece, at)| piece.chars().take(at.index(piece.chars().count() + 1)).collect());
    let wide = prop::sample::select(lexicon.clone()).prop_map(|piece| {
        let wide =
            |c: char| if c.is_ascii_graphic() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c };
        piece.chars().map(wide).collect()
    });
    let torn = prop::sample::select(lexicon.clone())
        .prop_map(|piece| piece.chars().flat_map(|c| [c, '\u{200b}']).collect());
    prop_oneof![
        6 => prop::sample::select(lexicon.clone()),
        2 => prop::sample::select(lexicon).prop_map(|piece| piece.to_uppercase()),
        1 => cut,
        1 => wide,
        1 => torn,
        4 => prop::sample::select(marks.map(str::to_owned).to_vec()),
        4 => prop::sample::select(noise.map(str::to_owned).to_vec()),
    ]
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]
    #[test]
    fn what_is_found_around_the_hits_is_what_is_in_the_text(pieces in prop::collection::vec(pieces(), 0..40)) {
        let text = pieces.concat();
        let text = normalise(&text);
        proptest::prop_assert_eq!(SponsorLexicon::shipped().unwrap().signals(&text), defined(&text), "{:?}", text);
    }
}
