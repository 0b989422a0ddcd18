//! The places of a statement where values are bound.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::Result;
use crate::plan::split::{line_starts, offset};

/// `sql` with its `?` numbered in the order of the text, as `$1`, `$2`, …; unchanged where it has none, or also has
/// numbered parameters, which the planner then reports.
pub(crate) fn number_parameters(sql: &str) -> String {
    numbered(sql).unwrap_or_else(|| sql.to_owned())
}

fn numbered(sql: &str) -> Option<String> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location().ok()?;
    let starts = line_starts(sql);
    let mut text = String::with_capacity(sql.len());
    let (mut copied, mut number) = (0, 0);
    for token in tokens {
        match token.token {
            Token::Placeholder(name) if name == "?" => {
                let place = offset(sql, &starts, token.span.start)?;
                number += 1;
                text.push_str(sql.get(copied..place)?);
                text.push_str(&format!("${number}"));
                copied = place + 1;
            }
            Token::Placeholder(_) => return None,
            _ => {}
        }
    }
    text.push_str(sql.get(copied..)?);
    Some(text)
}

/// `sql` with every `$name` replaced by what `replacement` says of the name. Strings, quoted names and comments stay
/// as they are.
///
/// # Errors
/// The names of which `replacement` says nothing, once each; empty when the text cannot be split into tokens.
pub(crate) fn replace_named(
    sql: &str,
    mut replacement: impl FnMut(&str) -> Option<String>,
) -> std::result::Result<String, Vec<String>> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
    let tokens = tokens.map_err(|_error| Vec::new())?;
    let starts = line_starts(sql);
    let mut text = String::with_capacity(sql.len());
    let mut copied = 0;
    let mut unknown = Vec::new();
    for token in tokens {
        let Token::Placeholder(placeholder) = token.token else { continue };
        let name = placeholder.trim_start_matches('$');
        let Some(instead) = replacement(name) else {
            if !unknown.iter().any(|known| known == name) {
                unknown.push(name.to_owned());
            }
            continue;
        };
        let place = offset(sql, &starts, token.span.start).ok_or_else(Vec::new)?;
        text.push_str(sql.get(copied..place).unwrap_or_default());
        text.push_str(&instead);
        copied = place + placeholder.len();
    }
    text.push_str(sql.get(copied..).unwrap_or_default());
    match unknown.is_empty() {
        true => Ok(text),
        false => Err(unknown),
    }
}

/// `plan` with `values` as literals in place of `$1`, `$2`, …; without values, the plan as it is.
///
/// # Errors
/// When a parameter has no value.
pub(crate) fn bind(plan: LogicalPlan, values: &[ScalarValue]) -> Result<LogicalPlan> {
    if values.is_empty() {
        return Ok(plan);
    }
    Ok(plan.with_param_values(values.to_vec())?)
}

#[cfg(test)]
mod tests {
    use super::{number_parameters, replace_named};

    #[test]
    fn question_marks_are_numbered_where_they_are_parameters() {
        let check = |sql: &str, expected: &str| assert_eq!(number_parameters(sql), expected, "{sql}");
        check("SELECT ?, ?", "SELECT $1, $2");
        check(
            "SELECT '稅?', \"?\" -- ?\n FROM t WHERE a = ?",
            "SELECT '稅?', \"?\" -- ?\n FROM t WHERE a = $1",
        );
        check("SELECT $2, $1", "SELECT $2, $1");
        check("SELECT ?, $1", "SELECT ?, $1");
        check("SELECT 'open ?", "SELECT 'open ?");
    }

    #[test]
    fn named_places_are_replaced_and_unknown_ones_told() {
        let replaced = |sql: &str| {
            replace_named(sql, |name| match name {
                "county" => Some("$1".to_owned()),
                "horizon" => Some("12".to_owned()),
                _ => None,
            })
        };
        assert_eq!(
            replaced("SELECT $county, '$county' -- $county\n, f($horizon)"),
            Ok("SELECT $1, '$county' -- $county\n, f(12)".to_owned())
        );
        assert_eq!(replaced("SELECT $x, $county, $y, $x"), Err(vec!["x".to_owned(), "y".to_owned()]));
    }
}
