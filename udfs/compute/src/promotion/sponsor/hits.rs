use std::ops::Range;

use super::automaton::Bytes;

/// Most phrases of a filter: a bit each.
pub(super) const MOST_PHRASES: usize = 64;
/// Places where a phrase may begin that are kept apart.
const MOST_STARTS: usize = 8;

/// The phrases that may occur in a text, and where.
#[derive(Debug)]
pub(super) struct Hits {
    /// A bit for each phrase of whose texts one occurs.
    pub(super) possible: u64,
    /// Of each such phrase, the place of its spot.
    spot_of: [u8; MOST_PHRASES],
    spots: Vec<Spot>,
}

/// Where a phrase may be.
#[derive(Debug)]
pub(super) struct Spot {
    /// No occurrence begins before this byte.
    pub(super) from: usize,
    /// None begins after this one.
    pub(super) last: usize,
    /// Where one may begin at all, if that is known and at few places: those up to `known`, in rising order.
    starts: [usize; MOST_STARTS],
    known: usize,
    scattered: bool,
    /// The end of the text that occurs first and, of those that begin there, is preferred, while each text that was met
    /// is a match alone.
    end: Option<usize>,
}

/// A text that a phrase needs, met.
#[derive(Debug)]
pub(super) struct Met<'a> {
    /// The phrase.
    pub(super) phrase: usize,
    /// No occurrence with it begins before this byte.
    pub(super) from: usize,
    /// None begins after this one.
    pub(super) last: usize,
    /// What occurrences begin with.
    pub(super) first: &'a Bytes,
    /// Its end, if it is a match alone.
    pub(super) whole: Option<usize>,
}

impl Spot {
    /// The first occurrence, where that is known.
    pub(super) fn first(&self) -> Option<Range<usize>> {
        self.end.map(|end| self.from..end)
    }

    /// The only bytes with which occurrences begin, if they are known.
    pub(super) fn starts(&self) -> Option<&[usize]> {
        self.starts.get(..self.known).filter(|_| !self.scattered)
    }

    fn at(met: &Met<'_>, text: &[u8]) -> Self {
        let mut spot = Self {
            from: met.from,
            last: met.last,
            starts: [0; MOST_STARTS],
            known: 0,
            scattered: false,
            end: met.whole,
        };
        spot.add_starts(met, text);
        spot
    }

    /// Texts are met from the first to the last.
    fn add(&mut self, met: &Met<'_>, text: &[u8]) {
        self.from = met.from.min(self.from);
        self.last = met.last.max(self.last);
        self.end = self.end.filter(|_| met.whole.is_some());
        self.add_starts(met, text);
    }

    fn add_starts(&mut self, met: &Met<'_>, text: &[u8]) {
        if met.from == met.last {
            return self.add_start(met.from);
        }
        // What may begin with a blank may begin where something else stood.
        self.scattered |= met.first.contains(0);
        for start in met.from..=met.last {
            if self.scattered {
                break;
            }
            if text.get(start).is_some_and(|byte| met.first.contains(*byte) && byte & 0xC0 != 0x80) {
                self.add_start(start);
            }
        }
    }

    /// Mostly after those that are known.
    fn add_start(&mut self, start: usize) {
        let known = self.starts.get(..self.known).unwrap_or_default();
        let before = known.iter().rposition(|other| *other <= start);
        if before.and_then(|before| known.get(before)) == Some(&start) {
            return;
        }
        match self.starts.get_mut(before.map_or(0, |before| before + 1)..=self.known) {
            Some(moved) => {
                moved.rotate_right(1);
                moved[0] = start;
                self.known += 1;
            }
            None => self.scattered = true,
        }
    }
}

impl Hits {
    pub(super) fn none() -> Self {
        Self { possible: 0, spot_of: [0; MOST_PHRASES], spots: Vec::with_capacity(8) }
    }

    /// Where a phrase may be, if it is possible.
    pub(super) fn spot(&self, phrase: usize) -> Option<&Spot> {
        let spot = self.spot_of.get(phrase).filter(|_| self.possible >> phrase & 1 == 1)?;
        self.spots.get(usize::from(*spot))
    }

    pub(super) fn add(&mut self, met: &Met<'_>, text: &[u8]) {
        let Some(of_phrase) = self.spot_of.get_mut(met.phrase) else { return };
        if self.possible >> met.phrase & 1 == 0 {
            // Of 64 at most.
            *of_phrase = u8::try_from(self.spots.len()).unwrap_or(u8::MAX);
            self.possible |= 1 << met.phrase;
            self.spots.push(Spot::at(met, text));
        } else if let Some(spot) = self.spots.get_mut(usize::from(*of_phrase)) {
            spot.add(met, text);
        }
    }
}
