//! Text from files, safe on a terminal.

use std::borrow::Cow;

/// `text` with what would move the cursor, colour the screen or turn the direction of reading written as an escape.
/// Line ends stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let acts = |character: char| (character.is_control() && character != '\n') || turns(character);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.replace("\r\n", "\n").chars() {
        match acts(character) {
            true => safe.extend(character.escape_default()),
            false => safe.push(character),
        }
    }
    Cow::Owned(safe)
}

/// Marks of bidirectional text, which make the end of a line read as its beginning.
fn turns(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn text_cannot_act_on_the_terminal() {
        assert_eq!(printable("業配 合作，折扣碼"), "業配 合作，折扣碼");
        assert_eq!(printable("a\r\nb\nc"), "a\nb\nc");
        assert_eq!(printable("\u{1b}[2Jgone\ta\u{202e}b"), "\\u{1b}[2Jgone\\ta\\u{202e}b");
    }
}
