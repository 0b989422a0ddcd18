use std::borrow::Cow;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

/// What mailboxes are written with.
static MAILBOX: LazyLock<Option<ClassUnicode>> =
    LazyLock::new(|| match regex_syntax::parse(r"[\w.+-]").ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    });

/// The text with the mailbox of every e-mail address struck out; the domain, which names a firm, stays.
#[must_use]
pub fn mask_mailboxes(text: &str) -> Cow<'_, str> {
    let Some((mut before, mut rest)) = text.split_once('@') else { return Cow::Borrowed(text) };
    let Some(class) = MAILBOX.as_ref() else { return Cow::Borrowed("") };
    let mut masked = String::with_capacity(text.len() + 3);
    loop {
        let kept = before.trim_end_matches(|c| is_one_of(class, c));
        masked.push_str(kept);
        masked.push_str(if kept.len() < before.len() { "***@" } else { "@" });
        match rest.split_once('@') {
            Some(parts) => (before, rest) = parts,
            None => break,
        }
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

fn is_one_of(class: &ClassUnicode, c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
    }
    let place = class.ranges().partition_point(|range| range.end() < c);
    class.ranges().get(place).is_some_and(|range| range.start() <= c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;
    use regex::Regex;

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

    proptest! {
        #[test]
        fn strikes_out_what_the_expression_says(text in "[a中é٣_.+@ -\u{301}\u{200d}]{0,16}") {
            let expression = Regex::new(r"[\w.+-]+@").unwrap();
            assert_eq!(mask_mailboxes(&text), expression.replace_all(&text, "***@"));
        }
    }
}
