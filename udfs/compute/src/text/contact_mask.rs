use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

static MAILBOX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\w.+-]+@").ok());

/// The text with the mailbox of every e-mail address struck out; the domain, which names a firm, stays.
#[must_use]
pub fn mask_mailboxes(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    match &*MAILBOX {
        Some(mailbox) => mailbox.replace_all(text, "***@"),
        None => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use super::mask_mailboxes;

    #[test]
    fn keeps_the_domain() {
        for (text, masked) in [
            ("合作邀約: biz.tw+1@agency.example", "合作邀約: ***@agency.example"),
            ("no address", "no address"),
            ("a@b c@d", "***@b ***@d"),
        ] {
            assert_eq!(mask_mailboxes(text), masked);
        }
    }
}
