//! `tithe policy test`: does the policy still say what its keepers expect of it?

use std::path::Path;

use serde::Deserialize;
use tithe_engine::{Access, Engine, Principal};

use super::policy::schema_and_table;
use crate::failure::{Failure, Result};

/// A file of expectations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectations {
    #[serde(default)]
    expect: Vec<Expectation>,
}

/// What somebody should see of a table; what is left out is not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    user: String,
    /// Groups that the user's identity provider puts them in.
    #[serde(default)]
    groups: Vec<String>,
    table: String,
    denied: Option<bool>,
    rows: Option<Rows>,
    /// The smallest group that is shown; 0 where rows are.
    minimum_group: Option<u32>,
    #[serde(default)]
    shown: Vec<String>,
    #[serde(default)]
    masked: Vec<String>,
    #[serde(default)]
    hidden: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rows {
    /// Every one.
    All,
    /// Those that pass a filter.
    Some,
}

/// How many expectations hold, and what is wrong with the others, one sentence each.
pub(super) struct Tested {
    pub(super) expected: usize,
    pub(super) wrong: Vec<String>,
}

/// Compares what the policy says with the expectations in a file.
pub(super) async fn test(engine: &Engine, path: &Path) -> Result<Tested> {
    let refuse = |reason: &str| Failure::usage(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refuse(&error.to_string()))?;
    let file: Expectations = toml::from_str(&text).map_err(|error| refuse(error.to_string().trim_end()))?;
    if file.expect.is_empty() {
        return Err(refuse("there is no [[expect]] in it: docs/policy.md shows one"));
    }
    let mut wrong = Vec::new();
    for expectation in &file.expect {
        let (schema, table) = schema_and_table(&expectation.table).map_err(|reason| refuse(&reason))?;
        let access = engine
            .access(expectation.principal(), schema, table)
            .await
            .map_err(|error| refuse(&error.to_string()))?;
        let Some(access) = access else { continue };
        let found = expectation.differences(&access);
        wrong.extend(found.map_err(|reason| refuse(&reason))?);
    }
    Ok(Tested { expected: file.expect.len(), wrong })
}

impl Expectation {
    fn principal(&self) -> Principal {
        Principal { name: self.user.clone(), groups: self.groups.iter().cloned().collect() }
    }

    fn differences(&self, access: &Access) -> std::result::Result<Vec<String>, String> {
        let mut found = Vec::new();
        let mut say = |what: String| found.push(format!("{} on {}: {what}", self.user, self.table));
        let expects_something = self.rows.is_some()
            || self.minimum_group.is_some()
            || [&self.shown, &self.masked, &self.hidden].iter().any(|columns| !columns.is_empty());
        if self.denied == Some(true) && expects_something {
            return Err(format!(
                "{} on {}: what is denied has no rows and columns to expect",
                self.user, self.table
            ));
        }
        if self.denied == Some(true) && access.permitted {
            say(format!("should be denied, and is {}", access.decision));
        }
        if !access.permitted {
            if self.denied == Some(false) || expects_something {
                say(format!("should be permitted, and is {}", access.decision));
            }
            return Ok(found);
        }
        let rows = if access.filters.is_empty() { Rows::All } else { Rows::Some };
        match self.rows {
            Some(Rows::All) if rows == Rows::Some => {
                say(format!("should see all rows, and sees those where {}", access.filters.join(" and ")));
            }
            Some(Rows::Some) if rows == Rows::All => say("should see some rows, and sees all".to_owned()),
            _ => {}
        }
        let size = access.minimum_group.as_ref().map_or(0, |group| group.size);
        if let Some(expected) = self.minimum_group.filter(|expected| *expected != size) {
            let seen = |size| match size {
                0 => "row by row".to_owned(),
                size => format!("in groups of at least {size}"),
            };
            say(format!("should be seen {}, and is seen {}", seen(expected), seen(size)));
        }
        let kinds = [("shown", &self.shown), ("masked", &self.masked), ("hidden", &self.hidden)];
        for (expected, columns) in kinds {
            for name in columns {
                let Some(column) = access.columns.iter().find(|column| column.name == *name) else {
                    return Err(format!("{} has no column {name}", self.table));
                };
                let is = if column.is_masked() { "masked" } else { column.shown.as_str() };
                if is != expected {
                    say(format!("{name} should be {expected}, and is {is}"));
                }
            }
        }
        Ok(found)
    }
}
