use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::util::start;
use regex_automata::{Anchored, Input, MatchError};

/// A pattern that is tried from known places on: phrases are short, and setting up a search by all means of an expression takes
/// longer than the search.
#[derive(Debug)]
pub(super) struct Automaton {
    dfa: DFA,
    first: Bytes,
}

/// A set of bytes, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes([u64; 4]);

impl Bytes {
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

impl FromIterator<u8> for Bytes {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        let mut set = [0; 4];
        for byte in bytes {
            set[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        Self(set)
    }
}

/// What automata keep between searches, by the place of the phrase.
pub(super) type Caches = Vec<Option<Cache>>;

/// Caches for as many threads as search at once.
pub(super) type CachePool = Pool<Caches, fn() -> Caches>;

impl Automaton {
    /// `None` where the pattern needs more than an automaton can tell. Where a word ends beside a character beyond ASCII,
    /// the automaton gives up.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let without_groups = thompson::Config::new().which_captures(WhichCaptures::None);
        let config = Config::new().unicode_word_boundary(true);
        let dfa = DFA::builder().configure(config).thompson(without_groups).build(pattern).ok()?;
        let mut cache = dfa.create_cache();
        // One of each kind that an automaton tells apart before it begins.
        let befores = [None, Some(b'a'), Some(b' '), Some(b'\n'), Some(b'\r'), Some(0xFF)];
        let begins = |byte: &u8| {
            befores.iter().any(|before| {
                let config = start::Config::new().anchored(Anchored::Yes).look_behind(*before);
                let Ok(state) = dfa.start_state(&mut cache, &config) else { return true };
                // A state that gives up tells nothing.
                state.is_quit() || dfa.next_state(&mut cache, state, *byte).is_ok_and(|next| !next.is_dead())
            })
        };
        let first = (0..=u8::MAX).filter(begins).collect();
        Some(Self { dfa, first })
    }

    /// The bytes with which a match may begin.
    pub(super) fn first(&self) -> Bytes {
        self.first
    }

    /// The end of the match that begins with this byte.
    ///
    /// # Errors
    /// Where the automaton gave up.
    pub(super) fn end(
        &self,
        cache: &mut Option<Cache>,
        text: &str,
        start: usize,
    ) -> Result<Option<usize>, MatchError> {
        if !text.as_bytes().get(start).is_some_and(|byte| self.first.contains(*byte)) {
            return Ok(None);
        }
        let cache = cache.get_or_insert_with(|| self.dfa.create_cache());
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        self.dfa.try_search_fwd(cache, &input).map(|end| end.map(|end| end.offset()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_where_a_match_ends() {
        let check = |pattern: &str, text: &str, start: usize, expected: Option<Option<usize>>| {
            let automaton = Automaton::new(pattern).unwrap();
            assert_eq!(automaton.end(&mut None, text, start).ok(), expected, "{pattern} {text}");
        };
        check("團購|團", "團購", 0, Some(Some(6)));
        check("團|團購", "團購", 0, Some(Some(3)));
        check("團", "a團", 0, Some(None));
        check("團", "a團", 1, Some(Some(4)));
        check("團", "", 0, Some(None));
        check(r"#ad\b", "#ad ", 0, Some(Some(3)));
        check(r"#ad\b", "#ads", 0, Some(None));
        check(r"#ad\b", "#ad好", 0, None);
    }

    #[test]
    fn told_what_a_match_begins_with() {
        let check = |pattern: &str, expected: &[u8]| {
            let expected: Bytes = expected.iter().copied().collect();
            assert_eq!(Automaton::new(pattern).unwrap().first(), expected, "{pattern}");
        };
        check("[1-3]?折", "123\u{6298}".as_bytes().get(..4).unwrap());
        check("(?i)ko", &[b'k', b'K', 0xE2]);
        check("x|^y", b"xy");
        // What it gives up on may begin with anything.
        check(r"\bx", &Vec::from_iter(0..=u8::MAX));
        check("#|團", &[b'#', 0xE5]);
    }
}
