//! SQL text to statements, or a syntax error that shows the place.

use datafusion::error::DataFusionError;
use datafusion::sql::parser::{DFParserBuilder, Statement};

use crate::error::{EngineError, Result, plain};
use crate::plan::depth::check_depth;

/// Every statement of `sql`.
///
/// # Errors
/// When the text is not SQL, with the line, the column and a caret.
pub(crate) fn parse(sql: &str) -> Result<Vec<Statement>> {
    check_depth(sql)?;
    let statements = DFParserBuilder::new(sql).build().and_then(|mut parser| parser.parse_statements());
    statements.map(Vec::from).map_err(|error| syntax_error(sql, error))
}

/// The one statement of `sql`.
///
/// # Errors
/// When the text is not SQL, or not one statement.
pub(crate) fn parse_one(sql: &str) -> Result<Statement> {
    let mut statements = parse(sql)?;
    match (statements.pop(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (last, before) => Err(EngineError::StatementCount { found: before + usize::from(last.is_some()) }),
    }
}

fn syntax_error(sql: &str, error: DataFusionError) -> EngineError {
    let message = plain(&error);
    if !matches!(error.find_root(), DataFusionError::SQL(..)) {
        return error.into();
    }
    let (reason, place) = match message.rsplit_once(" at Line: ") {
        Some((reason, place)) => (reason.to_owned(), parse_place(place)),
        None => (message, None),
    };
    let (line, column) = place.unwrap_or_else(|| end_of(sql));
    let text = sql.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let reason = reason.replace("Expected: ", "expected ").replace("expected: ", "expected ");
    let reason = reason.replace("found: EOF", "found the end of the text").replace("found: ", "found ");
    let hint = column.checked_sub(1).and_then(|before| text.chars().nth(before)).and_then(full_width_hint);
    let reason = format!("{reason}{}", hint.unwrap_or_default());
    EngineError::Syntax { line, column, reason, excerpt: format!("{text}\n{}^", indent(text, column)) }
}

/// `3, Column: 8`.
fn parse_place(place: &str) -> Option<(usize, usize)> {
    let (line, column) = place.split_once(", Column: ")?;
    let column: String = column.chars().take_while(char::is_ascii_digit).collect();
    Some((line.parse().ok()?, column.parse().ok()?))
}

fn end_of(sql: &str) -> (usize, usize) {
    let sql = sql.trim_end();
    let last = sql.lines().last().unwrap_or_default();
    (sql.lines().count().max(1), last.chars().count() + 1)
}

/// A full-width character looks like the one that SQL knows, and is another.
fn full_width_hint(found: char) -> Option<String> {
    let code = u32::from(found);
    let half_width = match code {
        0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0)?,
        _ => return None,
    };
    Some(format!(", which is full-width: type {half_width}"))
}

/// Blanks as wide as the characters before `column`, so that the caret stands under the place.
fn indent(line: &str, column: usize) -> String {
    let before = line.chars().take(column.saturating_sub(1));
    before
        .map(|character| match character {
            '\t' => '\t',
            wide if is_wide(wide) => '\u{3000}',
            _ => ' ',
        })
        .collect()
}

/// East Asian characters that take two cells of a terminal.
fn is_wide(character: char) -> bool {
    matches!(u32::from(character), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF01..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use super::parse_one;

    #[test]
    fn places_of_syntax_errors() {
        let check = |sql: &str, expected: &str| {
            assert_eq!(parse_one(sql).unwrap_err().to_string(), expected, "{sql}");
        };
        check(
            "select 1\n  form t u",
            "syntax error at line 2, column 8: expected end of statement, found t\n  form t u\n       ^",
        );
        check(
            "selec 1",
            "syntax error at line 1, column 1: expected an SQL statement, found selec\nselec 1\n^",
        );
        check(
            "select '統一編號' frm 甲 乙 丙",
            "syntax error at line 1, column 19: expected end of statement, found 甲\nselect '統一編號' frm 甲 乙 丙\n\u{20}       \u{3000}\u{3000}\u{3000}\u{3000}      ^",
        );
        check(
            "select 'abc",
            "syntax error at line 1, column 8: unterminated string literal\nselect 'abc\n       ^",
        );
        check(
            "select (1",
            "syntax error at line 1, column 10: expected ), found the end of the text\nselect (1\n         ^",
        );
        check(
            "select １",
            "syntax error at line 1, column 8: expected an expression, found １, which is full-width: type 1\nselect １\n       ^",
        );
        check("", "expected one SQL statement, found 0");
        check("select 1; select 2", "expected one SQL statement, found 2");
    }
}
