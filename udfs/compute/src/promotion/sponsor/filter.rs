/// The texts that phrases need, and where in a text one of them may begin: told by its first character, or the first two
/// of ASCII, so that most places are passed over by one look into a table.
#[derive(Debug)]
pub(super) struct Filter {
    /// By their first character in small letters, and which phrases need each, a bit each.
    texts: Vec<(char, String, u64)>,
    /// Those that need no text.
    anywhere: u64,
    /// First characters of three bytes, a bit each, by their first two bytes and then by the third.
    characters: Box<[u64; 1024]>,
    /// Second bytes of ASCII, a bit each, by the first one and the upper half of the second.
    pairs: [[u64; 2]; 128],
    /// Whether a text begins with a character of two or four bytes.
    others: bool,
}

/// Stands for a byte beyond ASCII and for the end of the text.
const NO_ASCII: u8 = 0x7f;

impl Filter {
    /// Of the texts that each phrase needs, none of them empty, if it needs any; at most 64 phrases.
    pub(super) fn new(phrases: &[Option<Vec<String>>]) -> Self {
        let mut filter = Self {
            texts: Vec::new(),
            anywhere: 0,
            characters: Box::new([0; 1024]),
            pairs: [[0; 2]; 128],
            others: false,
        };
        for (place, needed) in phrases.iter().enumerate() {
            let Some(needed) = needed else {
                filter.anywhere |= 1 << place;
                continue;
            };
            for text in needed {
                filter.admit(text.as_bytes());
                filter.texts.push((first_of(text), text.clone(), 1 << place));
            }
        }
        filter.texts.sort_unstable();
        filter
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

    /// The phrases of which a text contains what they need, a bit each.
    pub(super) fn possible(&self, text: &str) -> u64 {
        let bytes = text.as_bytes();
        let mut possible = self.anywhere;
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
                possible |= self.needing(text.get(place..).unwrap_or_default());
            }
            place += width;
        }
        possible
    }

    /// The phrases that need a text with which `rest` begins.
    fn needing(&self, rest: &str) -> u64 {
        let first = first_of(rest);
        let start = self.texts.partition_point(|(known, _, _)| *known < first);
        let alike = self.texts.iter().skip(start).take_while(|(known, _, _)| *known == first);
        let begins = |text: &str| {
            rest.as_bytes().get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
        };
        alike.filter(|(_, text, _)| begins(text)).fold(0, |all, (_, _, needing)| all | needing)
    }
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
        let mut phrases: Vec<Option<Vec<String>>> =
            NEEDED.iter().map(|texts| Some(texts.iter().map(|text| (*text).to_owned()).collect())).collect();
        phrases.push(None);
        Filter::new(&phrases)
    }

    #[test]
    fn what_a_text_contains_is_possible() {
        let filter = filter();
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
            assert_eq!(filter.possible(text), contained(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_is(text in "[團購價#adkofiKO$é👍讚aAxé中 -]{0,16}") {
            assert_eq!(filter().possible(&text), contained(&text), "{text}");
        }
    }
}
