use std::borrow::Cow;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Longest text, in bytes, that can be an identifier, a date or an amount.
const LONGEST_FIELD: usize = 512;

/// The rows of a text column, of whichever string type.
pub(super) fn text_rows(array: &ArrayRef) -> Result<Box<dyn Iterator<Item = Option<&str>> + '_>> {
    Ok(match array.data_type() {
        DataType::Utf8 => Box::new(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => Box::new(array.as_string::<i64>().iter()),
        DataType::Utf8View => Box::new(array.as_string_view().iter()),
        other => return internal_err!("a text argument came in as {other}"),
    })
}

/// Half-width forms without invisible characters: Unicode NFKC, less zero-width and direction marks.
pub(super) fn normalise(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    if is_nfkc_quick(text.chars()) == IsNormalized::Yes && !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).nfkc().collect())
}

/// A short value in its plain form, without blank space around it; `None` when it is too long to be one.
pub(super) fn field(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    (text.len() <= LONGEST_FIELD).then(|| match normalise(text) {
        Cow::Borrowed(plain) => Cow::Borrowed(plain.trim()),
        Cow::Owned(plain) => Cow::Owned(plain.trim().to_owned()),
    })
}

/// Positions in characters, counted from 1, of bytes asked for in rising order.
#[derive(Debug)]
pub(super) struct Positions<'a> {
    text: &'a str,
    bytes: usize,
    characters: usize,
}

impl<'a> Positions<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, bytes: 0, characters: 0 }
    }

    pub(super) fn at(&mut self, byte: usize) -> i64 {
        self.characters += self.text.get(self.bytes..byte).map_or(0, |between| between.chars().count());
        self.bytes = byte;
        i64::try_from(self.characters + 1).unwrap_or(i64::MAX)
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
    use super::{field, normalise};

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
        ] {
            assert_eq!(normalise(text), plain);
        }
        assert_eq!(field("\u{3000} １２ \u{200b}\n").as_deref(), Some("12"));
        assert_eq!(field(&"1".repeat(1_000_000)), None);
    }
}
