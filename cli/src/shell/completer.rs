//! Completion by Tab, and when a statement is whole.

use std::cell::RefCell;
use std::collections::BTreeSet;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Hinter};

use crate::output::Format;
use crate::shell::backslash::COMMANDS;
use crate::shell::vocabulary::{KEYWORDS, Vocabulary};

/// What the line editor asks of the shell.
#[derive(Helper, Hinter)]
pub(crate) struct ShellHelper {
    vocabulary: RefCell<Vocabulary>,
    files: FilenameCompleter,
}

impl ShellHelper {
    pub(crate) fn new(vocabulary: Vocabulary) -> Self {
        Self { vocabulary: RefCell::new(vocabulary), files: FilenameCompleter::new() }
    }

    pub(crate) fn forget_tables(&mut self) {
        self.vocabulary.get_mut().forget_tables();
    }
}

impl Highlighter for ShellHelper {}

impl Validator for ShellHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_whole(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

/// Whether the text ends in a semicolon that is not inside a string or comment, or is a shell command.
fn is_whole(text: &str) -> bool {
    let entered = text.trim();
    if entered.is_empty() || entered.starts_with('\\') {
        return true;
    }
    match Tokenizer::new(&GenericDialect {}, entered).tokenize() {
        Ok(tokens) => {
            let last = tokens.iter().rev().find(|token| !matches!(token, Token::Whitespace(_)));
            // A full-width semicolon is a mistake that the parser shows better than a shell that waits for more.
            matches!(last, None | Some(Token::SemiColon | Token::Char('；')))
        }
        Err(_open_string_or_comment) => false,
    }
}

impl Completer for ShellHelper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..pos).unwrap_or(line);
        if before.starts_with("\\i ") {
            return self.files.complete(line, pos, context);
        }
        let (start, names) = candidates(&mut self.vocabulary.borrow_mut(), line, before);
        Ok((start, names.into_iter().map(|name| Pair { display: name.clone(), replacement: name }).collect()))
    }
}

fn candidates(vocabulary: &mut Vocabulary, line: &str, before: &str) -> (usize, BTreeSet<String>) {
    if before.starts_with('\\') {
        let Some((command, argument)) = before.split_once(' ') else {
            let commands = COMMANDS.iter().map(|(name, ..)| (*name).to_owned());
            return (0, commands.filter(|name| name.starts_with(before)).collect());
        };
        let start = before.len() - argument.len();
        let names: Vec<String> = match command {
            "\\d" => qualified_tables(vocabulary),
            "\\df" => tithe_udfs::functions().iter().map(|entry| entry.doc.name.to_owned()).collect(),
            "\\format" => {
                <Format as clap::ValueEnum>::value_variants().iter().map(ToString::to_string).collect()
            }
            "\\timing" => vec!["on".to_owned(), "off".to_owned()],
            _ => Vec::new(),
        };
        return (start, names.into_iter().filter(|name| name.starts_with(argument)).collect());
    }
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let start = before
        .rfind(|c| !part_of_name(c))
        .map_or(0, |at| at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let word = before.get(start..).unwrap_or_default();
    let mut names = BTreeSet::new();
    match word.rsplit_once('.') {
        Some((qualifier, part)) => {
            let found = qualified(vocabulary, line, qualifier);
            names.extend(
                found.into_iter().filter(|name| starts(name, part)).map(|name| format!("{qualifier}.{name}")),
            );
        }
        None => {
            let upper = word.chars().next().is_none_or(char::is_uppercase);
            let keywords = KEYWORDS.iter().map(|keyword| match upper {
                true => (*keyword).to_owned(),
                false => keyword.to_lowercase(),
            });
            names.extend(keywords.filter(|name| starts(name, word)));
            names.extend(vocabulary.functions().iter().filter(|name| starts(name, word)).cloned());
            names.extend(vocabulary.tables().keys().filter(|name| starts(name, word)).cloned());
            names.extend(qualified_tables(vocabulary).into_iter().filter(|name| {
                !word.is_empty() && name.split_once('.').is_some_and(|(_, table)| starts(table, word))
            }));
            for (schema, table) in mentioned(vocabulary, line) {
                let columns = vocabulary.columns(&schema, &table).iter();
                names.extend(columns.filter(|name| starts(name, word)).cloned());
            }
        }
    }
    (start, names)
}

/// What may follow `qualifier.`: tables of a schema, columns of a table or of what an alias stands for.
fn qualified(vocabulary: &mut Vocabulary, line: &str, qualifier: &str) -> Vec<String> {
    if let Some(tables) = vocabulary.tables().get(qualifier) {
        return tables.iter().cloned().collect();
    }
    if let Some((schema, table)) = qualifier.split_once('.') {
        return vocabulary.columns(schema, table).to_vec();
    }
    let words: Vec<&str> = line
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .filter(|w| !w.is_empty())
        .collect();
    for (schema, table) in mentioned(vocabulary, line) {
        let full = format!("{schema}.{table}");
        let is_alias = words.windows(3).any(|three| match three {
            [name, alias, _] if *name == full && *alias == qualifier => true,
            [name, keyword, alias] => {
                *name == full && keyword.eq_ignore_ascii_case("as") && *alias == qualifier
            }
            _ => false,
        }) || words.windows(2).any(|two| two == [full.as_str(), qualifier]);
        if table == qualifier || is_alias {
            return vocabulary.columns(&schema, &table).to_vec();
        }
    }
    Vec::new()
}

fn mentioned(vocabulary: &mut Vocabulary, line: &str) -> Vec<(String, String)> {
    let words: BTreeSet<&str> =
        line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).collect();
    let mut found = Vec::new();
    for (schema, tables) in vocabulary.tables() {
        for table in tables {
            if words.contains(format!("{schema}.{table}").as_str()) {
                found.push((schema.clone(), table.clone()));
            }
        }
    }
    found
}

fn qualified_tables(vocabulary: &mut Vocabulary) -> Vec<String> {
    let schemas = vocabulary.tables().iter();
    schemas.flat_map(|(schema, tables)| tables.iter().map(move |table| format!("{schema}.{table}"))).collect()
}

fn starts(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    fn check(text: &str, whole: bool) {
        assert_eq!(is_whole(text), whole, "{text:?}");
    }

    #[test]
    fn a_statement_is_whole_at_its_semicolon() {
        check("SELECT 1;", true);
        check("SELECT 1; -- done", true);
        check("SELECT 1", false);
        check("SELECT ';", false);
        check("SELECT '統一編號;\n", false);
        check("SELECT 1；", true);
        check("SELECT '；", false);
        check("SELECT 1 /* ;", false);
        check("SELECT \"a;b\"", false);
        check("-- only a remark", true);
        check("\\d tax.payment", true);
        check("   ", true);
    }
}
