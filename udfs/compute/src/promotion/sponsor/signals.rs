use std::borrow::Cow;
use std::ops::Range;

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

impl SponsorLexicon {
    /// Reads a text of half-width characters (Unicode NFKC). Time grows with its length alone.
    #[must_use]
    pub fn signals(&self, text: &str) -> SponsorSignals {
        let phrases: Vec<&Phrase> = self.possible(text).collect();
        let mut signals = SponsorSignals::default();
        if phrases.is_empty() {
            return signals;
        }
        let mut visible = Cow::Borrowed(text);
        for pass in [Pass::Negation, Pass::Explicit, Pass::Rest] {
            let mut spent: Vec<Range<usize>> = Vec::new();
            for phrase in phrases.iter().filter(|phrase| pass_of(phrase.class) == pass) {
                // Blanks part words: what occurs among them alone does not occur in the text.
                if matches!(visible, Cow::Owned(_)) && !phrase.pattern.is_match(text) {
                    continue;
                }
                let Some(span) = signals.collect(phrase, &visible) else { continue };
                signals.evidence.push(SponsorEvidence {
                    id: phrase.id,
                    class: phrase.class,
                    text: quote(visible.get(span.clone()).unwrap_or_default()),
                    start: span.start,
                    log_odds: phrase.log_odds,
                });
                if pass != Pass::Rest {
                    spent.extend(phrase.pattern.find_iter(&visible).map(|span| span.range()));
                }
            }
            blank(&mut visible, &spent);
        }
        signals.sum_up(self);
        signals
    }
}

/// Puts blanks in place of the spans, which may overlap. As bytes they keep every offset, and no phrase matches them.
fn blank(visible: &mut Cow<'_, str>, spent: &[Range<usize>]) {
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
    /// Takes the codes and numbers a phrase captures, and gives the span of its first occurrence.
    fn collect(&mut self, phrase: &Phrase, text: &str) -> Option<Range<usize>> {
        if !phrase.captures {
            return phrase.pattern.find(text).map(|span| span.range());
        }
        let mut first = None;
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
        }
        first
    }

    fn sum_up(&mut self, lexicon: &SponsorLexicon) {
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

fn quote(span: &str) -> String {
    mask_mailboxes(span.trim()).chars().filter(|c| *c != '\0').take(LONGEST_QUOTE).collect()
}
