//! The described head of a query file: a block of comments in a fixed form.
//!
//! ```sql
//! -- title: Sales on invoices that the VAT return leaves out
//! -- question: Which sellers declared less than their invoices say?
//! -- param: minimum integer 100000 – smallest difference listed, NT$
//! -- param: county text 'all' – county code, or all
//! -- param: year integer required – income year
//! -- column: ban text – seller's business number
//! -- with: creators/links
//! -- portable: yes
//! ```
//!
//! In this order; `param` and `with` any number of times, `column` at least once. The head ends at the first
//! line that is not such a comment. A default is a word, text in single quotes, or `required`. `with` names a
//! file of `parts/`: common table expressions that several queries start from, put before the query's own.

use std::str::FromStr;

use crate::parameter::{Parameter, ParameterKind};

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// `integer`, `decimal`, `double`, `text`, `date`, `timestamp` or `boolean`.
    pub sql_type: String,
    /// Meaning and unit.
    pub description: String,
}

/// The head of a query file does not have the fixed form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct HeaderError {
    /// Line in the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) title: String,
    pub(crate) question: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) columns: Vec<Column>,
    pub(crate) parts: Vec<String>,
    pub(crate) portable: bool,
    /// How many lines the head has.
    pub(crate) lines: usize,
}

const KEYS: [&str; 6] = ["title", "question", "param", "column", "with", "portable"];
/// Keys that may be missing, or stand several times.
const OPTIONAL: [&str; 2] = ["param", "with"];
const REPEATED: [&str; 3] = ["param", "column", "with"];
const COLUMN_TYPES: [&str; 7] = ["integer", "decimal", "double", "text", "date", "timestamp", "boolean"];

pub(crate) fn parse(sql: &str) -> Result<Header, HeaderError> {
    let mut header = Header {
        title: String::new(),
        question: String::new(),
        parameters: vec![],
        columns: vec![],
        parts: vec![],
        portable: false,
        lines: 0,
    };
    let mut reached = 0;
    let mut last = 0;
    for (index, line) in sql.lines().enumerate() {
        last = index + 1;
        let refuse = |reason: String| HeaderError { line: last, reason };
        let Some(comment) = line.strip_prefix("-- ") else { break };
        let (key, value) = comment
            .split_once(": ")
            .ok_or_else(|| refuse(format!("expected `-- key: value`, found {line:?}")))?;
        let value = value.trim();
        let place = KEYS
            .iter()
            .position(|known| *known == key)
            .ok_or_else(|| refuse(format!("unknown key {key:?}, expected one of {}", KEYS.join(", "))))?;
        let first = index == 0 && place == 0;
        let again = index > 0 && place == reached && REPEATED.contains(&key);
        let next = index > 0
            && place > reached
            && KEYS[reached + 1..place].iter().all(|skipped| OPTIONAL.contains(skipped));
        if !(first || again || next) {
            return Err(refuse(format!("{key} is out of order, expected {}", KEYS.join(", "))));
        }
        reached = place;
        header.lines = last;
        match key {
            "title" => header.title = value.to_owned(),
            "question" => header.question = value.to_owned(),
            "param" => {
                let parameter = parameter(value).map_err(refuse)?;
                if header.parameters.iter().any(|known| known.name == parameter.name) {
                    return Err(refuse(format!("parameter {} is described twice", parameter.name)));
                }
                header.parameters.push(parameter);
            }
            "column" => {
                let column = column(value).map_err(refuse)?;
                if header.columns.iter().any(|known| known.name == column.name) {
                    return Err(refuse(format!("column {} is described twice", column.name)));
                }
                header.columns.push(column);
            }
            "with" => header.parts.push(value.to_owned()),
            _ => {
                header.portable = match value {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(refuse(format!("portable is yes or no, not {value:?}"))),
                };
            }
        }
    }
    if reached + 1 != KEYS.len() {
        return Err(HeaderError {
            line: last,
            reason: format!("the head ends without {}", KEYS[KEYS.len() - 1]),
        });
    }
    Ok(header)
}

fn described(value: &str) -> Result<(&str, &str), String> {
    match value.split_once(" – ") {
        Some((what, description)) if !description.trim().is_empty() => Ok((what.trim(), description.trim())),
        _ => Err(format!("expected ` – ` and a description after {value:?}")),
    }
}

