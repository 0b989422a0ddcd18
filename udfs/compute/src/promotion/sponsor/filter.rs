use super::needed::{Before, Needed, contains};

/// Most phrases of a filter: a bit each.
pub(super) const MOST_PHRASES: usize = 64;

/// The texts that phrases need, and where in a text one of them may begin: told by its first character, or the first two
/// of ASCII, so that most places are passed over by one look into a table.
#[derive(Debug)]
pub(super) struct Filter {
    /// Of each first character, in small letters, the texts.
    groups: Vec<Vec<Entry>>,
    /// The place of a first character's group, by its number; other characters have none.
    group_of: Box<[u16]>,
    /// Those that need no text.
    anywhere: u64,
    /// First characters of three bytes, a bit each, by their first two bytes and then by the third.
    characters: Box<[u64; 1024]>,
    /// Second bytes of ASCII, a bit each, by the first one and the upper half of the second.
    pairs: [[u64; 2]; 128],
    /// Whether a text begins with a character of two or four bytes.
    others: bool,
}

#[derive(Debug)]
struct Entry {
    phrase: usize,
    needed: Needed,
    /// Whether the text has letters, which may be of either case.
    letters: bool,
}

impl Entry {
    fn begins(&self, rest: &[u8]) -> bool {
        let text = self.needed.text.as_bytes();
        let Some(start) = rest.get(..text.len()) else { return false };
        if self.letters { start.eq_ignore_ascii_case(text) } else { start == text }
    }
}

/// The phrases that may occur in a text, and where.
#[derive(Debug)]
pub(super) struct Hits {
    /// A bit for each phrase of whose texts one occurs.
    possible: u64,
    from: [usize; MOST_PHRASES],
    last: [usize; MOST_PHRASES],
}

impl Hits {
    const fn none() -> Self {
        Self { possible: 0, from: [0; MOST_PHRASES], last: [0; MOST_PHRASES] }
    }

    /// No occurrence of this phrase begins before this byte; nothing where it does not occur.
    pub(super) fn from(&self, phrase: usize) -> Option<usize> {
        self.from.get(phrase).copied().filter(|_| self.possible >> phrase & 1 == 1)
    }

    /// No occurrence of this phrase begins after this byte.
    pub(super) fn last(&self, phrase: usize) -> usize {
        self.last.get(phrase).copied().unwrap_or(usize::MAX)
    }

    fn add(&mut self, phrase: usize, from: usize, last: usize) {
        let (Some(first), Some(end)) = (self.from.get_mut(phrase), self.last.get_mut(phrase)) else { return };
        *first = if self.possible >> phrase & 1 == 1 { from.min(*first) } else { from };
        *end = last.max(*end);
        self.possible |= 1 << phrase;
    }
}

/// Numbers of characters that are told apart.
const MOST_CHARACTERS: usize = 0x1_0000;
/// Of a character with which no text begins.
const NO_GROUP: u16 = u16::MAX;
/// Stands for a byte beyond ASCII and for the end of the text.
const NO_ASCII: u8 = 0x7f;

impl Filter {
    /// Of the texts that each phrase needs, none of them empty, if it needs any; at most 64 phrases.
    pub(super) fn new(phrases: Vec<Option<Vec<Needed>>>) -> Self {
        let mut filter = Self {
            groups: Vec::new(),
            group_of: vec![NO_GROUP; MOST_CHARACTERS].into(),
            anywhere: 0,
            characters: Box::new([0; 1024]),
            pairs: [[0; 2]; 128],
            others: false,
        };
        for (place, needed) in phrases.into_iter().enumerate() {
            let Some(needed) = needed else {
                filter.anywhere |= 1 << place;
                continue;
            };
            for needed in needed {
                filter.admit(needed.text.as_bytes());
                let group = filter.group_with(first_of(&needed.text));
                let letters = needed.text.bytes().any(|byte| byte.is_ascii_alphabetic());
                if let Some(group) = filter.groups.get_mut(group) {
                    group.push(Entry { phrase: place, needed, letters });
                }
            }
        }
        filter
    }

    /// The place of the group of texts with this first character, which is made if there is none.
    fn group_with(&mut self, first: char) -> usize {
        let number = number_of(first);
        let known = self.group_of.get(number).copied().filter(|place| *place != NO_GROUP);
        if let Some(place) = known {
            return usize::from(place);
        }
        let next = self.groups.len();
        self.groups.push(Vec::new());
        if let (Some(place), Ok(next)) = (self.group_of.get_mut(number), u16::try_from(next)) {
            *place = next;
        }
        next
    }

    fn admit(&mut self, text: &[u8]) {
        match *text {
            [first, ..] if first.is_ascii() => {
                for first in [first.to_ascii_lowercase(), first.to_ascii_uppercase()] {
                    let pairs = &mut self.pairs[usize::from(first)];
                    let mut admit = |second: u8| pairs[usize::from(second >> 6)] |= 1 << (second & 63);
                    match text.get(1) {
                        None => *pairs = [u64::MAX; 2],
                        Some(second) if second.is_ascii() => {
                            admit(second.to_ascii_lowercase());
                            admit(second.to_ascii_uppercase());
                        }
                        Some(_) => admit(NO_ASCII),
                    }
                }
            }
            [first @ 0xE0..=0xEF, second, third, ..] => {
                self.characters[pair_of(first, second)] |= 1 << (third & 63);
            }
            _ => self.others = true,
        }
    }

