use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// A class of more characters than this is no set of texts.
const MOST_OF_A_CLASS: usize = 4;
/// Neighbours that give more combinations than this are not combined.
const MOST_COMBINED: usize = 64;

/// A text that a match contains, and what a match may have before it.
#[derive(Debug, Clone)]
pub(super) struct Needed {
    pub(super) text: String,
    pub(super) before: Before,
}

/// How far before a text that it contains a match may begin.
#[derive(Debug, Clone)]
pub(super) enum Before {
    /// At most so many bytes.
    Bytes(usize),
    /// As far back as these characters go, of which the text's first is none.
    Characters(ClassUnicode),
    /// Anywhere.
    Anything,
}

/// What a part of a pattern says about the texts in its matches.
enum Part {
    /// A match is one of these texts.
    Is(Vec<String>),
    /// A match contains one of these texts, each after what may be before it.
    Contains(Vec<(String, Reach)>),
    /// A match may be anything.
    Any,
}

/// What a pattern matches, roughly: at most so many bytes, if that is bounded, of these characters.
#[derive(Debug, Clone)]
struct Reach {
    bytes: Option<usize>,
    characters: ClassUnicode,
}

impl Reach {
    fn nothing() -> Self {
        Self { bytes: Some(0), characters: ClassUnicode::empty() }
    }

    fn of(patterns: &[Hir]) -> Self {
        patterns.iter().fold(Self::nothing(), |before, pattern| {
            let mut characters = ClassUnicode::empty();
            collect_characters(pattern, &mut characters);
            before.then(&Self { bytes: pattern.properties().maximum_len(), characters })
        })
    }

    fn then(mut self, next: &Self) -> Self {
        self.bytes = self.bytes.zip(next.bytes).map(|(first, second)| first + second);
        self.characters.union(&next.characters);
        self
    }

    /// Characters end at the text itself, so that two occurrences never lead over the same ground, and at what has been
    /// blanked.
    fn before(self, text: &str) -> Before {
        let holds = |c: char| contains(&self.characters, c);
        let first = text.chars().next().unwrap_or_default();
        match self.bytes {
            Some(bytes) => Before::Bytes(bytes),
            None if holds('\0') || holds(first) || holds(first.to_ascii_uppercase()) => Before::Anything,
            None => Before::Characters(self.characters),
        }
    }
}

/// Whether a character is one of a class.
pub(super) fn contains(class: &ClassUnicode, c: char) -> bool {
    let place = class.ranges().partition_point(|range| range.end() < c);
    class.ranges().get(place).is_some_and(|range| range.start() <= c)
}

fn collect_characters(pattern: &Hir, all: &mut ClassUnicode) {
    let anything = || ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)]);
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => text.chars().for_each(|c| all.push(ClassUnicodeRange::new(c, c))),
            Err(_) => all.union(&anything()),
        },
        HirKind::Class(Class::Unicode(class)) => all.union(class),
        HirKind::Class(Class::Bytes(_)) => all.union(&anything()),
        HirKind::Repetition(repetition) => collect_characters(&repetition.sub, all),
        HirKind::Capture(capture) => collect_characters(&capture.sub, all),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect_characters(part, all));
        }
    }
}

/// Texts of which every match of a pattern contains one, ASCII letters in either case; `None` where none can be told. Of
/// those that a pattern needs at several places, the longest.
pub(super) fn needed_texts(pattern: &str) -> Option<Vec<Needed>> {
    let texts = match part(&regex_syntax::parse(pattern).ok()?) {
        Part::Is(texts) => at_its_start(texts),
        Part::Contains(texts) => texts,
        Part::Any => return None,
    };
    let needed = |(text, before): (String, Reach)| Needed { before: before.before(&text), text };
    (shortest(&texts) > 0).then(|| texts.into_iter().map(needed).collect())
}

fn at_its_start(texts: Vec<String>) -> Vec<(String, Reach)> {
    texts.into_iter().map(|text| (text, Reach::nothing())).collect()
}

fn part(pattern: &Hir) -> Part {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Part::Is(vec![String::new()]),
        HirKind::Literal(literal) => {
            String::from_utf8(literal.0.to_vec()).map_or(Part::Any, |text| Part::Is(vec![text]))
        }
        HirKind::Class(class) => one_of(class),
        HirKind::Capture(capture) => part(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => match part(&repetition.sub) {
            Part::Is(texts) => Part::Contains(at_its_start(texts)),
            other => other,
        },
        HirKind::Repetition(_) => Part::Any,
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(ways) => of_ways(ways),
    }
}

fn of_ways(ways: &[Hir]) -> Part {
    let (mut all, mut whole) = (Vec::new(), true);
    for way in ways {
        match part(way) {
            Part::Is(texts) => all.extend(at_its_start(texts)),
            Part::Contains(texts) => {
                all.extend(texts);
                whole = false;
            }
            Part::Any => return Part::Any,
        }
    }
    if whole { Part::Is(all.into_iter().map(|(text, _)| text).collect()) } else { Part::Contains(all) }
}

