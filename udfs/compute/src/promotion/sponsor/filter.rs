use super::automaton::Bytes;
use super::hits::{Hits, Met};
use super::needed::Needed;

/// The texts that phrases need, and where in a text one of them may begin: told by its first character, or the first two
/// of ASCII, so that most places are passed over by one look into a table.
#[derive(Debug)]
pub(super) struct Filter {
    /// The texts, by what they begin with; of one phrase in the order in which its pattern prefers them.
    groups: Vec<Vec<Entry>>,
    /// The place of the group of a first character beyond ASCII, by its number.
    of_character: Box<[u16]>,
    /// The place of the group of two bytes of ASCII.
    of_pair: Box<[u16]>,
    /// Those that need no text.
    anywhere: u64,
    /// First characters of three bytes, a bit each, by their first two bytes and then by the third.
    characters: Box<[u64; 1024]>,
    /// Two bytes, the first of ASCII, a bit each, by the number that they are when read at once.
    pairs: Box<[u64; 1024]>,
    /// Whether a text begins with a character of two or four bytes.
    others: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    phrase: usize,
    needed: Needed,
    head: Head,
    /// What the phrase may begin with.
    first: Bytes,
}

/// The first eight bytes of a text, to be compared at once.
#[derive(Debug, Clone, Copy)]
struct Head {
    key: u64,
    /// The bytes that there are.
    mask: u64,
    /// What makes small letters of letters.
    fold: u64,
}

impl Head {
    /// Of a text in small letters.
    fn of(text: &str) -> Self {
        let start = text.as_bytes().get(..text.len().min(8)).unwrap_or_default();
        let each = |byte: fn(u8) -> u8| first_eight(&start.iter().map(|of| byte(*of)).collect::<Vec<_>>());
        Self {
            key: each(|byte| byte),
            mask: each(|_| 0xFF),
            fold: each(|byte| if byte.is_ascii_lowercase() { 0x20 } else { 0 }),
        }
    }
}

/// The first eight bytes as a number; what is not there is 0.
fn first_eight(bytes: &[u8]) -> u64 {
    bytes.first_chunk().copied().map_or_else(
        || bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        u64::from_le_bytes,
    )
}

impl Entry {
    /// Whether `rest`, whose first eight bytes are `start`, begins with the text.
    fn begins(&self, rest: &[u8], start: u64) -> bool {
        let Head { key, mask, fold } = self.head;
        if (start | fold) & mask != key {
            return false;
        }
        let text = self.needed.text.as_bytes();
        text.len() <= 8 || rest.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
    }
}

/// Numbers of characters that are told apart.
const MOST_CHARACTERS: usize = 0x1_0000;
/// The first group has no texts: of what none begins with.
const NO_GROUP: u16 = 0;
/// Stands for any byte beyond ASCII and for the end of the text.
const NO_ASCII: u8 = 0x80;

impl Filter {
    /// Of the texts that each phrase needs, none of them empty, if it needs any, and of the bytes that it may begin with; at
    /// most 64 phrases.
    pub(super) fn new(phrases: Vec<(Option<Vec<Needed>>, Bytes)>) -> Self {
        let mut filter = Self {
            groups: vec![Vec::new()],
            of_character: vec![NO_GROUP; MOST_CHARACTERS].into(),
            of_pair: vec![NO_GROUP; 128 * 256].into(),
            anywhere: 0,
            characters: Box::new([0; 1024]),
            pairs: Box::new([0; 1024]),
            others: false,
        };
        for (phrase, (needed, first)) in phrases.into_iter().enumerate() {
            let Some(needed) = needed else {
                filter.anywhere |= 1 << phrase;
                continue;
            };
            for mut needed in needed {
                needed.text.make_ascii_lowercase();
                filter.add(Entry { phrase, head: Head::of(&needed.text), needed, first });
            }
        }
        filter
    }

    fn add(&mut self, entry: Entry) {
        match *entry.needed.text.as_bytes() {
            [first, ..] if first.is_ascii() => {
                let seconds = match entry.needed.text.as_bytes().get(1) {
                    None => 0..=NO_ASCII,
                    Some(second) if second.is_ascii() => *second..=*second,
                    Some(_) => NO_ASCII..=NO_ASCII,
                };
                let mut pairs: Vec<(u8, u8)> = seconds
                    .flat_map(|second| cases(second).into_iter().map(move |second| (first, second)))
                    .flat_map(|(first, second)| cases(first).into_iter().map(move |first| (first, second)))
                    .collect();
                pairs.sort_unstable();
                pairs.dedup();
                for (first, second) in pairs {
                    let last = if second == NO_ASCII { u8::MAX } else { second };
                    for second in second..=last {
                        let pair = u16::from_le_bytes([first, second]);
                        self.pairs[usize::from(pair >> 6)] |= 1 << (pair & 63);
                    }
                    put(&mut self.groups, self.of_pair.get_mut(place_of_pair(first, second)), &entry);
                }
                return;
            }
            [first @ 0xE0..=0xEF, second, third, ..] => {
                self.characters[start_of(first, second)] |= 1 << (third & 63);
            }
            _ => self.others = true,
        }
        let number = number_of(entry.needed.text.chars().next().unwrap_or_default());
        put(&mut self.groups, self.of_character.get_mut(number), &entry);
    }

