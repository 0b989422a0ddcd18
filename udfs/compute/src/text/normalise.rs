use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Half-width forms without invisible characters: Unicode NFKC, less zero-width and direction marks.
///
/// Most characters of a text stay as they are, or are the full-width form of one of ASCII, and are told by their number;
/// what stands between those, with the character before it, which a mark may join, goes through the tables.
#[must_use]
pub fn normalise(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let Some(changing) = text.find(|c| !is_plain(c)) else { return Cow::Borrowed(text) };
    let (plain, _) = text.split_at(changing);
    let (kept, text) = text.split_at(plain.char_indices().next_back().map_or(0, |(last, _)| last));
    let mut normal = String::with_capacity(kept.len() + text.len());
    normal.push_str(kept);
    let mut characters = text.char_indices().peekable();
    // Where the last character that went into `normal` by itself stands in the text.
    let mut before = None;
    while let Some((place, c)) = characters.next() {
        if let Some(plain) = by_itself(c) {
            normal.push(plain);
            before = Some(place);
            continue;
        }
        if before.is_some() {
            normal.pop();
        }
        let start = before.take().unwrap_or(place);
        while characters.next_if(|(_, next)| by_itself(*next).is_none()).is_some() {}
        let end = characters.peek().map_or(text.len(), |(place, _)| *place);
        let run = text.get(start..end).unwrap_or_default();
        normal.extend(run.chars().filter(|c| !is_invisible(*c)).nfkc());
    }
    Cow::Owned(normal)
}

/// Whether a character is its own normal form whatever stands before it: ASCII, Chinese, kana, their marks, pictures.
fn is_plain(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{7f}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{3001}'..='\u{301f}'
            | '\u{3041}'..='\u{3096}'
            | '\u{30a1}'..='\u{30fe}'
            | '\u{2018}'..='\u{201f}'
            | '\u{25a0}'..='\u{27bf}'
            | '\u{1f300}'..='\u{1f64f}'
            | '\u{1f680}'..='\u{1f6ff}'
            | '\u{1f900}'..='\u{1f9ff}'
    )
}

/// The normal form of a character that is alone in it whatever stands before; a mark after it may change it.
fn by_itself(c: char) -> Option<char> {
    match c {
        '\u{3000}' => Some(' '),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        c => is_plain(c).then_some(c),
    }
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};
    use unicode_normalization::char::canonical_combining_class;
    use unicode_normalization::{IsNormalized, is_nfkc_quick};

    use super::*;

    /// As it is defined.
    fn defined(text: &str) -> String {
        text.chars().filter(|c| !is_invisible(*c)).nfkc().collect()
    }

    #[test]
    fn makes_forms_plain() {
        for (text, plain) in [
            ("１２３ＡＢＣ", "123ABC"),
            ("業\u{200b}配\u{feff}", "業配"),
            ("ＮＴ＄１，２８０", "NT$1,280"),
            ("統編：12345675", "統編:12345675"),
            ("a\u{3000}b", "a b"),
            ("plain", "plain"),
            ("中文", "中文"),
            ("", ""),
            ("e\u{301}", "é"),
            ("ｅ\u{200b}\u{301}", "é"),
            ("中e\u{301}文", "中é文"),
            ("か\u{3099}", "が"),
            ("㈱①", "(株)1"),
            ("\u{301}a", "\u{301}a"),
            ("👍\u{fe0f}讚", "👍讚"),
        ] {
            assert_eq!(normalise(text), plain);
            assert_eq!(defined(text), plain);
        }
        assert!(matches!(normalise("中文 plain,👍"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_told_by_its_number_is_so() {
        for c in '\0'..=char::MAX {
            let normal: Vec<char> = c.nfkc().collect();
            let starts = canonical_combining_class(c) == 0;
            if let Some(plain) = by_itself(c) {
                assert!(normal == [plain] && starts && !is_invisible(c), "{c:?}");
                assert!(is_nfkc_quick([plain].into_iter()) == IsNormalized::Yes, "{c:?}");
            }
            assert!(!is_plain(c) || by_itself(c) == Some(c), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn runs_are_the_whole(
            text in "[a-e中文ＡＢ，。\u{3000}\u{200b}\u{301}\u{323}\u{fe0f}か\u{3099}ガ①㈱🄰👍가ᄀ\u{1161}é]{0,24}",
            picked in prop::collection::vec(any::<char>(), 0..12),
            any_text in any::<String>(),
        ) {
            for text in [text, picked.into_iter().collect(), any_text] {
                assert_eq!(normalise(&text), defined(&text), "{text:?}");
            }
        }
    }
}
