//! The list of queries, and finding one by name.

use std::sync::LazyLock;

use crate::error::ParameterError;
use crate::files::FILES;
use crate::header::{self, Column, HeaderError};
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
    /// The file's text, head included.
    pub sql: &'static str,
}

impl LibraryQuery {
    /// Reads the head of a query file.
    ///
    /// # Errors
    /// When the head does not have the fixed form.
    pub fn parse(name: &'static str, sql: &'static str) -> Result<Self, HeaderError> {
        let header = header::parse(sql)?;
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
    use crate::files::FILES;

    #[test]
    fn every_head_has_the_fixed_form() {
        for (name, sql) in FILES {
            if let Err(error) = LibraryQuery::parse(name, sql) {
                panic!("sql/{name}.sql, {error}");
            }
        }
        assert_eq!(library().len(), FILES.len());
    }

    #[test]
    fn the_list_is_the_folder() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
        let mut found = Vec::new();
        for domain in std::fs::read_dir(&root).expect("sql/") {
            let domain = domain.expect("a domain").path();
            for file in std::fs::read_dir(&domain).expect("a domain's folder") {
                let file = file.expect("a file").path();
                let name = file.strip_prefix(&root).expect("below sql/").with_extension("");
                found.push(name.to_str().expect("UTF-8").to_owned());
            }
        }
        found.sort();
        let listed: Vec<&str> = FILES.iter().map(|(name, _sql)| *name).collect();
        assert_eq!(listed, found, "files.rs must list every file of sql/, in order");
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