fn name(text: &str) -> Result<String, String> {
    let lower_snake = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if lower_snake { Ok(text.to_owned()) } else { Err(format!("{text:?} is not a lower snake case name")) }
}

fn parameter(value: &str) -> Result<Parameter, String> {
    let (what, description) = described(value)?;
    let mut words = what.splitn(3, ' ');
    let (Some(word), Some(kind), Some(default)) = (words.next(), words.next(), words.next()) else {
        return Err(format!("expected `name type default`, found {what:?}"));
    };
    let kind = ParameterKind::from_str(kind).map_err(|()| format!("unknown parameter type {kind:?}"))?;
    let quoted = default.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let default = match (default, quoted) {
        ("required", _) => None,
        (_, Some(text)) => Some(text.replace("''", "'")),
        (word, None) if word.contains([' ', '\'']) => {
            return Err(format!("put the default {word:?} in single quotes"));
        }
        (word, None) => Some(word.to_owned()),
    };
    if let Some(default) = &default
        && kind.literal(default).is_none()
    {
        return Err(format!("the default {default:?} is not {kind}"));
    }
    Ok(Parameter { name: name(word)?, kind, default, description: description.to_owned() })
}

fn column(value: &str) -> Result<Column, String> {
    let (what, description) = described(value)?;
    let (word, sql_type) =
        what.split_once(' ').ok_or_else(|| format!("expected `name type`, found {what:?}"))?;
    if !COLUMN_TYPES.contains(&sql_type) {
        return Err(format!("unknown column type {sql_type:?}, expected one of {}", COLUMN_TYPES.join(", ")));
    }
    Ok(Column { name: name(word)?, sql_type: sql_type.to_owned(), description: description.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::parse;

    const TOP: &str = "-- title: T\n-- question: Q?\n";

    fn refused(head: &str) -> String {
        parse(head).expect_err(head).to_string()
    }

    #[test]
    fn a_full_head_is_read() {
        let header = parse(&format!(
            "{TOP}-- param: county text 'a – b' – one\n-- column: n integer – count\n-- portable: yes\nSELECT 1 AS n"
        ));
        // The first dash ends the default: a quoted text may not hold one.
        assert!(header.is_err());
        let header = parse(&format!(
            "{TOP}-- param: county text 'all of it' – which\n-- param: year integer required – which\n\
             -- column: n integer – count, NT$\n-- portable: yes\n\n-- a comment: about the code\nSELECT 1 AS n"
        ))
        .expect("a head");
        assert_eq!(header.parameters[0].default.as_deref(), Some("all of it"));
        assert_eq!(header.parameters[1].default, None);
        assert_eq!(header.columns[0].description, "count, NT$");
        assert!(header.portable);
    }

    #[test]
    fn any_other_form_is_refused() {
        for (head, says) in [
            ("SELECT 1", "the head ends without portable"),
            ("-- question: Q?\n", "out of order"),
            ("-- title: T\n-- column: n integer – x\n", "out of order"),
            (&format!("{TOP}-- portable: yes\n"), "out of order"),
            (&format!("{TOP}{TOP}"), "out of order"),
            (&format!("{TOP}-- note: x\n"), "unknown key \"note\""),
            (&format!("{TOP}-- param: n number 1 – x\n"), "unknown parameter type \"number\""),
            (&format!("{TOP}-- param: n integer x – x\n"), "the default \"x\" is not a whole number"),
            (&format!("{TOP}-- param: n integer 1 - x\n"), "expected ` – `"),
            (&format!("{TOP}-- param: n integer – x\n"), "expected `name type default`"),
            (&format!("{TOP}-- param: N integer 1 – x\n"), "lower snake case"),
            (&format!("{TOP}-- param: n integer 1 – x\n-- param: n integer 1 – x\n"), "described twice"),
            (&format!("{TOP}-- column: n money – x\n"), "unknown column type \"money\""),
            (&format!("{TOP}-- column: n integer – x\n-- column: n integer – x\n"), "described twice"),
            (&format!("{TOP}-- column: n integer – x\n-- portable: maybe\n"), "portable is yes or no"),
        ] {
            let error = refused(head);
            assert!(error.contains(says), "{head:?}: {error}");
        }
    }
}