/// What the best of the parts needs, where neighbours make longer texts together.
fn of_sequence(parts: &[Hir]) -> Part {
    let (mut sets, mut run, mut run_from, mut whole) = (Vec::new(), vec![String::new()], 0, true);
    for (place, one) in parts.iter().enumerate() {
        match part(one) {
            Part::Is(texts) if texts.len() * run.len() <= MOST_COMBINED => {
                let with = |start: &String| texts.iter().map(|text| start.clone() + text).collect::<Vec<_>>();
                run = run.iter().flat_map(with).collect();
            }
            other => {
                whole = false;
                sets.push((run_from, at_its_start(std::mem::replace(&mut run, vec![String::new()]))));
                run_from = place + 1;
                match other {
                    Part::Is(texts) => (run, run_from) = (texts, place),
                    Part::Contains(texts) => sets.push((place, texts)),
                    Part::Any => {}
                }
            }
        }
    }
    if whole {
        return Part::Is(run);
    }
    sets.push((run_from, at_its_start(run)));
    // The first of equally good ones.
    let best = sets.into_iter().rev().max_by_key(|(_, texts)| shortest(texts));
    let (from, texts) = best.unwrap_or_default();
    let before = Reach::of(parts.get(..from).unwrap_or_default());
    Part::Contains(texts.into_iter().map(|(text, inner)| (text, before.clone().then(&inner))).collect())
}

fn shortest(texts: &[(String, Reach)]) -> usize {
    texts.iter().map(|(text, _)| text.len()).min().unwrap_or(0)
}

/// The characters of a small class, a letter and its other case as one.
fn one_of(class: &Class) -> Part {
    let Class::Unicode(class) = class else { return Part::Any };
    let mut texts: Vec<String> = Vec::new();
    for range in class.iter() {
        for c in range.start()..=range.end() {
            // Other cases of ASCII letters beyond ASCII, ſ and the sign of Kelvin, are none in half-width texts.
            let text = match c {
                'ſ' | '\u{212a}' => continue,
                c => c.to_ascii_lowercase().to_string(),
            };
            if !texts.contains(&text) {
                texts.push(text);
            }
            if texts.len() > MOST_OF_A_CLASS {
                return Part::Any;
            }
        }
    }
    Part::Is(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_contains_one_of_them() {
        let check = |pattern: &str, expected: &[&str]| {
            let found = needed_texts(pattern);
            let found: Option<Vec<&str>> =
                found.as_ref().map(|found| found.iter().map(|needed| needed.text.as_str()).collect());
            assert_eq!(found.as_deref(), (!expected.is_empty()).then_some(expected), "{pattern}");
        };
        check("團購", &["團購"]);
        check("[#＃](業配|廣告)", &["#業配", "#廣告", "＃業配", "＃廣告"]);
        check("贊助(我|頻道)|綠界", &["贊助我", "贊助頻道", "綠界"]);
        check(r"(?i)#ad\b|c/o ", &["#ad", "c/o "]);
        check("(?i)ko-?fi", &["ko"]);
        check("(?i)kiss", &["kiss"]);
        check(r"\d+\s?元|[1-9]折", &["元", "折"]);
        check(r"輸入.{0,12}(碼|代碼)?", &["輸入"]);
        check("(甲|乙丙+)丁", &["甲", "乙"]);
        check("a{2,3}", &["a"]);
        check("[甲乙]x", &["乙x", "甲x"]);
        for nothing in [r"\d+", "a?", "", "a|[0-9]", r"\b", "[^a]", "(a|)"] {
            check(nothing, &[]);
        }
    }

    #[test]
    fn matches_begin_no_farther_back_than_told() {
        let check = |pattern: &str, expected: &[&str]| {
            let told: Vec<String> = needed_texts(pattern)
                .unwrap()
                .into_iter()
                .map(|Needed { text, before }| match before {
                    Before::Bytes(bytes) => format!("{text} after {bytes}"),
                    Before::Characters(characters) => {
                        let some =
                            ['0', ' ', ',', '中', '\0'].into_iter().filter(|c| contains(&characters, *c));
                        format!("{text} after any of {:?}", some.collect::<String>())
                    }
                    Before::Anything => format!("{text} after anything"),
                })
                .collect();
            assert_eq!(told, expected, "{pattern}");
        };
        check("團購", &["團購 after 0"]);
        check("贊助|[0-9]{1,3}(,[0-9])?元", &["贊助 after 0", "元 after 5"]);
        check(r"[0-9]+\s?元", &["元 after any of \"0 \""]);
        check(r"[0-9]+,?(甲|[a-z]+乙)", &["甲 after any of \"0,\"", "乙 after any of \"0,\""]);
        check("(一?二){2}三?", &["二 after 3"]);
        check("[^0]*團購", &["團購 after anything"]);
        check("[0-9購]+購", &["購 after anything"]);
        check(r"(?s).{2}團", &["團 after 8"]);
        check("甲{2,}x?乙丙", &["乙丙 after any of \"\""]);
    }
}
