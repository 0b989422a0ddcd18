//! How deep an expression is, told before it is parsed: the trees of the parser and the planner are cloned and dropped by
//! functions that call themselves, and too deep a tree ends the process, not the query.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{EngineError, Result};

/// Operators one after the other, as in `a OR b OR c`, which make a tree as deep as they are many.
const MOST: usize = 1_000;

/// Refuses `sql` when it has too many operators in a row. Text that is no SQL passes: the parser says what is wrong.
///
/// # Errors
/// When there are more than a thousand.
pub(crate) fn check_depth(sql: &str) -> Result<()> {
    match Tokenizer::new(&GenericDialect {}, sql).tokenize() {
        Ok(tokens) if depth(&tokens) > MOST => Err(EngineError::TooDeep { most: MOST }),
        _ => Ok(()),
    }
}

/// What lies between two brackets, or in none.
#[derive(Default)]
struct Level {
    /// Operators since the last `AND` or `OR`.
    operators: usize,
    /// The most there were between two of them in this expression.
    operand: usize,
    /// `AND` and `OR` of this expression.
    logical: usize,
    /// Of the deepest expression before it.
    deepest: usize,
    /// `UNION`, `JOIN` and their like, and the queries of a `WITH`: a tree over whole queries.
    sets: usize,
    /// Between `FROM` and what follows its tables.
    from: bool,
}

impl Level {
    fn end_operand(&mut self) {
        self.operand = self.operand.max(self.operators);
        self.operators = 0;
    }

    fn end_expression(&mut self) {
        self.deepest = self.deepest.max(self.expression());
        (self.operators, self.operand, self.logical) = (0, 0, 0);
    }

    fn expression(&self) -> usize {
        self.operand.max(self.operators) + self.logical
    }

    fn depth(&self) -> usize {
        self.deepest.max(self.expression()) + self.sets
    }
}

fn depth(tokens: &[Token]) -> usize {
    let mut outer: Vec<Level> = Vec::new();
    let mut level = Level::default();
    let mut after_as = false;
    for token in tokens {
        let named = std::mem::replace(&mut after_as, false);
        match token {
            Token::LParen if named => {
                // `WITH name AS (`, whose name the next one may use.
                level.end_expression();
                level.sets += 1;
                outer.push(std::mem::take(&mut level));
            }
            Token::Comma if level.from => {
                level.end_expression();
                level.sets += 1;
            }
            Token::LParen | Token::LBracket | Token::LBrace => outer.push(std::mem::take(&mut level)),
            Token::RParen | Token::RBracket | Token::RBrace => {
                let within = level.depth();
                level = outer.pop().unwrap_or_default();
                level.operators = level.operators.max(within) + 1;
            }
            Token::Comma | Token::SemiColon => level.end_expression(),
            Token::Word(word) => match word.keyword {
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::JOIN => {
                    level.end_expression();
                    level.from = word.keyword == Keyword::JOIN;
                    level.sets += 1;
                }
                Keyword::FROM => level.from = true,
                Keyword::SELECT
                | Keyword::WHERE
                | Keyword::GROUP
                | Keyword::HAVING
                | Keyword::QUALIFY
                | Keyword::WINDOW
                | Keyword::ORDER
                | Keyword::LIMIT => level.from = false,
                Keyword::AS => after_as = true,
                Keyword::CASE | Keyword::WHEN | Keyword::THEN | Keyword::ELSE => level.end_expression(),
                Keyword::AND | Keyword::OR => {
                    level.end_operand();
                    level.logical += 1;
                }
                Keyword::NOT | Keyword::IS | Keyword::LIKE | Keyword::ILIKE => level.operators += 1,
                _ => {}
            },
            Token::Whitespace(_) => after_as = named,
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Period | Token::EOF => {}
            _ => level.operators += 1,
        }
    }
    // Brackets that are not closed: the parser refuses them.
    outer.iter().map(Level::depth).fold(level.depth(), usize::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: usize) {
        let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().unwrap();
        assert_eq!(depth(&tokens), expected, "{sql}");
    }

    #[test]
    fn chains_are_deep_and_lists_are_not() {
        check("SELECT 1", 0);
        check("SELECT 1 + 2 + 3, 4 + 5", 2);
        check("SELECT a FROM t WHERE a = 1 OR a = 2 OR a = 3", 3);
        check("SELECT ((1 + 2) + 3) + 4", 5);
        check("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", 2);
        check("SELECT 1 IN (1, 2, 3, 4, 5, 6, 7, 8)", 1);
        check("SELECT CASE WHEN a = 1 THEN 1 WHEN a = 2 THEN 2 WHEN a = 3 THEN 3 END", 1);
        check("SELECT a::int::text, x[1][2]", 2);
        check(")))(", 3);
        check("SELECT a, b, c FROM t, u, v WHERE a = 1", 3);
        check("SELECT a FROM t JOIN u ON t.a = u.a AND t.b = u.b JOIN v USING (a), w", 5);
        check("WITH a AS (SELECT 1), b AS ( SELECT 2 ), c AS (SELECT 3) SELECT 1, 2", 4);
    }

    #[test]
    fn too_many_operators_are_refused() {
        let sum = |terms: usize| format!("SELECT {}", vec!["1"; terms].join(" + "));
        check_depth(&sum(1_001)).unwrap();
        let error = check_depth(&sum(1_002)).unwrap_err().to_string();
        assert!(error.contains("more than 1000 operators in a row"), "{error}");
        check_depth("SELECT 'open").unwrap();
    }
}
