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
        let mut found = 0;
        for pass in [Pass::Negation, Pass::Explicit, Pass::Rest] {
            let mut spent: Vec<Range<usize>> = Vec::new();
            for place in ones(hits.possible) {
                let Some(phrase) = self.phrases.get(place).filter(|phrase| phrase.pass == pass) else {
                    continue;
                };
                let Some(spot) = hits.spot(place) else { continue };
                let mut within = Within { from: spot.from, last: spot.last, starts: spot.starts() };
                let blanked = match &visible {
                    Cow::Owned(blanked) => Some(blanked.as_str()),
                    Cow::Borrowed(_) => None,
                };
                let known = spot.first().filter(|span| !blanked.is_some_and(|text| is_blanked(text, span)));
                let Some(span) = known.or_else(|| phrase.first(text, blanked, &within)) else { continue };
                within.from = span.end;
                let evidence = signals.collect(phrase, &visible, span.clone(), &within);
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
                    spent.extend(phrase.spans(&visible, within));
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

/// Where a phrase may still begin.
#[derive(Debug, Clone)]
struct Within<'a> {
    from: usize,
    last: usize,
    /// The only places, if they are known.
    starts: Option<&'a [usize]>,
}

impl Phrase {
    /// The first occurrence in the text, of which some may have been blanked, that is no work of the blanks.
    fn first(&self, text: &str, blanked: Option<&str>, within: &Within<'_>) -> Option<Range<usize>> {
        let span = self.next(blanked.unwrap_or(text), within)?;
        // Blanks part words: what occurs among them alone does not occur in the text.
        let parted = blanked.is_some_and(|blanked| touches_blank(blanked, &span));
        (!parted || self.next(text, within).is_some()).then_some(span)
    }

    /// The first occurrence that begins there.
    fn next(&self, text: &str, within: &Within<'_>) -> Option<Range<usize>> {
        if within.from > within.last {
            return None;
        }
        let Some(starts) = within.starts else {
            // Mostly where it may begin at all.
            return self.at(text, within.from).or_else(|| {
                self.pattern.search(&Input::new(text).range(within.from..)).map(|span| span.range())
            });
        };
        starts.iter().filter(|start| **start >= within.from).find_map(|start| self.at(text, *start))
    }

    /// The occurrence that begins with this byte.
    fn at(&self, text: &str, start: usize) -> Option<Range<usize>> {
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        self.pattern.search_half(&input).map(|end| start..end.offset())
    }

    /// All occurrences, none over another. No phrase matches an empty text, so each begins after the last.
    fn spans(&self, text: &str, mut within: Within<'_>) -> impl Iterator<Item = Range<usize>> {
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
        left.extend(std::iter::repeat_n('\0', span.end.saturating_sub(left.len())));
    }
    left.push_str(visible.get(left.len()..).unwrap_or_default());
    *visible = Cow::Owned(left);
}

impl SponsorSignals {
    /// Takes the codes and numbers that a phrase captures in its first occurrence and in those after it, and gives the
    /// part of the first that is evidence.
    fn collect(
        &mut self,
        phrase: &Phrase,
        text: &str,
        first: Range<usize>,
        after: &Within<'_>,
    ) -> Range<usize> {
        if phrase.code.is_none() && phrase.ban.is_none() {
            return first;
        }
        let (mut captures, mut evidence) = (phrase.pattern.create_captures(), None);
        for span in std::iter::once(first.clone()).chain(phrase.spans(text, after.clone())) {
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
    let masked = mask_mailboxes(span.trim());
    if masked.len() <= LONGEST_QUOTE && !masked.contains('\0') {
        return masked.into_owned();
    }
    masked.chars().filter(|c| *c != '\0').take(LONGEST_QUOTE).collect()
}
