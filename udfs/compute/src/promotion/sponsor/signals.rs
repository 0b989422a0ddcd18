use std::borrow::Cow;
use std::ops::Range;

use super::lexicon::SponsorLexicon;
use super::occurrences::{Sought, Within};
use crate::text::mask_mailboxes;

/// Score from which a text counts as sponsored: even odds where one text in eight is sponsored.
const SPONSORED_FROM: f64 = 2.0;

/// Most discount codes, and most registration numbers, kept of one text.
pub(super) const MOST_CODES: usize = 64;

/// What occurrences are blanked with, in pieces.
const BLANKS: &str = match str::from_utf8(&[0; 64]) {
    Ok(blanks) => blanks,
    Err(_) => "",
};

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
        let most = hits.possible.count_ones() as usize;
        signals.evidence.reserve_exact(most);
        signals.classes.reserve_exact(most);
        let mut caches = self.caches();
        let mut visible = Cow::Borrowed(text);
        let mut found = 0;
        for (pass, phrases) in self.passes {
            let mut spent: Vec<Range<usize>> = Vec::new();
            for place in ones(hits.possible & phrases) {
                let Some(phrase) = self.phrases.get(place) else { continue };
                let (Some(spot), Some(cache)) = (hits.spot(place), caches.get_mut(place)) else { continue };
                let mut sought = Sought { phrase, cache };
                let mut within = Within { from: spot.from, last: spot.last, starts: spot.starts() };
                let blanked = match &visible {
                    Cow::Owned(blanked) => Some(blanked.as_str()),
                    Cow::Borrowed(_) => None,
                };
                let known = spot.first().filter(|span| !blanked.is_some_and(|text| is_blanked(text, span)));
                let Some(span) = known.or_else(|| sought.first(text, blanked, &within)) else { continue };
                within.from = span.end;
                let evidence = signals.collect(&mut sought, &visible, span.clone(), &within);
                signals.evidence.push(SponsorEvidence {
                    id: phrase.id,
                    class: phrase.class,
                    text: quote(visible.get(evidence).unwrap_or_default()),
                    start: span.start,
                    log_odds: phrase.log_odds,
                });
                found |= 1 << place;
                if pass != Pass::Rest {
                    spent.push(span);
                    spent.extend(sought.spans(&visible, within));
                }
            }
            blank(&mut visible, spent);
        }
        signals.sum_up(self, found);
        signals
    }
}

/// The places of the bits that are set, in rising order.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        // Of 64 bits.
        let place = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(place)
    })
}

/// Whether any of a span has been blanked.
fn is_blanked(blanked: &str, span: &Range<usize>) -> bool {
    blanked.as_bytes().get(span.clone()).is_none_or(|bytes| bytes.contains(&0))
}

/// Puts blanks in place of the spans, which may overlap. As bytes they keep every offset, and no phrase matches them.
pub(super) fn blank(visible: &mut Cow<'_, str>, mut spent: Vec<Range<usize>>) {
    if spent.is_empty() {
        return;
    }
    spent.sort_unstable_by_key(|span| span.start);
    let mut left = String::with_capacity(visible.len());
    for span in &spent {
        // Spans begin and end between characters.
        left.push_str(visible.get(left.len()..span.start).unwrap_or_default());
        let mut blanks = span.end.saturating_sub(left.len());
        while let Some(some) = BLANKS.get(..blanks.min(BLANKS.len())).filter(|some| !some.is_empty()) {
            left.push_str(some);
            blanks -= some.len();
        }
    }
    left.push_str(visible.get(left.len()..).unwrap_or_default());
    *visible = Cow::Owned(left);
}

impl SponsorSignals {
    /// Takes the codes and numbers that a phrase captures in its first occurrence and in those after it, and gives the
    /// part of the first that is evidence.
    fn collect(
        &mut self,
        sought: &mut Sought<'_>,
        text: &str,
        first: Range<usize>,
        after: &Within<'_>,
    ) -> Range<usize> {
        let phrase = sought.phrase;
        if phrase.code.is_none() && phrase.ban.is_none() {
            return first;
        }
        let mut evidence = None;
        for span in std::iter::once(first.clone()).chain(sought.spans(text, after.clone())) {
            let [code, ban] = phrase.captured(text, &span);
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

    /// Adds up the phrases that were found, a bit each.
    pub(super) fn sum_up(&mut self, lexicon: &SponsorLexicon, found: u64) {
        let mut score = 0.0;
        for phrase in ones(found).filter_map(|place| lexicon.phrases.get(place)) {
            if counts_towards_sponsorship(phrase.class) {
                score += phrase.log_odds;
            }
            if !self.classes.contains(&phrase.class) {
                self.classes.push(phrase.class);
            }
            self.negated |= phrase.pass == Pass::Negation;
        }
        // The lexicon gives tenths: rounding takes off what adding them in binary leaves.
        // A sum just below nothing is rounded to -0.0; adding 0 makes it 0.
        self.score = (score * 1000.0).round() / 1000.0 + 0.0;
        self.sponsored = self.score >= SPONSORED_FROM;
        self.evidence.sort_unstable_by(|left, right| (left.start, left.id).cmp(&(right.start, right.id)));
    }
}

pub(super) fn quote(span: &str) -> String {
    let span = span.trim();
    // Nearly all.
    if span.len() <= LONGEST_QUOTE && !span.bytes().any(|byte| matches!(byte, b'@' | 0)) {
        return span.to_owned();
    }
    let masked = mask_mailboxes(span);
    if masked.len() <= LONGEST_QUOTE && !masked.contains('\0') {
        return masked.into_owned();
    }
    masked.chars().filter(|c| *c != '\0').take(LONGEST_QUOTE).collect()
}
