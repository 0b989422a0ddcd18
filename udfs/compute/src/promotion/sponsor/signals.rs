use std::borrow::Cow;
use std::ops::Range;

use regex_automata::{Anchored, Input};

use super::lexicon::{Phrase, SponsorLexicon};
use crate::text::mask_mailboxes;

/// Score from which a text counts as sponsored: even odds where one text in eight is sponsored.
const SPONSORED_FROM: f64 = 2.0;

/// Most discount codes, and most registration numbers, kept of one text.
pub(super) const MOST_CODES: usize = 64;

/// Longest evidence quoted, in characters.
const LONGEST_QUOTE: usize = 120;

/// A phrase of the lexicon that occurs in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct SponsorEvidence {
    /// The phrase.
    pub id: &'static str,
    /// Its class.
    pub class: &'static str,
    /// Its first occurrence, at most 120 characters, without mailboxes.
    pub text: String,
    /// Where that begins, in bytes of the text.
    pub start: usize,
    /// Its weight.
    pub log_odds: f64,
}

/// What a text says about being paid for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SponsorSignals {
    /// The sum of the log-odds of all phrases, but for those of donations.
    pub score: f64,
    /// The classes found, in the order of the lexicon.
    pub classes: Vec<&'static str>,
    /// Whether the score is 2 or more.
    pub sponsored: bool,
    /// Whether the text denies being paid for.
    pub negated: bool,
    /// Every phrase once, in the order of the text.
    pub evidence: Vec<SponsorEvidence>,
    /// At most 64 distinct discount codes.
    pub discount_codes: Vec<String>,
    /// At most 64 distinct numbers of eight digits that the text calls registration numbers.
    pub ban_hints: Vec<String>,
}

/// The order in which classes are matched: a later pass does not see what an earlier one has blanked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// 無業配 has to be read before 業配.
    Negation,
    /// #業配 is one disclosure, not an explicit and a weak one.
    Explicit,
    Rest,
}

pub(super) fn pass_of(class: &str) -> Pass {
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

impl SponsorLexicon {
    /// Reads a text of half-width characters (Unicode NFKC). Time grows with its length alone.
    #[must_use]
    pub fn signals(&self, text: &str) -> SponsorSignals {
        let mut signals = SponsorSignals::default();
        let Some(hits) = self.hits(text) else { return signals };
        let mut visible = Cow::Borrowed(text);
        for pass in [Pass::Negation, Pass::Explicit, Pass::Rest] {
            let mut spent: Vec<Range<usize>> = Vec::new();
            for (place, phrase) in self.phrases.iter().enumerate() {
                let Some(from) = hits.from(place) else { continue };
                if pass_of(phrase.class) != pass {
                    continue;
                }
                let mut within = Within { from, last: hits.last(place) };
                let Some(span) = phrase.next(&visible, &within) else { continue };
                // Blanks part words: what occurs among them alone does not occur in the text.
                if let Cow::Owned(visible) = &visible
                    && touches_blank(visible, &span)
                    && phrase.next(text, &within).is_none()
                {
                    continue;
                }
                within.from = span.start;
                let span = signals.collect(phrase, &visible, span, &within);
                signals.evidence.push(SponsorEvidence {
                    id: phrase.id,
                    class: phrase.class,
                    text: quote(visible.get(span.clone()).unwrap_or_default()),
                    start: span.start,
                    log_odds: phrase.log_odds,
                });
                if pass != Pass::Rest {
                    spent.extend(phrase.spans(&visible, within));
                }
            }
            blank(&mut visible, &spent);
        }
        signals.sum_up(self);
        signals
    }
}

/// Where a phrase may still begin.
#[derive(Debug, Clone)]
struct Within {
    from: usize,
    last: usize,
}

impl Phrase {
    /// The first occurrence that begins there: mostly where it may begin at all.
    fn next(&self, text: &str, within: &Within) -> Option<Range<usize>> {
        if within.from > within.last {
            return None;
        }
        let input = Input::new(text).range(within.from..);
        if let Some(end) = self.pattern.search_half(&input.clone().anchored(Anchored::Yes)) {
            return Some(within.from..end.offset());
        }
        self.pattern.search(&input).map(|span| span.range())
    }

    /// All occurrences, none over another. No phrase matches an empty text, so each begins after the last.
    fn spans(&self, text: &str, mut within: Within) -> impl Iterator<Item = Range<usize>> {
        std::iter::from_fn(move || {
            let span = self.next(text, &within)?;
            within.from = span.end;
            Some(span)
        })
    }
}

/// Whether what a phrase was found by, the characters beside it included, is not all of the text.
fn touches_blank(visible: &str, span: &Range<usize>) -> bool {
    let seen = span.start.saturating_sub(1)..visible.len().min(span.end + 1);
    visible.as_bytes().get(seen).is_none_or(|seen| seen.contains(&0))
}

/// Puts blanks in place of the spans, which may overlap. As bytes they keep every offset, and no phrase matches them.
pub(super) fn blank(visible: &mut Cow<'_, str>, spent: &[Range<usize>]) {
    if spent.is_empty() {
        return;
    }
    let mut bytes = std::mem::take(visible).into_owned().into_bytes();
    for span in spent {
        if let Some(bytes) = bytes.get_mut(span.clone()) {
            bytes.fill(0);
        }
    }
    // Spans begin and end between characters.
    *visible = Cow::Owned(String::from_utf8(bytes).unwrap_or_default());
}

impl SponsorSignals {
    /// Takes the codes and numbers that a phrase captures, of which `first` is the first occurrence, and gives the part
    /// of that which is evidence.
    fn collect(&mut self, phrase: &Phrase, text: &str, first: Range<usize>, within: &Within) -> Range<usize> {
        if phrase.code.is_none() && phrase.ban.is_none() {
            return first;
        }
        let (mut captures, mut evidence) = (phrase.pattern.create_captures(), None);
        for span in phrase.spans(text, within.clone()) {
            let whole = Input::new(text).span(span.clone()).anchored(Anchored::Yes);
            phrase.pattern.search_captures(&whole, &mut captures);
            let group = |group: Option<usize>| captures.get_group(group?).map(|found| found.range());
            let (code, ban) = (group(phrase.code), group(phrase.ban));
            if evidence.is_none() {
                evidence = Some(span.start..ban.as_ref().map_or(span.end, |ban| ban.end));
            }
            for (found, list) in [(code, &mut self.discount_codes), (ban, &mut self.ban_hints)] {
                if let Some(found) = found.and_then(|found| text.get(found))
                    && list.len() < MOST_CODES
                    && !list.iter().any(|known| known == found)
                {
                    list.push(found.to_owned());
                }
            }
        }
        evidence.unwrap_or(first)
    }

    pub(super) fn sum_up(&mut self, lexicon: &SponsorLexicon) {
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
    }
}

pub(super) fn quote(span: &str) -> String {
    mask_mailboxes(span.trim()).chars().filter(|c| *c != '\0').take(LONGEST_QUOTE).collect()
}
