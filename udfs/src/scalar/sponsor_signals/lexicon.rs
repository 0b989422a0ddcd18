use std::sync::LazyLock;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// Memory a matcher may take for its state cache, in bytes: the phrases together have many states.
const STATE_CACHE: usize = 32 << 20;

/// One row of the lexicon.
#[derive(Debug)]
pub(super) struct Phrase {
    pub(super) id: &'static str,
    pub(super) class: &'static str,
    pub(super) pattern: Regex,
    pub(super) log_odds: f64,
}

/// The phrases in the order of the file.
#[derive(Debug)]
pub(super) struct Lexicon {
    pub(super) phrases: Vec<Phrase>,
    /// One pass over a text tells which phrases occur in it.
    pub(super) any: RegexSet,
}

impl Lexicon {
    /// The lexicon the program ships with, or what is wrong with it.
    pub(super) fn shipped() -> Result<&'static Self, &'static str> {
        static SHIPPED: LazyLock<Result<Lexicon, String>> =
            LazyLock::new(|| Lexicon::read(include_str!("lexicon.tsv")));
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
        let any = RegexSetBuilder::new(phrases.iter().map(|phrase| phrase.pattern.as_str()))
            .dfa_size_limit(STATE_CACHE)
            .build()
            .map_err(|error| format!("sponsorship lexicon: {error}"))?;
        Ok(Self { phrases, any })
    }
}

fn read_phrase(line: &'static str) -> Result<Phrase, String> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let &[id, _language, class, pattern, log_odds, _note] = columns.as_slice() else {
        return Err(format!("{} columns where 6 belong", columns.len()));
    };
    Ok(Phrase {
        id,
        class,
        pattern: RegexBuilder::new(pattern).build().map_err(|error| error.to_string())?,
        log_odds: log_odds.parse().map_err(|error| format!("log_odds {log_odds}: {error}"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::Lexicon;

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
