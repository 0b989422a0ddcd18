use std::borrow::Cow;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
pub(super) use tithe_compute::text::normalise;

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

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_plain_and_short() {
        assert_eq!(field("\u{3000} １２ \u{200b}\n").as_deref(), Some("12"));
        assert_eq!(field(&"1".repeat(1_000_000)), None);
    }
}
