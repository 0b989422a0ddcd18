use regex_syntax::hir::{Class, Hir, HirKind};

/// A class of more characters than this is no set of texts.
const MOST_OF_A_CLASS: usize = 4;
/// Neighbours that give more combinations than this are not combined.
const MOST_COMBINED: usize = 64;

/// What a part of a pattern says about the texts in its matches.
enum Part {
    /// A match is one of these texts.
    Is(Vec<String>),
    /// A match contains one of these texts.
    Contains(Vec<String>),
    /// A match may be anything.
    Any,
}

/// Texts of which every match of a pattern contains one, ASCII letters in either case; `None` where none can be told. Of
/// those that a pattern needs at several places, the longest.
pub(super) fn needed_texts(pattern: &str) -> Option<Vec<String>> {
    match part(&regex_syntax::parse(pattern).ok()?) {
        Part::Is(texts) | Part::Contains(texts) => Some(texts).filter(|texts| shortest(texts) > 0),
        Part::Any => None,
    }
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
            Part::Is(texts) | Part::Contains(texts) => Part::Contains(texts),
            Part::Any => Part::Any,
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
            Part::Is(texts) => all.extend(texts),
            Part::Contains(texts) => {
                all.extend(texts);
                whole = false;
            }
            Part::Any => return Part::Any,
        }
    }
    if whole { Part::Is(all) } else { Part::Contains(all) }
}

/// What the best of the parts needs, where neighbours make longer texts together.
fn of_sequence(parts: &[Hir]) -> Part {
    let (mut sets, mut run, mut whole) = (Vec::new(), vec![String::new()], true);
    for one in parts {
        match part(one) {
            Part::Is(texts) if texts.len() * run.len() <= MOST_COMBINED => {
                let with = |start: &String| texts.iter().map(|text| start.clone() + text).collect::<Vec<_>>();
                run = run.iter().flat_map(with).collect();
            }
            other => {
                whole = false;
                sets.push(std::mem::replace(&mut run, vec![String::new()]));
                match other {
                    Part::Is(texts) => run = texts,
                    Part::Contains(texts) => sets.push(texts),
                    Part::Any => {}
                }
            }
        }
    }
    sets.push(run);
    // The first of equally good ones.
    let best = sets.into_iter().rev().max_by_key(|texts| shortest(texts)).unwrap_or_default();
    if whole { Part::Is(best) } else { Part::Contains(best) }
}

fn shortest(texts: &[String]) -> usize {
    texts.iter().map(String::len).min().unwrap_or(0)
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
                found.as_ref().map(|found| found.iter().map(String::as_str).collect());
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
}
