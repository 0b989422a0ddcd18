//! Searches cut into batches that a device takes, and those that it does not take.

use std::ops::Range;

use tithe_compute::forecast::{Found, Searches, SmoothingSearch, ThetaSearch};

use super::kernel::Kernel;
use super::plan::fits;
use super::words::{SEARCH, SMOOTHING_FOUND, THETA_FOUND};

/// Bytes that a region may take beside its words, to start at a whole line of memory.
const ALIGNMENT: usize = 256;
/// Regions of every batch: values, factors, lines, last factors.
const REGIONS: usize = 4;
/// Regions of every launch: searches, and what they find.
const LAUNCH_REGIONS: usize = 2;

/// Some of the searches of a list, with the numbers that they alone read.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// The searches.
    pub(super) searches: Searches,
    smoothing: Vec<usize>,
    theta: Vec<usize>,
    /// Where the values of the last search were, and where they are here.
    last: (Range<usize>, usize),
    launches: Vec<(Kernel, usize)>,
    bytes: usize,
}

/// All searches of a list.
#[derive(Debug)]
pub(super) struct Cut {
    /// For the device, in the order of the list.
    pub(super) pieces: Vec<Piece>,
    /// For the processor.
    pub(super) left: Piece,
}

/// Cuts `searches` into batches of at most `most_bytes` on the device. A search that it does not take, for its season
/// or its length, is left to the processor.
#[must_use]
pub(super) fn cut(searches: &Searches, most_bytes: usize) -> Cut {
    let most = most_bytes.saturating_sub(REGIONS * ALIGNMENT);
    let mut cut = Cut { pieces: Vec::new(), left: Piece::default() };
    let mut piece = Piece::default();
    let mut add = |cost: &dyn Fn(&Piece) -> usize, fits: bool, put: &dyn Fn(&mut Piece)| {
        if !fits || cost(&Piece::default()) > most {
            put(&mut cut.left);
            return;
        }
        if piece.bytes + cost(&piece) > most {
            cut.pieces.push(std::mem::take(&mut piece));
        }
        piece.bytes += cost(&piece);
        put(&mut piece);
    };
    for (place, search) in searches.smoothing.iter().enumerate() {
        add(&|piece| piece.cost_of_smoothing(search), fits(search), &|piece| {
            piece.add_smoothing(searches, place, search);
        });
    }
    for (place, search) in searches.theta.iter().enumerate() {
        add(&|piece| piece.cost_of_theta(search), u32::try_from(search.values.len()).is_ok(), &|piece| {
            piece.add_theta(searches, place, search);
        });
    }
    if piece.bytes > 0 {
        cut.pieces.push(piece);
    }
    cut
}

impl Piece {
    /// Words of `values`, none where they are those of the last search.
    fn words_of(&self, values: &Range<usize>) -> usize {
        if self.last.0 == *values { 0 } else { values.len() }
    }

    /// Bytes of another search.
    fn cost(&self, values: &Range<usize>, words: usize, launch: (Kernel, usize)) -> usize {
        let regions = if self.launches.contains(&launch) { 0 } else { LAUNCH_REGIONS };
        size_of::<u64>() * (self.words_of(values) + words) + regions * ALIGNMENT
    }

    fn cost_of_smoothing(&self, search: &SmoothingSearch) -> usize {
        let words = 2 * search.factors.len() + SEARCH + SMOOTHING_FOUND;
        self.cost(&search.values, words, (Kernel::of(search), search.factors.len()))
    }

    fn cost_of_theta(&self, search: &ThetaSearch) -> usize {
        let words = 2 * search.lines.len() + SEARCH + THETA_FOUND;
        self.cost(&search.values, words, (Kernel::Theta, 0))
    }

    fn add_launch(&mut self, launch: (Kernel, usize)) {
        if !self.launches.contains(&launch) {
            self.launches.push(launch);
        }
    }

    /// The place here of values that are at `range` in `all`.
    fn values(&mut self, all: &[f64], range: &Range<usize>) -> Range<usize> {
        if self.last.0 != *range {
            self.last = (range.clone(), self.searches.values.len());
            self.searches.values.extend_from_slice(&all[range.clone()]);
        }
        self.last.1..self.last.1 + range.len()
    }

    fn add_smoothing(&mut self, all: &Searches, place: usize, search: &SmoothingSearch) {
        let values = self.values(&all.values, &search.values);
        let first = self.searches.factors.len();
        self.searches.factors.extend_from_slice(&all.factors[search.factors.clone()]);
        let factors = first..self.searches.factors.len();
        self.add_launch((Kernel::of(search), factors.len()));
        self.searches.smoothing.push(SmoothingSearch { values, factors, ..search.clone() });
        self.smoothing.push(place);
    }

