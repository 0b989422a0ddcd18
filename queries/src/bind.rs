//! Puts parameter values into a query's text.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::error::ParameterError;
use crate::library::{LibraryQuery, nearest};

impl LibraryQuery {
    /// The query's text with every `$name` replaced by a literal of the parameter's type.
    ///
    /// Values are given as text, as from a command line; a parameter that is not given takes its
    /// default. Placeholders inside strings and comments stay as they are.
    ///
    /// # Errors
    /// When a parameter is unknown, missing, or its value is not of its type.
    pub fn bind(&self, given: &BTreeMap<String, String>) -> Result<String, ParameterError> {
        let literals = self.literals(given)?;
        if let Some(missing) = self.parameters.iter().find(|known| !literals.contains_key(&known.name)) {
            return Err(ParameterError::Missing {
                query: self.name.to_owned(),
                parameter: missing.name.clone(),
                description: missing.description.clone(),
                kind: missing.kind,
            });
        }
        self.replace(|name| literals.get(name).map(String::as_str))
    }

    /// Every parameter that has a value, given or by default, with the value as a literal of its type.
    ///
    /// # Errors
    /// When a parameter is unknown, or its value is not of its type.
    pub fn literals(
        &self,
        given: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, ParameterError> {
        for parameter in given.keys() {
            let known = || self.parameters.iter().map(|known| known.name.as_str());
            if !known().any(|name| name == parameter) {
                return Err(ParameterError::UnknownParameter {
                    query: self.name.to_owned(),
                    parameter: parameter.clone(),
                    nearest: nearest(parameter, known()),
                    known: known().map(ToOwned::to_owned).collect(),
                });
            }
        }
        let mut literals = BTreeMap::new();
        for parameter in &self.parameters {
            let Some(value) = given.get(&parameter.name).or(parameter.default.as_ref()) else { continue };
            let literal = parameter.kind.literal(value).ok_or_else(|| ParameterError::BadValue {
                query: self.name.to_owned(),
                parameter: parameter.name.clone(),
                value: value.clone(),
                kind: parameter.kind,
            })?;
            literals.insert(parameter.name.clone(), literal);
        }
        Ok(literals)
    }

    /// The names of the placeholders in the query's text, in order, repeated ones too.
    ///
    /// # Errors
    /// When the text cannot be split into tokens.
    pub fn placeholders(&self) -> Result<Vec<String>, ParameterError> {
        let mut names = Vec::new();
        self.replace(|name| {
            names.push(name.to_owned());
            None
        })?;
        Ok(names)
    }

    fn replace<'a>(
        &self,
        mut literal: impl FnMut(&str) -> Option<&'a str>,
    ) -> Result<String, ParameterError> {
        let tokens =
            Tokenizer::new(&GenericDialect {}, &self.sql).tokenize_with_location().map_err(|error| {
                ParameterError::Sql { query: self.name.to_owned(), reason: error.to_string() }
            })?;
        let line_starts: Vec<usize> =
            std::iter::once(0).chain(self.sql.match_indices('\n').map(|(at, _newline)| at + 1)).collect();
        let offset = |at: Location| -> usize {
            let line = usize::try_from(at.line).map_or(0, |line| line.saturating_sub(1));
            let column = usize::try_from(at.column).map_or(0, |column| column.saturating_sub(1));
            let start = line_starts.get(line).copied().unwrap_or(self.sql.len());
            self.sql[start..]
                .char_indices()
                .nth(column)
                .map_or(self.sql.len(), |(bytes, _char)| start + bytes)
        };
        let mut bound = String::with_capacity(self.sql.len());
        let mut copied = 0;
        for token in &tokens {
            if let Token::Placeholder(placeholder) = &token.token
                && let Some(literal) = literal(placeholder.trim_start_matches('$'))
            {
                let start = offset(token.span.start);
                bound.push_str(&self.sql[copied..start]);
                bound.push_str(literal);
                copied = start + placeholder.len();
            }
        }
        bound.push_str(&self.sql[copied..]);
        Ok(bound)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::library::LibraryQuery;

    fn query(sql: &'static str) -> LibraryQuery {
        LibraryQuery::parse("test/query", sql).expect("a head")
    }

    const HEAD: &str = "-- title: T\n-- question: 臺灣 $n?\n-- param: n integer 1 – count\n-- param: text text required – 字\n\
                        -- column: a integer – a\n-- portable: yes\n";

    fn bound(body: &str, given: &[(&str, &str)]) -> Result<String, String> {
        let sql: &'static str = format!("{HEAD}{body}").leak();
        let given: BTreeMap<String, String> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        match query(sql).bind(&given) {
            Ok(text) => Ok(text.strip_prefix(HEAD).expect("the head stays as it is").to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn only_placeholder_tokens_are_replaced() {
        let body = "/* $n */ SELECT '臺 $n' AS \"$n\", $n+$n, $text -- $n\n, '''$text' || $text";
        assert_eq!(
            bound(body, &[("n", "-2"), ("text", "it's $n -- 臺")]).as_deref(),
            Ok(
                "/* $n */ SELECT '臺 $n' AS \"$n\", (-2)+(-2), 'it''s $n -- 臺' -- $n\n, '''$text' || 'it''s $n -- 臺'"
            )
        );
        assert_eq!(bound("SELECT $n, $n_other", &[("text", "")]).as_deref(), Ok("SELECT 1, $n_other"));
    }

    #[test]
    fn bad_parameters_are_named() {
        for (given, says) in [
            (&[][..], "query test/query needs the parameter text (字): give text on one line"),
            (&[("txt", "x")], "query test/query has no parameter \"txt\" (nearest: text); it takes n, text"),
            (
                &[("n", "x"), ("text", "")],
                "query test/query, parameter n: \"x\" is not a whole number such as 12",
            ),
            (&[("text", "a\nb")], "query test/query, parameter text: \"a\\nb\" is not text on one line"),
        ] {
            assert_eq!(bound("SELECT $n, $text", given), Err(says.to_owned()));
        }
    }
}
