use std::sync::LazyLock;

use regex::Regex;

use super::filter::Filter;
use super::needed::needed_texts;

/// Most phrases of a lexicon: a bit each.
const MOST_PHRASES: usize = 64;

/// One row of the lexicon.
#[derive(Debug)]
pub(super) struct Phrase {
    pub(super) id: &'static str,
    pub(super) class: &'static str,
    pub(super) pattern: Regex,
    /// Whether it captures codes or numbers.
    pub(super) captures: bool,
    pub(super) log_odds: f64,
}

/// The phrases by which sponsorship and commerce are told, in the order of `lexicon.tsv`.
#[derive(Debug)]
pub struct SponsorLexicon {
    pub(super) phrases: Vec<Phrase>,
    filter: Filter,
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
        let phrases = table
            .lines()
            .skip(1)
            .map(|line| {
                read_phrase(line).map_err(|what| format!("sponsorship lexicon, row `{line}`: {what}"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if phrases.len() > MOST_PHRASES {
            return Err(format!("sponsorship lexicon: {} rows, of {MOST_PHRASES} at most", phrases.len()));
        }
        let needed: Vec<_> = phrases.iter().map(|phrase| needed_texts(phrase.pattern.as_str())).collect();
        Ok(Self { phrases, filter: Filter::new(&needed) })
    }

    /// The phrases that may occur in a text, found in one pass: most texts have none.
    pub(super) fn possible(&self, text: &str) -> impl Iterator<Item = &Phrase> {
        let possible = self.filter.possible(text);
        self.phrases
            .iter()
            .enumerate()
            .filter(move |(place, _)| possible >> place & 1 == 1)
            .map(|(_, phrase)| phrase)
    }
}

fn read_phrase(line: &'static str) -> Result<Phrase, String> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let &[id, _language, class, pattern, log_odds, _note] = columns.as_slice() else {
        return Err(format!("{} columns where 6 belong", columns.len()));
    };
    let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
    Ok(Phrase {
        id,
        class,
        captures: pattern.capture_names().flatten().next().is_some(),
        pattern,
        log_odds: log_odds.parse().map_err(|error| format!("log_odds {log_odds}: {error}"))?,
    })
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
            ("head\nZ1\tzh\n", "2 columns where 6 belong"),
        ] {
            let error = Lexicon::read(table).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