    fn add_theta(&mut self, all: &Searches, place: usize, search: &ThetaSearch) {
        let values = self.values(&all.values, &search.values);
        let first = self.searches.lines.len();
        self.searches.lines.extend_from_slice(&all.lines[search.lines.clone()]);
        let lines = first..self.searches.lines.len();
        self.add_launch((Kernel::Theta, 0));
        self.searches.theta.push(ThetaSearch { values, lines, coordinates: search.coordinates });
        self.theta.push(place);
    }

    /// Whether there are no searches.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.smoothing.is_empty() && self.theta.is_empty()
    }

    /// Adds what was found for this piece to what was found for the list that it is of.
    pub(super) fn give_back(&self, found: Found, all: &Searches, into: &mut Found) {
        let smoothing = self.smoothing.iter().zip(found.smoothing).zip(&self.searches.smoothing);
        for ((place, found_here), search) in smoothing {
            into.smoothing[*place] = found_here;
            let factors = &found.factors[search.factors.clone()];
            into.factors[all.smoothing[*place].factors.clone()].copy_from_slice(factors);
        }
        for (place, found_here) in self.theta.iter().zip(found.theta) {
            into.theta[*place] = found_here;
        }
        into.on_device += found.on_device;
    }
}

#[cfg(test)]
mod tests {
    use tithe_compute::forecast::{Coordinate, Form, Shape, Trend};

    use super::super::plan::Plan;
    use super::*;

    /// Searches of `count` series of 30 values: one with each of the seasons, one of theta.
    fn searches(count: usize, seasons: &[usize]) -> Searches {
        let mut all = Searches::default();
        let coordinate = Coordinate { start: 0.3, low: 0.1, high: 0.9 };
        for series in 0..count {
            let values = 30 * series..30 * series + 30;
            all.values.extend((0..30_u32).map(|t| 1.0 + f64::from(t % 7) + series as f64));
            for season in seasons {
                let form = if *season == 0 { Form::Plain } else { Form::AdditiveSeason };
                let first = all.factors.len();
                all.factors.resize(first + season, 0.25);
                all.smoothing.push(SmoothingSearch {
                    shape: Shape { form, trend: Trend::None },
                    values: values.clone(),
                    factors: first..all.factors.len(),
                    level: 3.0,
                    slope: 0.0,
                    coordinates: [coordinate; 4],
                });
            }
            let first = all.lines.len();
            all.lines.resize(first + 29, (1.0, 0.1));
            let lines = first..all.lines.len();
            all.theta.push(ThetaSearch { values, lines, coordinates: [coordinate; 3] });
        }
        all
    }

    /// Runs every piece on the processor and puts what it finds together.
    fn put_together(cut: &Cut, all: &Searches) -> Found {
        let mut found = Found { on_device: 0, ..all.run() };
        found.smoothing.fill(None);
        found.factors.fill(f64::NAN);
        for piece in cut.pieces.iter().chain([&cut.left]) {
            piece.give_back(piece.searches.run(), all, &mut found);
        }
        found
    }

    #[test]
    fn pieces_fit_and_lose_nothing() {
        let all = searches(40, &[0, 4, 12]);
        for most in [6_000, 10_000, 40_000, usize::MAX] {
            let cut = cut(&all, most);
            for piece in &cut.pieces {
                assert!(Plan::new(&piece.searches).is_ok_and(|plan| plan.work().bytes() <= most));
            }
            assert!(cut.left.is_empty(), "{most}");
            assert_eq!(cut.pieces.len() > 1, most != usize::MAX);
            assert_eq!(put_together(&cut, &all), all.run());
        }
        // Only theta searches have values after others of the same series.
        let whole = cut(&all, usize::MAX);
        assert_eq!(whole.pieces[0].searches.values.len(), 2 * all.values.len());
    }

    #[test]
    fn what_the_device_does_not_take_is_left() {
        let all = searches(3, &[4, 192, 193, 0]);
        let cut = cut(&all, usize::MAX);
        assert_eq!((cut.left.smoothing.as_slice(), cut.left.theta.len()), (&[2, 6, 10][..], 0));
        assert_eq!(put_together(&cut, &all), all.run());
        let nothing_fits = super::cut(&all, 1000);
        assert_eq!((nothing_fits.pieces.len(), nothing_fits.left.smoothing.len()), (0, 12));
        assert!(Plan::new(&all).is_err());
    }
}
