use std::borrow::Cow;
use std::ops::Range;

use super::lexicon::{Lexicon, Phrase};
use crate::scalar::contact_mask::mask_mailboxes;
use crate::scalar::text_rows::{Positions, normalise};

/// Score from which a text counts as sponsored: even odds where one text in eight is sponsored.
pub(super) const SPONSORED_FROM: f64 = 2.0;

/// Most discount codes, and most registration numbers, kept of one text.
pub(super) const MOST_CODES: usize = 64;

/// Longest evidence quoted, in characters.
pub(super) const LONGEST_QUOTE: usize = 120;

/// What blanked spans are filled with: no phrase matches it, and as one byte it keeps every offset.
const BLANK: &str = "\0";

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evidence {
    pub(super) id: &'static str,
    pub(super) class: &'static str,
    pub(super) text: String,
    /// Position of the first character in the normalised text, counted from 1.
    pub(super) start: i64,
    pub(super) log_odds: f64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Signals {
    pub(super) score: f64,
    pub(super) classes: Vec<&'static str>,
    pub(super) sponsored: bool,
    pub(super) negated: bool,
    /// In the order of the text.
    pub(super) evidence: Vec<Evidence>,
    pub(super) discount_codes: Vec<String>,
    pub(super) ban_hints: Vec<String>,
}

/// The order in which classes are matched: a later pass does not see what an earlier one has blanked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// 無業配 has to be read before 業配.
    Negation,
    /// #業配 is one disclosure, not an explicit and a weak one.
    Explicit,
    Rest,
}

fn pass_of(class: &str) -> Pass {
    match class {
        "negation" => Pass::Negation,
        "explicit_disclosure" => Pass::Explicit,
        _ => Pass::Rest,
    }
}

/// Whether a class says how the creator is paid by the audience, which is no sign of a sponsor.
fn counts_towards_sponsorship(class: &str) -> bool {
    class != "donation"
}

impl Signals {
    pub(super) fn of(lexicon: &Lexicon, text: &str) -> Self {
        let text = normalise(text);
        let occurring = lexicon.any.matches(&text);
        if !occurring.matched_any() {
            return Self::default();
        }
        let phrases: Vec<&Phrase> = occurring.iter().filter_map(|place| lexicon.phrases.get(place)).collect();
        let mut signals = Self::default();
        let mut visible = Cow::Borrowed(&*text);
        for pass in [Pass::Negation, Pass::Explicit, Pass::Rest] {
            let mut spent: Vec<Range<usize>> = Vec::new();
            for phrase in phrases.iter().filter(|phrase| pass_of(phrase.class) == pass) {
                let Some(span) = signals.collect(phrase, &visible) else { continue };
                signals.evidence.push(Evidence {
                    id: phrase.id,
                    class: phrase.class,
                    text: quote(visible.get(span.clone()).unwrap_or_default()),
                    start: i64::try_from(span.start).unwrap_or(i64::MAX),
                    log_odds: phrase.log_odds,
                });
                if pass != Pass::Rest {
                    spent.extend(phrase.pattern.find_iter(&visible).map(|span| span.range()));
                }
            }
            for span in spent {
                let blank = BLANK.repeat(span.len());
                visible.to_mut().replace_range(span, &blank);
            }
        }
        signals.sum_up(lexicon, &text);
        signals
    }

    /// Takes the codes and numbers a phrase captures, and gives the span of its first occurrence.
    fn collect(&mut self, phrase: &Phrase, text: &str) -> Option<Range<usize>> {
        let mut first = None;
        let names_groups = phrase.pattern.capture_names().flatten().next().is_some();
        for captures in phrase.pattern.captures_iter(text) {
            let whole = captures.get_match();
            let (code, ban) = (captures.name("code"), captures.name("ban"));
            if first.is_none() {
                first = Some(whole.start()..ban.map_or(whole.end(), |ban| ban.end()));
            }
            for (capture, list) in [(code, &mut self.discount_codes), (ban, &mut self.ban_hints)] {
                if let Some(capture) = capture
                    && list.len() < MOST_CODES
                    && !list.iter().any(|known| known == capture.as_str())
                {
                    list.push(capture.as_str().to_owned());
                }
            }
            if !names_groups {
                break;
            }
        }
        first
    }

    fn sum_up(&mut self, lexicon: &Lexicon, text: &str) {
        let of_phrase = |phrase: &&Phrase| self.evidence.iter().any(|evidence| evidence.id == phrase.id);
        let matched: Vec<&Phrase> = lexicon.phrases.iter().filter(|phrase| of_phrase(phrase)).collect();
        let score: f64 = matched
            .iter()
            .filter(|phrase| counts_towards_sponsorship(phrase.class))
            .map(|phrase| phrase.log_odds)
            .sum();
        // The lexicon gives tenths: rounding takes off what adding them in binary leaves.
        // The sum of nothing is -0.0; adding 0 makes it 0.
        self.score = (score * 1000.0).round() / 1000.0 + 0.0;
        for phrase in matched {
            if !self.classes.contains(&phrase.class) {
                self.classes.push(phrase.class);
            }
        }
        self.sponsored = self.score >= SPONSORED_FROM;
        self.negated = self.classes.contains(&"negation");
        self.evidence.sort_by(|left, right| (left.start, left.id).cmp(&(right.start, right.id)));
        count_in_characters(&mut self.evidence, text);
    }
}

fn quote(span: &str) -> String {
    mask_mailboxes(span.trim()).chars().filter(|c| *c != '\0').take(LONGEST_QUOTE).collect()
}

/// Turns byte offsets, in rising order, into character positions counted from 1.
fn count_in_characters(evidence: &mut [Evidence], text: &str) {
    let mut positions = Positions::of(text);
    for item in evidence {
        item.start = positions.at(usize::try_from(item.start).unwrap_or(usize::MAX));
    }
}
