//! Values and names as SQL writes them.

/// A text literal.
pub(crate) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A whole number; in brackets when negative, for a bare minus sign after another would begin a comment.
pub(crate) fn integer(value: i64) -> String {
    match value < 0 {
        true => format!("({value})"),
        false => value.to_string(),
    }
}

/// A name exactly as it is.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(text("O'Brien"), "'O''Brien'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!((integer(5), integer(-5)), ("5".to_owned(), "(-5)".to_owned()));
    }
}