    /// The phrases of which a text contains what they need, and where they may be; nothing where there are none.
    pub(super) fn hits(&self, text: &str) -> Option<Hits> {
        let bytes = text.as_bytes();
        let mut hits = None;
        let mut anywhere = self.anywhere;
        while anywhere != 0 {
            // Of 64 bits.
            let phrase = anywhere.trailing_zeros() as usize;
            let met = Met { phrase, from: 0, last: text.len(), first: &Bytes::ALL, whole: None };
            hits.get_or_insert_with(Hits::none).add(&met, bytes);
            anywhere &= anywhere - 1;
        }
        let mut place = 0;
        while let Some(&[first, second, third]) = bytes.get(place..).and_then(<[u8]>::first_chunk) {
            place += match first {
                0..=0x7F => {
                    if self.admits(first, second) {
                        self.add_hits(self.group_of_pair(first, second), text, place, &mut hits);
                    }
                    1
                }
                0xE0..=0xEF => {
                    let start = start_of(first, second);
                    if self.characters[start] >> (third & 63) & 1 == 1 {
                        let number = start << 6 | usize::from(third & 63);
                        self.add_hits(self.of_character.get(number), text, place, &mut hits);
                    }
                    3
                }
                _ => {
                    if self.others {
                        self.add_hits(self.group_at(text, place), text, place, &mut hits);
                    }
                    if first < 0xE0 { 2 } else { 4 }
                }
            };
        }
        // The last two bytes, or the last character.
        while let Some(&first) = bytes.get(place) {
            let group = if first.is_ascii() {
                self.group_of_pair(first, bytes.get(place + 1).copied().unwrap_or(NO_ASCII))
            } else {
                self.group_at(text, place)
            };
            self.add_hits(group, text, place, &mut hits);
            place += if first.is_ascii() { 1 } else { 2 };
        }
        hits
    }

    /// Whether a text begins with a byte of ASCII and this one after it.
    fn admits(&self, first: u8, second: u8) -> bool {
        let pair = u16::from_le_bytes([first, second]);
        self.pairs[usize::from(pair >> 6)] >> (pair & 63) & 1 == 1
    }

    fn group_of_pair(&self, first: u8, second: u8) -> Option<&u16> {
        self.of_pair.get(place_of_pair(first, second.min(NO_ASCII)))
    }

    /// The group of the character beyond ASCII at `place`.
    fn group_at(&self, text: &str, place: usize) -> Option<&u16> {
        let first = text.get(place..).and_then(|rest| rest.chars().next());
        self.of_character.get(number_of(first.unwrap_or_default()))
    }

    /// Adds the phrases that need a text which stands at `place`, of a group of texts.
    fn add_hits(&self, group: Option<&u16>, text: &str, place: usize, hits: &mut Option<Hits>) {
        let Some(group) = group.and_then(|group| self.groups.get(usize::from(*group))) else { return };
        let rest = text.as_bytes().get(place..).unwrap_or_default();
        let start = first_eight(rest);
        for entry in group {
            if entry.begins(rest, start)
                && let Some((from, last)) = entry.needed.before.starts(text, place)
            {
                let whole = entry.needed.whole.then_some(place + entry.needed.text.len());
                let met = Met { phrase: entry.phrase, from, last, first: &entry.first, whole };
                hits.get_or_insert_with(Hits::none).add(&met, text.as_bytes());
            }
        }
    }
}

/// Adds a text to a group, which is made if there is none yet.
fn put(groups: &mut Vec<Vec<Entry>>, group: Option<&mut u16>, entry: &Entry) {
    let Some(group) = group else { return };
    if *group == NO_GROUP {
        let Ok(next) = u16::try_from(groups.len()) else { return };
        *group = next;
        groups.push(Vec::new());
    }
    if let Some(group) = groups.get_mut(usize::from(*group)) {
        group.push(entry.clone());
    }
}