    /// The phrases of which a text contains what they need, and where they may be; nothing where there are none.
    pub(super) fn hits(&self, text: &str) -> Option<Hits> {
        let bytes = text.as_bytes();
        let mut hits = None;
        let mut anywhere = self.anywhere;
        while anywhere != 0 {
            // Of 64 bits.
            let phrase = anywhere.trailing_zeros() as usize;
            hits.get_or_insert_with(Hits::none).add(phrase, 0, text.len());
            anywhere &= anywhere - 1;
        }
        let mut place = 0;
        while let Some(&first) = bytes.get(place) {
            let (begins, width) = match first {
                0..=0x7F => {
                    let second = bytes.get(place + 1).copied().filter(u8::is_ascii).unwrap_or(NO_ASCII);
                    (
                        self.pairs[usize::from(first & 127)][usize::from(second >> 6 & 1)] >> (second & 63)
                            & 1
                            == 1,
                        1,
                    )
                }
                0xE0..=0xEF => match bytes.get(place + 1..place + 3) {
                    Some(&[second, third]) => {
                        (self.characters[pair_of(first, second)] >> (third & 63) & 1 == 1, 3)
                    }
                    _ => (false, 3),
                },
                0xF0..=0xFF => (self.others, 4),
                _ => (self.others, 2),
            };
            if begins {
                self.add_hits(text, place, &mut hits);
            }
            place += width;
        }
        hits
    }

    /// Adds the phrases that need a text which stands at `place`.
    fn add_hits(&self, text: &str, place: usize, hits: &mut Option<Hits>) {
        let (before, rest) = text.split_at(place);
        let group = self.group_of.get(number_of(first_of(rest)));
        let alike = group.and_then(|group| self.groups.get(usize::from(*group)));
        for entry in alike.into_iter().flatten() {
            if entry.begins(rest.as_bytes()) {
                let from = match &entry.needed.before {
                    Before::Bytes(bytes) => text.floor_char_boundary(place.saturating_sub(*bytes)),
                    Before::Characters(class) => before.trim_end_matches(|c| contains(class, c)).len(),
                    Before::Anything => 0,
                };
                hits.get_or_insert_with(Hits::none).add(entry.phrase, from, place);
            }
        }
    }
}

/// Characters beyond the basic plane, which are few, share the last number.
fn number_of(c: char) -> usize {
    // A number of 21 bits fits.
    (c as usize).min(MOST_CHARACTERS - 1)
}

fn first_of(text: &str) -> char {
    text.chars().next().unwrap_or('\0').to_ascii_lowercase()
}

/// The place of a character's first two bytes.
fn pair_of(first: u8, second: u8) -> usize {
    usize::from(first & 15) << 6 | usize::from(second & 63)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;

    const NEEDED: [&[&str]; 6] =
        [&["團購", "團"], &["#ad", "Ko-Fi"], &["團購價", "$"], &["é", "👍讚"], &["a團", "x"], &["購"]];

    /// As it is defined.
    fn contained(text: &str) -> u64 {
        let text = text.to_ascii_lowercase();
        let holds = |needed: &[&str]| needed.iter().any(|one| text.contains(&one.to_ascii_lowercase()));
        NEEDED.iter().enumerate().map(|(place, needed)| u64::from(holds(needed)) << place).sum::<u64>()
            | 1 << 6
    }

    fn filter() -> Filter {
        let needed = |text: &&str| Needed { text: (*text).to_owned(), before: Before::Bytes(1) };
        let mut phrases: Vec<Option<Vec<Needed>>> =
            NEEDED.iter().map(|texts| Some(texts.iter().map(needed).collect())).collect();
        phrases.push(None);
        Filter::new(phrases)
    }

    fn possible(text: &str) -> u64 {
        filter().hits(text).map_or(0, |hits| hits.possible)
    }

    #[test]
    fn what_a_text_contains_is_possible() {
        for text in [
            "",
            "團",
            "團購",
            "團購價",
            "我團購價我",
            "#AD",
            "kO-fI",
            "k",
            "é",
            "👍",
            "👍讚",
            "A團",
            "$",
            "購",
        ] {
            assert_eq!(possible(text), contained(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_is(text in "[團購價#adkofiKO$é👍讚aAxé中 -]{0,16}") {
            assert_eq!(possible(&text), contained(&text), "{text}");
        }
    }

    #[test]
    fn told_where_a_phrase_may_begin_and_how_late() {
        let digits = || match crate::promotion::sponsor::needed::needed_texts("[0-9]+元") {
            Some(needed) => needed,
            None => panic!("needs a text"),
        };
        let needed = |text: &str, before| Needed { text: text.to_owned(), before };
        let filter = Filter::new(vec![
            Some(digits()),
            Some(vec![needed("購", Before::Bytes(2)), needed("團", Before::Anything)]),
            Some(vec![needed("無", Before::Bytes(0))]),
        ]);
        let told = |text: &str| {
            let hits = filter.hits(text);
            [0, 1, 2]
                .map(|phrase| hits.as_ref().and_then(|hits| Some((hits.from(phrase)?, hits.last(phrase)))))
        };
        assert_eq!(told("abc"), [None, None, None]);
        assert_eq!(told("a 12元 元"), [Some((2, 8)), None, None]);
        assert_eq!(told("元 1元"), [Some((0, 5)), None, None]);
        assert_eq!(told("abc購購"), [None, Some((1, 6)), None]);
        assert_eq!(told("a購無團無"), [None, Some((0, 7)), Some((4, 10))]);
    }
}
