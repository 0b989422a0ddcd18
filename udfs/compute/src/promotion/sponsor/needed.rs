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
    /// Whether the text alone, ASCII letters in either case, is a match.
    pub(super) whole: bool,
}

/// What a match may have before a text that it contains.
#[derive(Debug, Clone)]
pub(super) struct Before {
    /// So many bytes at least.
    pub(super) least: usize,
    /// So many at most, if that is bounded.
    pub(super) most: Option<usize>,
    /// Of these characters alone; `None` where it may be anything.
    pub(super) characters: Option<ClassUnicode>,
}

impl Before {
    /// The first place where a match with the text at `place` may begin and the last one, if it may begin at all.
    pub(super) fn starts(&self, text: &str, place: usize) -> Option<(usize, usize)> {
        let from = match (&self.characters, self.most) {
            (_, Some(0)) => return Some((place, place)),
            (None, Some(most)) => text.floor_char_boundary(place.saturating_sub(most)),
            (None, None) => 0,
            (Some(class), most) => {
                let mut from = place;
                for c in text.get(..place).unwrap_or_default().chars().rev() {
                    let next = from - c.len_utf8();
                    if most.is_some_and(|most| place - next > most) || !contains(class, c) {
                        break;
                    }
                    from = next;
                }
                from
            }
        };
        let last = place.checked_sub(self.least)?;
        (from <= last).then_some((from, last))
    }
}

/// What a part of a pattern says about the texts in its matches. Texts stand in the order in which the pattern prefers them.
enum Part {
    /// A match is one of these texts.
    Is(Vec<Text>),
    /// A match contains one of these texts, each after what may be before it.
    Contains(Vec<(Text, Reach)>),
    /// A match may be anything.
    Any,
}

/// A text in small letters.
#[derive(Debug, Clone, Default)]
struct Text {
    text: String,
    /// Whether it alone, in letters of either case, is a match of the part that it was told for.
    whole: bool,
}

impl Text {
    fn empty(whole: bool) -> Self {
        Self { text: String::new(), whole }
    }

    fn then(&self, next: &Self) -> Self {
        Self { text: self.text.clone() + &next.text, whole: self.whole && next.whole }
    }

    fn in_part(self) -> Self {
        Self { whole: false, ..self }
    }
}

/// What a pattern matches, roughly: at least so many bytes, at most so many, if that is bounded, of these characters.
#[derive(Debug, Clone)]
struct Reach {
    least: usize,
    most: Option<usize>,
    characters: ClassUnicode,
}

impl Reach {
    fn nothing() -> Self {
        Self { least: 0, most: Some(0), characters: ClassUnicode::empty() }
    }

    fn of(patterns: &[Hir]) -> Self {
        patterns.iter().fold(Self::nothing(), |before, pattern| {
            let mut characters = ClassUnicode::empty();
            collect_characters(pattern, &mut characters);
            let told = pattern.properties();
            let least = told.minimum_len().unwrap_or_default();
            before.then(&Self { least, most: told.maximum_len(), characters })
        })
    }

    fn then(mut self, next: &Self) -> Self {
        self.least += next.least;
        self.most = self.most.zip(next.most).map(|(first, second)| first + second);
        self.characters.union(&next.characters);
        self
    }

