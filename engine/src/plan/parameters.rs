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
    use super::number_parameters;

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
}
