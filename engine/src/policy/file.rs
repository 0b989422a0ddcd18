//! The policy file as it is written: JSON in the form of Trino's file-based access control, with Tithe's additions.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use datafusion::sql::parser::DFParserBuilder;

/// Compiled patterns larger than this are refused, so that a pattern cannot use up the server's memory.
const LARGEST_PATTERN: usize = 1 << 20;

/// A policy file. A section that is missing grants nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyFile {
    #[serde(default)]
    pub(super) groups: Vec<Group>,
    #[serde(default)]
    pub(super) roles: Vec<Role>,
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
    #[serde(default)]
    pub(super) tenants: Vec<Tenant>,
    #[serde(default)]
    pub(super) tables: Vec<TableRule>,
}

/// Users that rules name together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) group: String,
    pub(super) users: Vec<String>,
}

/// What users, or all users of a group, are to the authority.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    pub(super) role: String,
    #[serde(default)]
    pub(super) users: Vec<String>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
}

/// Says of columns what they hold. A tagged column is hidden unless a rule names it or its tag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tag {
    pub(super) tag: String,
    pub(super) schema: Option<Pattern>,
    pub(super) table: Option<Pattern>,
    pub(super) column: Pattern,
}

/// Whose rows somebody sees, whatever the other rules say. All that match are combined with AND; who is matched by
/// none sees no row of a table that has tenants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tenant {
    pub(super) user: Option<Pattern>,
    pub(super) group: Option<Pattern>,
    pub(super) role: Option<Pattern>,
    pub(super) schema: Option<Pattern>,
    pub(super) table: Option<Pattern>,
    pub(super) filter: SqlExpression,
}

/// What somebody may do with a table. The first that matches decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableRule {
    pub(super) user: Option<Pattern>,
    pub(super) group: Option<Pattern>,
    pub(super) role: Option<Pattern>,
    pub(super) schema: Option<Pattern>,
    pub(super) table: Option<Pattern>,
    pub(super) privileges: Vec<Privilege>,
    pub(super) filter: Option<SqlExpression>,
    pub(super) minimum_group: Option<MinimumGroup>,
    #[serde(default)]
    pub(super) columns: Vec<ColumnRule>,
}

/// A table that is seen in aggregates alone, of at least `size` distinct values of `key`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinimumGroup {
    /// The column that tells whose row it is.
    pub key: String,
    /// Distinct keys of the smallest cell that is shown.
    pub size: u32,
    /// The columns that conditions and groups may be made of; a cell is one combination of their values.
    #[serde(default)]
    pub dimensions: Vec<String>,
}

impl fmt::Display for MinimumGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at least {} of {} in ", self.size, self.key)?;
        match self.dimensions.as_slice() {
            [] => f.write_str("the whole table"),
            dimensions => write!(f, "each combination of {}", dimensions.join(", ")),
        }
    }
}

/// What somebody sees of a column. The first that matches decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnRule {
    pub(super) name: Option<String>,
    pub(super) tag: Option<Pattern>,
    #[serde(default = "allowed")]
    pub(super) allow: bool,
    pub(super) mask: Option<SqlExpression>,
}

fn allowed() -> bool {
    true
}

/// What a rule grants: `SELECT` to read, `INSERT` to add rows and to write the output of a job, `OWNERSHIP` to create,
/// replace and drop. The others are understood and grant nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Privilege {
    Select,
    Insert,
    Delete,
    Update,
    Ownership,
    GrantSelect,
}

/// A regular expression that matches whole names.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern(Regex);

impl Pattern {
    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }

    /// Whether it is nothing but `name`.
    pub(super) fn spells(&self, name: &str) -> bool {
        self.0.as_str() == format!("^(?:{name})$")
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // On its own first: `a)|(b` would be whole only within what is put around it.
        Regex::new(&text)
            .map_err(|error| format!("the pattern {text:?} is no regular expression: {error}"))?;
        RegexBuilder::new(&format!("^(?:{text})$"))
            .size_limit(LARGEST_PATTERN)
            .build()
            .map(Self)
            .map_err(|error| format!("the pattern {text:?} cannot be used: {error}"))
    }
}

/// An SQL expression over the columns of a table; `current_user` is who asks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct SqlExpression(String);

impl SqlExpression {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SqlExpression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refuse = |reason: String| format!("{text:?} is no SQL expression: {reason}");
        let parser = DFParserBuilder::new(text.as_str()).build();
        let parsed = parser.and_then(|mut parser| parser.parse_into_expr());
        parsed.map_err(|error| refuse(crate::error::plain(&error)))?;
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(
                Pattern::try_from(pattern.to_owned()).unwrap().matches(name),
                expected,
                "{pattern} {name}"
            );
        };
        check("tax", "tax", true);
        check("tax", "taxpayer", false);
        check("tax|invoice", "invoice", true);
        check("tax|invoice", "invoices", false);
        check(".*", "甲", true);
        check("a\nb", "a", false);
        for broken in ["(", "a)|(b", "[", "(a{999}){999}"] {
            assert!(Pattern::try_from(broken.to_owned()).is_err(), "{broken}");
        }
    }

    #[test]
    fn expressions_are_parsed_when_the_file_is() {
        assert!(SqlExpression::try_from("bureau = 'KS' AND amount > 3".to_owned()).is_ok());
        for broken in ["", "bureau =", "true; drop table t", "true) or (true", "1 2"] {
            assert!(SqlExpression::try_from(broken.to_owned()).is_err(), "{broken}");
        }
    }
}
