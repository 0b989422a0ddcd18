use std::sync::LazyLock;

use regex_automata::meta::Regex;
use regex_automata::util::pool::{Pool, PoolGuard};
use regex_automata::util::primitives::PatternID;

use super::automaton::{Automaton, Bytes, CachePool, Caches};
use super::code_end::code_at_the_end;
use super::filter::Filter;
use super::hits::{Hits, MOST_PHRASES};
use super::needed::{Needed, needed_texts};
use super::occurrences::MOST_GROUPS;
use super::signals::{Pass, pass_of};

/// One row of the lexicon.
#[derive(Debug)]
pub(super) struct Phrase {
    pub(super) id: &'static str,
    pub(super) class: &'static str,
    pub(super) pass: Pass,
    pub(super) pattern: Regex,
    /// The same from a known place on.
    pub(super) automaton: Option<Automaton>,
    /// The pattern's groups of discount codes and of registration numbers.
    pub(super) code: Option<usize>,
    pub(super) ban: Option<usize>,
    /// The bytes of codes, if they alone tell the code in an occurrence.
    pub(super) code_at_the_end: Option<Bytes>,
    pub(super) log_odds: f64,
}

/// The phrases by which sponsorship and commerce are told, in the order of `lexicon.tsv`.
#[derive(Debug)]
pub struct SponsorLexicon {
    pub(super) phrases: Vec<Phrase>,
    /// Those of each pass, a bit each.
    pub(super) passes: [(Pass, u64); 3],
    filter: Filter,
    caches: CachePool,
}

impl SponsorLexicon {
    /// The lexicon the program ships with.
    ///
    /// # Errors
    /// When one of its rows cannot be read; a test reads them all.
    pub fn shipped() -> Result<&'static Self, &'static str> {
        static SHIPPED: LazyLock<Result<SponsorLexicon, String>> =
            LazyLock::new(|| SponsorLexicon::read(include_str!("lexicon.tsv")));
        SHIPPED.as_ref().map_err(String::as_str)
    }

    fn read(table: &'static str) -> Result<Self, String> {
        let phrases: Vec<_> = table
            .lines()
            .skip(1)
            .map(|line| {
                read_phrase(line).map_err(|what| format!("sponsorship lexicon, row `{line}`: {what}"))
            })
            .collect::<Result<_, _>>()?;
        if phrases.len() > MOST_PHRASES {
            return Err(format!("sponsorship lexicon: {} rows, of {MOST_PHRASES} at most", phrases.len()));
        }
        let (phrases, needed): (Vec<Phrase>, Vec<_>) = phrases.into_iter().unzip();
        let firsts =
            phrases.iter().map(|phrase| phrase.automaton.as_ref().map_or(Bytes::ALL, Automaton::first));
        let filter = Filter::new(needed.into_iter().zip(firsts).collect());
        let of_pass = |pass: Pass| {
            let bit = |(place, phrase): (usize, &Phrase)| u64::from(phrase.pass == pass) << place;
            (pass, phrases.iter().enumerate().map(bit).sum())
        };
        let passes = [Pass::Negation, Pass::Explicit, Pass::Rest].map(of_pass);
        Ok(Self { phrases, passes, filter, caches: Pool::new(no_caches) })
    }

    /// The phrases that may occur in a text and where, found in one pass: most texts have none.
    pub(super) fn hits(&self, text: &str) -> Option<Hits> {
        self.filter.hits(text)
    }

    /// What the automata keep between searches, for one thread at a time.
    pub(super) fn caches(&self) -> PoolGuard<'_, Caches, fn() -> Caches> {
        self.caches.get()
    }
}

fn no_caches() -> Caches {
    std::iter::repeat_with(|| None).take(MOST_PHRASES).collect()
}

/// A row, and the texts that its phrase needs.
fn read_phrase(line: &'static str) -> Result<(Phrase, Option<Vec<Needed>>), String> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let &[id, _language, class, pattern, log_odds, _note] = columns.as_slice() else {
        return Err(format!("{} columns where 6 belong", columns.len()));
    };
    let shortest =
        regex_syntax::parse(pattern).map_err(|error| error.to_string())?.properties().minimum_len();
    if shortest == Some(0) {
        return Err("the pattern matches an empty text".to_owned());
    }
    let compiled = Regex::new(pattern).map_err(|error| error.to_string())?;
    let group = |name: &str| compiled.group_info().to_index(PatternID::ZERO, name);
    if compiled.captures_len() > MOST_GROUPS {
        return Err(format!("{} groups, of {MOST_GROUPS} at most", compiled.captures_len()));
    }
    let phrase = Phrase {
        id,
        class,
        pass: pass_of(class),
        code: group("code"),
        ban: group("ban"),
        automaton: Automaton::new(pattern),
        code_at_the_end: code_at_the_end(pattern, "code"),
        pattern: compiled,
        log_odds: log_odds.parse().map_err(|error| format!("log_odds {log_odds}: {error}"))?,
    };
    Ok((phrase, needed_texts(pattern)))
}

#[cfg(test)]
mod tests {
    use super::SponsorLexicon as Lexicon;

    #[test]
    fn every_row_compiles_and_is_named_once() {
        let lexicon = Lexicon::shipped().unwrap();
        let mut ids: Vec<_> = lexicon.phrases.iter().map(|phrase| phrase.id).collect();
        assert_eq!(ids.len(), 19);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), lexicon.phrases.len());
        assert!(
            lexicon.phrases.iter().all(|phrase| phrase.log_odds.is_finite() && !phrase.pattern.is_match(""))
        );
    }

    #[test]
    fn broken_rows_are_named() {
        for (table, what) in [
            ("head\nZ1\tzh\tc\t(\t1\t", "row `Z1"),
            ("head\nZ1\tzh\tc\tx\tmuch\t", "log_odds much"),
            ("head\nZ1\tzh\tc\t\\b\t1\t", "matches an empty text"),
            ("head\nZ1\tzh\n", "2 columns where 6 belong"),
        ] {
            let error = Lexicon::read(table).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
