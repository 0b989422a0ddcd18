//! A script cut into its statements, as the user wrote them.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::error::Result;
use crate::plan::parse;

/// The statements of `script` without the semicolons between them; comments stay with the statement they precede.
///
/// # Errors
/// When the script is not SQL, with the place.
pub(crate) fn split(script: &str) -> Result<Vec<String>> {
    let statements = parse(script)?;
    match slices(script) {
        Some(slices) if slices.len() == statements.len() => Ok(slices),
        _ => Ok(statements.iter().map(ToString::to_string).collect()),
    }
}

fn slices(script: &str) -> Option<Vec<String>> {
    let tokens = Tokenizer::new(&GenericDialect {}, script).tokenize_with_location().ok()?;
    let starts = line_starts(script);
    let mut slices = Vec::new();
    let mut begin = 0;
    let mut has_code = false;
    for token in tokens {
        match token.token {
            Token::SemiColon => {
                let end = offset(script, &starts, token.span.start)?;
                if has_code {
                    slices.push(script.get(begin..end)?.trim().to_owned());
                }
                begin = end + 1;
                has_code = false;
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => has_code = true,
        }
    }
    if has_code {
        slices.push(script.get(begin..)?.trim().to_owned());
    }
    Some(slices)
}

pub(super) fn line_starts(script: &str) -> Vec<usize> {
    std::iter::once(0).chain(script.match_indices('\n').map(|(position, _)| position + 1)).collect()
}

/// Columns count characters, slices count bytes.
pub(super) fn offset(script: &str, starts: &[usize], place: Location) -> Option<usize> {
    let line = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let start = *starts.get(line)?;
    let (within, _) = script.get(start..)?.char_indices().nth(column)?;
    Some(start + within)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn statements_as_written() {
        let check =
            |script: &str, expected: &[&str]| assert_eq!(split(script).unwrap(), expected, "{script}");
        check("select 1;", &["select 1"]);
        check("  select 1 ;; select  2  ", &["select 1", "select  2"]);
        check(
            "select ';', \"a;b\" -- not; here\n; select 2",
            &["select ';', \"a;b\" -- not; here", "select 2"],
        );
        check(
            "-- first; comment\nselect '統;編';/* ; */select '號'",
            &["-- first; comment\nselect '統;編'", "/* ; */select '號'"],
        );
        check("select 1;\n-- the end", &["select 1"]);
        check("", &[]);
        check(
            "create external table t stored as csv location 'a;b.csv'; select $$x;y$$",
            &["create external table t stored as csv location 'a;b.csv'", "select $$x;y$$"],
        );
        assert!(split("select 1; selec 2").unwrap_err().to_string().contains("line 1, column 11"));
    }
}
