//! The list of queries, and finding one by name.

use std::sync::LazyLock;

use crate::error::ParameterError;
use crate::files::{FILES, PARTS};
use crate::header::{self, Column, Header, HeaderError};
use crate::parameter::Parameter;

/// How many similar names an error offers.
const SUGGESTIONS: usize = 3;
/// Names less similar than this are not offered (Jaro–Winkler, 0 to 1).
const SIMILAR: f64 = 0.75;

/// One question of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryQuery {
    /// Domain and name, as `vat/circular_trading`.
    pub name: &'static str,
    /// The part before the slash.
    pub domain: &'static str,
    /// A few words.
    pub title: String,
    /// The question it answers, in a sentence.
    pub question: String,
    /// What may be given to [`LibraryQuery::bind`].
    pub parameters: Vec<Parameter>,
    /// The answer's columns, in order.
    pub columns: Vec<Column>,
    /// Plain SQL without Tithe's own functions: other engines answer it identically.
    pub portable: bool,
    /// The file's text, head included, with the parts that it names.
    pub sql: String,
}

impl LibraryQuery {
    /// Reads the head of a query file and puts its parts in place.
    ///
    /// # Errors
    /// When the head does not have the fixed form or names a part that does not exist.
    pub fn parse(name: &'static str, sql: &str) -> Result<Self, HeaderError> {
        let header = header::parse(sql)?;
        let sql = composed(sql, &header)?;
        Ok(Self {
            name,
            domain: name.split_once('/').map_or("", |(domain, _short)| domain),
            title: header.title,
            question: header.question,
            parameters: header.parameters,
            columns: header.columns,
            portable: header.portable,
            sql,
        })
    }

    /// The name without its domain.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name.split_once('/').map_or(self.name, |(_domain, short)| short)
    }
}

/// The head, the parts, and the query's own text as one statement.
fn composed(sql: &str, header: &Header) -> Result<String, HeaderError> {
    if header.parts.is_empty() {
        return Ok(sql.to_owned());
    }
    let parts = header
        .parts
        .iter()
        .map(|wanted| {
            let found = PARTS.iter().find(|(name, _text)| name == wanted);
            found.map(|(_name, text)| text.trim_end()).ok_or_else(|| HeaderError {
                line: header.lines,
                reason: format!("there is no part {wanted:?}: files.rs lists the files of parts/"),
            })
        })
        .collect::<Result<Vec<&str>, HeaderError>>()?;
    let head_ends = sql.match_indices('\n').nth(header.lines - 1).map_or(sql.len(), |(at, _newline)| at + 1);
    let (head, body) = sql.split_at(head_ends);
    let (between, own) = match body.trim_start().strip_prefix("WITH ") {
        Some(own) => (",", own),
        None => ("", body.trim_start()),
    };
    Ok(format!("{head}WITH\n{}{between}\n{own}", parts.join(",\n")))
}

static LIBRARY: LazyLock<Vec<LibraryQuery>> =
    LazyLock::new(|| FILES.iter().filter_map(|(name, sql)| LibraryQuery::parse(name, sql).ok()).collect());

/// All queries, by domain and name.
#[must_use]
pub fn library() -> &'static [LibraryQuery] {
    &LIBRARY
}

/// The query of this name: `vat/circular_trading`, or `circular_trading` where only one domain has it.
///
/// # Errors
/// When there is none, with the nearest names, or when the short name is in several domains.
pub fn find(name: &str) -> Result<&'static LibraryQuery, ParameterError> {
    if let Some(query) = library().iter().find(|query| query.name == name) {
        return Ok(query);
    }
    let short: Vec<&'static LibraryQuery> =
        library().iter().filter(|query| query.short_name() == name).collect();
    match short.as_slice() {
        [only] => Ok(only),
        [] => Err(ParameterError::UnknownQuery {
            name: name.to_owned(),
            nearest: if name.contains('/') {
                nearest(name, library().iter().map(|query| query.name))
            } else {
                let shorts = nearest(name, library().iter().map(LibraryQuery::short_name));
                library()
                    .iter()
                    .filter(|query| shorts.iter().any(|short| short == query.short_name()))
                    .map(|query| query.name.to_owned())
                    .collect()
            },
        }),
        several => Err(ParameterError::AmbiguousQuery {
            name: name.to_owned(),
            candidates: several.iter().map(|query| query.name.to_owned()).collect(),
        }),
    }
}