fn cases(byte: u8) -> [u8; 2] {
    [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]
}

fn place_of_pair(first: u8, second: u8) -> usize {
    usize::from(first & 127) << 8 | usize::from(second)
}

/// Characters beyond the basic plane, which are few, share the last number.
fn number_of(c: char) -> usize {
    // A number of 21 bits fits.
    (c as usize).min(MOST_CHARACTERS - 1)
}

/// The place of a character's first two bytes.
fn start_of(first: u8, second: u8) -> usize {
    usize::from(first & 15) << 6 | usize::from(second & 63)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use proptest::prelude::proptest;

    use super::*;
    use crate::promotion::sponsor::automaton::Automaton;
    use crate::promotion::sponsor::needed::{Before, needed_texts};

    const NEEDED: [&[&str]; 6] =
        [&["團購", "團"], &["#ad", "Ko-Fi"], &["團購價", "$"], &["é", "👍讚"], &["a團", "x"], &["購"]];

    /// As it is defined.
    fn contained(text: &str) -> u64 {
        let text = text.to_ascii_lowercase();
        let holds = |needed: &[&str]| needed.iter().any(|one| text.contains(&one.to_ascii_lowercase()));
        NEEDED.iter().enumerate().map(|(place, needed)| u64::from(holds(needed)) << place).sum::<u64>()
            | 1 << 6
    }

    fn at_most(most: Option<usize>) -> Before {
        Before { least: 0, most, characters: None }
    }

    fn filter() -> Filter {
        let needed =
            |text: &&str| Needed { text: (*text).to_owned(), before: at_most(Some(1)), whole: false };
        let mut phrases: Vec<Option<Vec<Needed>>> =
            NEEDED.iter().map(|texts| Some(texts.iter().map(needed).collect())).collect();
        phrases.push(None);
        Filter::new(phrases.into_iter().map(|needed| (needed, Bytes::ALL)).collect())
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
    fn told_what_is_found_first_and_the_few_places_where_a_phrase_begins() {
        let lexicon = ["團購價|團購|(?i)ko-?fi", "購物(甲|乙)|贊助", "[0-9]{1,2}折|免運"];
        let needed = |pattern| (needed_texts(pattern), Automaton::new(pattern).unwrap().first());
        let filter = Filter::new(lexicon.map(needed).into());
        let check = |text: &str, phrase: usize, first: Option<Range<usize>>, starts: Option<&[usize]>| {
            let hits = filter.hits(text).unwrap();
            let spot = hits.spot(phrase).unwrap();
            assert_eq!((spot.first(), spot.starts()), (first, starts), "{text}");
        };
        check("a團購價團購", 0, Some(1..10), Some(&[1, 10]));
        check("團購KoFi", 0, Some(0..6), Some(&[0, 6]));
        check("團購團購團購團購", 0, Some(0..6), Some(&[0, 6, 12, 18]));
        check(&"團購".repeat(9), 0, Some(0..6), None);
        check("購物甲贊助", 1, Some(0..9), Some(&[0, 9]));
        check("88折免運", 2, None, Some(&[0, 1, 5]));
        check("免運a8折", 2, None, Some(&[0, 7]));
        check("折免運打折", 2, Some(3..9), Some(&[3]));
        check("免運免運", 2, Some(0..6), Some(&[0, 6]));
    }

    #[test]
    fn told_where_a_phrase_may_begin_and_how_late() {
        let digits = || match needed_texts("[0-9]+元") {
            Some(needed) => needed,
            None => panic!("needs a text"),
        };
        let needed = |text: &str, before| Needed { text: text.to_owned(), before, whole: false };
        let phrases = [
            Some(digits()),
            Some(vec![needed("購", at_most(Some(2))), needed("團", at_most(None))]),
            Some(vec![needed("無", at_most(Some(0)))]),
        ]
        .map(|needed| (needed, Bytes::ALL));
        let filter = Filter::new(phrases.into());
        let told = |text: &str| {
            let hits = filter.hits(text);
            [0, 1, 2].map(|phrase| {
                hits.as_ref().and_then(|hits| hits.spot(phrase)).map(|spot| (spot.from, spot.last))
            })
        };
        assert_eq!(told("abc"), [None, None, None]);
        assert_eq!(told("a 12元 元"), [Some((2, 3)), None, None]);
        assert_eq!(told("元 1元"), [Some((4, 4)), None, None]);
        assert_eq!(told("abc購購"), [None, Some((1, 6)), None]);
        assert_eq!(told("a購無團無"), [None, Some((0, 7)), Some((4, 10))]);
    }
}
