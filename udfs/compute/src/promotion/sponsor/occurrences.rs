use std::ops::Range;

use regex_automata::hybrid::dfa::Cache;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

use super::lexicon::Phrase;

/// Groups of a phrase with a code or number, at most.
pub(super) const MOST_GROUPS: usize = 16;

/// Where a phrase may still begin.
#[derive(Debug, Clone)]
pub(super) struct Within<'a> {
    pub(super) from: usize,
    pub(super) last: usize,
    /// The only places, if they are known.
    pub(super) starts: Option<&'a [usize]>,
}

/// A phrase sought in texts, with what its automaton keeps between searches.
pub(super) struct Sought<'a> {
    pub(super) phrase: &'a Phrase,
    pub(super) cache: &'a mut Option<Cache>,
}

impl Sought<'_> {
    /// The first occurrence in the text, of which some may have been blanked, that is no work of the blanks.
    pub(super) fn first(
        &mut self,
        text: &str,
        blanked: Option<&str>,
        within: &Within<'_>,
    ) -> Option<Range<usize>> {
        let span = self.next(blanked.unwrap_or(text), within)?;
        // Blanks part words: what occurs among them alone does not occur in the text.
        let parted = blanked.is_some_and(|blanked| touches_blank(blanked, &span));
        (!parted || self.next(text, within).is_some()).then_some(span)
    }

    /// The first occurrence that begins there.
    pub(super) fn next(&mut self, text: &str, within: &Within<'_>) -> Option<Range<usize>> {
        if within.from > within.last {
            return None;
        }
        let Some(starts) = within.starts else {
            // Mostly where it may begin at all.
            return self.at(text, within.from).or_else(|| {
                self.phrase.pattern.search(&Input::new(text).range(within.from..)).map(|span| span.range())
            });
        };
        starts.iter().filter(|start| **start >= within.from).find_map(|start| self.at(text, *start))
    }

    /// The occurrence that begins with this byte.
    fn at(&mut self, text: &str, start: usize) -> Option<Range<usize>> {
        let told = self.phrase.automaton.as_ref().and_then(|told| told.end(self.cache, text, start).ok());
        let end = told.unwrap_or_else(|| {
            let input = Input::new(text).range(start..).anchored(Anchored::Yes);
            self.phrase.pattern.search_half(&input).map(|end| end.offset())
        });
        end.map(|end| start..end)
    }

    /// All occurrences, none over another. No phrase matches an empty text, so each begins after the last.
    pub(super) fn spans(&mut self, text: &str, mut within: Within<'_>) -> impl Iterator<Item = Range<usize>> {
        std::iter::from_fn(move || {
            let span = self.next(text, &within)?;
            within.from = span.end;
            Some(span)
        })
    }
}

impl Phrase {
    /// The code and the registration number in an occurrence.
    pub(super) fn captured(&self, text: &str, span: &Range<usize>) -> [Option<Range<usize>>; 2] {
        if let Some(bytes) = &self.code_at_the_end {
            let found = text.as_bytes().get(span.clone()).unwrap_or_default();
            let before = found.iter().rposition(|byte| !bytes.contains(*byte));
            return [before.map(|before| span.start + before + 1..span.end), None];
        }
        let mut slots = [None; 2 * MOST_GROUPS];
        let whole = Input::new(text).span(span.clone()).anchored(Anchored::Yes);
        self.pattern.search_slots(&whole, &mut slots);
        let end = |slot: usize| slots.get(slot).copied().flatten().map(NonMaxUsize::get);
        [self.code, self.ban].map(|group| Some(end(2 * group?)?..end(2 * group? + 1)?))
    }
}

/// Whether what a phrase was found by, the characters beside it included, is not all of the text.
fn touches_blank(visible: &str, span: &Range<usize>) -> bool {
    let seen = span.start.saturating_sub(1)..visible.len().min(span.end + 1);
    visible.as_bytes().get(seen).is_none_or(|seen| seen.contains(&0))
}