    /// Characters that may be what has been blanked tell nothing. Without a bound they end at the text itself, so that two
    /// occurrences never lead over the same ground.
    fn before(self, text: &str) -> Before {
        let holds = |c: char| contains(&self.characters, c);
        let first = text.chars().next().unwrap_or_default();
        let again = self.most.is_none() && (holds(first) || holds(first.to_ascii_uppercase()));
        let characters = (!holds('\0') && !again).then_some(self.characters);
        Before { least: self.least, most: self.most, characters }
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
    let needed =
        |(Text { text, whole }, before): (Text, Reach)| Needed { before: before.before(&text), text, whole };
    (shortest(&texts) > 0).then(|| texts.into_iter().map(needed).collect())
}

fn at_its_start(texts: Vec<Text>) -> Vec<(Text, Reach)> {
    texts.into_iter().map(|text| (text, Reach::nothing())).collect()
}

fn part(pattern: &Hir) -> Part {
    match pattern.kind() {
        HirKind::Empty => Part::Is(vec![Text::empty(true)]),
        HirKind::Look(_) => Part::Is(vec![Text::empty(false)]),
        // A letter alone is one of its cases only.
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).map_or(Part::Any, |text| {
            let whole = !text.contains(|c: char| c.is_ascii_alphabetic());
            Part::Is(vec![Text { text: text.to_ascii_lowercase(), whole }])
        }),
        HirKind::Class(class) => one_of(class),
        HirKind::Capture(capture) => part(&capture.sub),
        HirKind::Repetition(repetition) if (repetition.min, repetition.max) == (0, Some(1)) => {
            match part(&repetition.sub) {
                Part::Is(mut texts) => {
                    let place = if repetition.greedy { texts.len() } else { 0 };
                    texts.insert(place, Text::empty(true));
                    Part::Is(texts)
                }
                _ => Part::Any,
            }
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => match part(&repetition.sub) {
            Part::Is(texts) => Part::Contains(in_parts(at_its_start(texts))),
            Part::Contains(texts) => Part::Contains(in_parts(texts)),
            Part::Any => Part::Any,
        },
        HirKind::Repetition(_) => Part::Any,
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(ways) => of_ways(ways),
    }
}

fn in_parts(texts: Vec<(Text, Reach)>) -> Vec<(Text, Reach)> {
    texts.into_iter().map(|(text, reach)| (text.in_part(), reach)).collect()
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
    let nothing = || vec![Text::empty(true)];
    let (mut sets, mut run, mut run_from, mut whole) = (Vec::new(), nothing(), 0, true);
    for (place, one) in parts.iter().enumerate() {
        match part(one) {
            Part::Is(texts) if texts.len() * run.len() <= MOST_COMBINED => {
                let with = |start: &Text| texts.iter().map(|text| start.then(text)).collect::<Vec<_>>();
                run = run.iter().flat_map(with).collect();
            }
            other => {
                whole = false;
                sets.push((run_from, at_its_start(std::mem::replace(&mut run, nothing()))));
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
    let beside = |(text, inner): (Text, Reach)| (text.in_part(), before.clone().then(&inner));
    Part::Contains(texts.into_iter().map(beside).collect())
}

fn shortest(texts: &[(Text, Reach)]) -> usize {
    texts.iter().map(|(text, _)| text.text.len()).min().unwrap_or(0)
}

/// The characters of a small class, a letter and its other case as one.
fn one_of(class: &Class) -> Part {
    let Class::Unicode(class) = class else { return Part::Any };
    let mut texts: Vec<Text> = Vec::new();
    for range in class.iter() {
        for c in range.start()..=range.end() {
            // Other cases of ASCII letters beyond ASCII, ſ and the sign of Kelvin, are none in half-width texts.
            if matches!(c, 'ſ' | '\u{212a}') {
                continue;
            }
            let text = c.to_ascii_lowercase().to_string();
            if !texts.iter().any(|known| known.text == text) {
                let whole =
                    contains(class, c.to_ascii_lowercase()) && contains(class, c.to_ascii_uppercase());
                texts.push(Text { text, whole });
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
        check("(?i)ko-?fi", &["ko-fi", "kofi"]);
        check("甲(乙|丙)??丁?", &["甲丁", "甲", "甲丙丁", "甲丙", "甲乙丁", "甲乙"]);
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
    fn some_are_matches_alone() {
        let check = |pattern: &str, expected: &[&str]| {
            let found = needed_texts(pattern).unwrap();
            let whole: Vec<&str> =
                found.iter().filter(|needed| needed.whole).map(|needed| needed.text.as_str()).collect();
            assert_eq!(whole, expected, "{pattern}");
        };
        check("團購|(開|結)團", &["團購", "結團", "開團"]);
        check(r"團購|[+＋]1\s*留言|限時.{0,6}團", &["團購"]);
        check("(?i)ko-?fi|c/o ", &["ko-fi", "kofi", "c/o "]);
        check("NT|[aB]購|[aA]團", &["a團"]);
        check(r"#業配\b|^贊助|(甲)+|乙{2}|丙", &["丙"]);
        check("(甲|乙丙+)丁", &[]);
    }

    #[test]
    fn matches_begin_no_farther_back_than_told() {
        let check = |pattern: &str, expected: &[&str]| {
            let told: Vec<String> = needed_texts(pattern)
                .unwrap()
                .into_iter()
                .map(|Needed { text, before: Before { least, most, characters }, whole: _ }| {
                    let some = |class: &ClassUnicode| {
                        let some = ['0', ' ', ',', '中', '\0'].into_iter().filter(|c| contains(class, *c));
                        format!("{:?}", some.collect::<String>())
                    };
                    let most = most.map_or("any number".to_owned(), |most| most.to_string());
                    let of = characters.as_ref().map_or("anything".to_owned(), some);
                    format!("{text} after {least} to {most} of {of}")
                })
                .collect();
            assert_eq!(told, expected, "{pattern}");
        };
        check("團購", &[r#"團購 after 0 to 0 of """#]);
        check("贊助|[0-9]{1,3}(,[0-9])?元", &[r#"贊助 after 0 to 0 of """#, r#"元 after 1 to 5 of "0,""#]);
        check(r"[0-9]+\s?元", &[r#"元 after 1 to any number of "0 ""#]);
        check(
            r"[0-9]+,?(甲|[a-z]+乙)",
            &[r#"甲 after 1 to any number of "0,""#, r#"乙 after 2 to any number of "0,""#],
        );
        check("(一?二){2}三?", &[r#"一二 after 0 to 0 of """#, r#"二 after 0 to 0 of """#]);
        check("[^0]*團購", &["團購 after 0 to any number of anything"]);
        check("[0-9購]+購", &["購 after 1 to any number of anything"]);
        check(r"(?s).{2}團", &["團 after 2 to 8 of anything"]);
        check(
            "甲{2,}x?乙丙",
            &[r#"x乙丙 after 6 to any number of """#, r#"乙丙 after 6 to any number of """#],
        );
    }

    #[test]
    fn told_where_a_match_with_a_text_may_begin() {
        let check = |pattern: &str, text: &str, place: usize, expected: Option<(usize, usize)>| {
            let needed = needed_texts(pattern).unwrap();
            assert_eq!(needed[0].before.starts(text, place), expected, "{pattern} {text}");
        };
        check("團購", "a團購", 1, Some((1, 1)));
        check("[0-9]{1,2}折", "a123折", 4, Some((2, 3)));
        check("[0-9]{1,2}折", "打折", 3, None);
        check(r"[0-9]+\s?元", "a12 元", 4, Some((1, 3)));
        check("[^0]團", "甲團", 3, Some((0, 2)));
        check("[^0]團", "團", 0, None);
    }
}