/// The most similar of `known`, best first; equal ones in their own order.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = known
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), candidate), candidate))
        .filter(|(score, _candidate)| *score >= SIMILAR)
        .collect();
    scored.sort_by(|left, right| right.0.total_cmp(&left.0));
    scored.dedup_by(|left, right| left.1 == right.1);
    scored.into_iter().take(SUGGESTIONS).map(|(_score, candidate)| candidate.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{LibraryQuery, find, library};
    use crate::files::{FILES, PARTS};

    #[test]
    fn every_head_has_the_fixed_form() {
        for (name, sql) in FILES {
            if let Err(error) = LibraryQuery::parse(name, sql) {
                panic!("sql/{name}.sql, {error}");
            }
        }
        assert_eq!(library().len(), FILES.len());
    }

    fn check_list(folder: &str, listed: &[(&str, &str)]) {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut found = Vec::new();
        for domain in std::fs::read_dir(&root).expect("the folder") {
            let domain = domain.expect("a domain").path();
            for file in std::fs::read_dir(&domain).expect("a domain's folder") {
                let file = file.expect("a file").path();
                let name = file.strip_prefix(&root).expect("below it").with_extension("");
                found.push(name.to_str().expect("UTF-8").to_owned());
            }
        }
        found.sort();
        let listed: Vec<&str> = listed.iter().map(|(name, _sql)| *name).collect();
        assert_eq!(listed, found, "files.rs must list every file of {folder}/, in order");
    }

    #[test]
    fn the_lists_are_the_folders() {
        check_list("sql", FILES);
        check_list("parts", PARTS);
    }

    #[test]
    fn parts_come_before_the_querys_own_expressions() {
        let head = |part: &str| {
            format!(
                "-- title: T\n-- question: Q?\n-- column: a integer – a\n-- with: {part}\n-- portable: no\n"
            )
        };
        let with_own = format!("{}WITH own AS (SELECT 1)\nSELECT 2", head("creators/links"));
        let query = LibraryQuery::parse("test/query", &with_own).expect("a query");
        assert!(query.sql.contains("\n),\nown AS (SELECT 1)\nSELECT 2"), "{}", query.sql);
        assert_eq!(query.sql.matches("WITH").count(), 1);
        let plain = format!("{}SELECT 2", head("creators/links"));
        let query = LibraryQuery::parse("test/query", &plain).expect("a query");
        assert!(query.sql.ends_with("\n)\nSELECT 2"), "{}", query.sql);
        let error = LibraryQuery::parse("test/query", &head("creators/lnks")).expect_err("no such part");
        assert!(error.to_string().contains("there is no part \"creators/lnks\""), "{error}");
    }

    #[test]
    fn placeholders_and_described_parameters_are_the_same() {
        for query in library() {
            let mut used = query.placeholders().expect(query.name);
            used.sort();
            used.dedup();
            let mut described: Vec<String> =
                query.parameters.iter().map(|known| known.name.clone()).collect();
            described.sort();
            assert_eq!(used, described, "{}", query.name);
        }
    }

    #[test]
    fn names_are_found_whole_and_short() {
        assert_eq!(find("vat/circular_trading").expect("whole").name, "vat/circular_trading");
        assert_eq!(find("circular_trading").expect("short").name, "vat/circular_trading");
        for (name, says) in [
            (
                "vat/circular_tradng",
                "there is no library query \"vat/circular_tradng\" (nearest: vat/circular_trading",
            ),
            ("circular_tradng", "(nearest: vat/circular_trading"),
            ("xyzzy", "there is no library query \"xyzzy\": `tithe query list` shows them all"),
        ] {
            let error = find(name).expect_err(name).to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
