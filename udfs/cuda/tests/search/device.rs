//! The kernels as a device: the layout that `search.cu` documents.

use std::error::Error;

use tithe_compute::forecast::{
    Coordinate, Form, Found, SearchDevice, Searches, Smoothing, SmoothingFound, SmoothingSearch, Theta,
    ThetaSearch, Trend, candidate_offsets,
};
use tithe_ptx_interpreter::{Grid, Memory, Module, PtxError};

pub(crate) const PTX: &str = include_str!("../../kernels/search.ptx");

/// Words of a search, of what a smoothing search finds and of what a theta search finds.
const SEARCH: usize = 19;
const SMOOTHING_FOUND: usize = 9;
const THETA_FOUND: usize = 4;
/// Bytes that a seasonal factor takes in all lanes of a warp.
const FACTOR_BYTES: usize = 256;

/// The kernels with the smoothing searches that each runs.
const KERNELS: [(&str, Form, bool); 8] = [
    ("plain", Form::Plain, false),
    ("plain_trend", Form::Plain, true),
    ("plain_relative", Form::PlainRelative, false),
    ("plain_relative_trend", Form::PlainRelative, true),
    ("additive_season", Form::AdditiveSeason, false),
    ("additive_season_trend", Form::AdditiveSeason, true),
    ("multiplicative_season", Form::MultiplicativeSeason, false),
    ("multiplicative_season_trend", Form::MultiplicativeSeason, true),
];

pub(crate) struct Interpreted {
    module: Module,
    /// In each block.
    warps: u32,
}

impl SearchDevice for Interpreted {
    fn search(&self, searches: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>> {
        Ok(self.run(searches)?)
    }

    fn most_bytes(&self) -> usize {
        usize::MAX
    }
}

impl Interpreted {
    pub(crate) fn new(ptx: &str, warps: u32) -> Self {
        Self { module: Module::parse(ptx).expect("the PTX is understood"), warps }
    }

    pub(crate) fn run(&self, searches: &Searches) -> Result<Found, PtxError> {
        let mut memory = Memory::default();
        let values = memory.push(bytes(&searches.values));
        let factors = memory.push(bytes(&searches.factors));
        let lines: Vec<f64> = searches.lines.iter().flat_map(|line| [line.0, line.1]).collect();
        let lines = memory.push(bytes(&lines));
        let offsets = memory.push(bytes(&candidate_offsets()));
        let last_factors = memory.push(bytes(&searches.factors));
        let mut smoothing = vec![None; searches.smoothing.len()];
        for (kernel, form, trend) in KERNELS {
            let places: Vec<usize> =
                (0..smoothing.len()).filter(|place| runs(&searches.smoothing[*place], form, trend)).collect();
            let most_season = places.iter().map(|place| searches.smoothing[*place].factors.len()).max();
            let most_season = most_season.unwrap_or(0);
            let words = places.iter().flat_map(|place| smoothing_words(&searches.smoothing[*place]));
            let input = memory.push(words.flat_map(u64::to_le_bytes).collect());
            let found = memory.push(vec![0xA5; 8 * SMOOTHING_FOUND * places.len()]);
            let grid = self.grid(places.len(), most_season);
            let (count, most_season) = (places.len() as u64, most_season as u64);
            let arguments = [input, count, most_season, values, factors, offsets, found, last_factors];
            self.module.launch(kernel, grid, &arguments, &mut memory)?;
            let found = words_of(memory.buffer(found));
            for (place, found) in places.into_iter().zip(found.chunks(SMOOTHING_FOUND)) {
                smoothing[place] = smoothing_found(found);
            }
        }
        let words = searches.theta.iter().flat_map(theta_words).flat_map(u64::to_le_bytes);
        let input = memory.push(words.collect());
        let count = searches.theta.len();
        let found = memory.push(vec![0xA5; 8 * THETA_FOUND * count]);
        let arguments = [input, count as u64, values, lines, offsets, found];
        self.module.launch("theta", self.grid(count, 0), &arguments, &mut memory)?;
        let theta = words_of(memory.buffer(found)).chunks(THETA_FOUND).map(theta_found).collect();
        let factors = words_of(memory.buffer(last_factors)).into_iter().map(f64::from_bits).collect();
        Ok(Found { smoothing, factors, theta })
    }

    fn grid(&self, searches: usize, most_season: usize) -> Grid {
        let blocks = u32::try_from(searches).expect("few searches").div_ceil(self.warps);
        Grid { blocks, warps: self.warps, shared: self.warps as usize * most_season * FACTOR_BYTES }
    }
}

fn smoothing_words(search: &SmoothingSearch) -> [u64; SEARCH] {
    let places = [search.values.start, search.factors.start, search.values.len(), search.factors.len()];
    let damped = u64::from(search.shape.trend == Trend::Damped);
    search_words(places, damped, [search.level, search.slope], &search.coordinates)
}

fn runs(search: &SmoothingSearch, form: Form, trend: bool) -> bool {
    search.shape.form == form && search.shape.has_trend() == trend
}

/// The searches that one kernel runs.
pub(crate) fn of_kernel(searches: &Searches, kernel: &str) -> Searches {
    let mut searches = searches.clone();
    match KERNELS.iter().find(|(name, _, _)| *name == kernel) {
        Some((_, form, trend)) => {
            searches.theta.clear();
            searches.smoothing.retain(|search| runs(search, *form, *trend));
        }
        None => searches.smoothing.clear(),
    }
    assert!(!searches.smoothing.is_empty() || (kernel == "theta" && !searches.theta.is_empty()));
    searches
}

/// What the kernel has no use for is no zero, to show that it does not read it.
fn theta_words(search: &ThetaSearch) -> [u64; SEARCH] {
    let places = [search.values.start, search.lines.start, search.values.len(), usize::MAX];
    search_words(places, u64::MAX, [f64::NAN; 2], &search.coordinates)
}

fn search_words(
    places: [usize; 4],
    damped: u64,
    state: [f64; 2],
    coordinates: &[Coordinate],
) -> [u64; SEARCH] {
    let mut words = [u64::MAX; SEARCH];
    let numbers =
        coordinates.iter().flat_map(|coordinate| [coordinate.start, coordinate.low, coordinate.high]);
    let all = places.map(|place| place as u64).into_iter().chain([damped]).chain(state.map(f64::to_bits));
    for (word, value) in words.iter_mut().zip(all.chain(numbers.map(f64::to_bits))) {
        *word = value;
    }
    words
}

fn smoothing_found(words: &[u64]) -> Option<SmoothingFound> {
    let number = |word: usize| f64::from_bits(words[word]);
    assert!(words[0] <= 1, "the first word says whether anything was found");
    (words[0] == 1).then(|| SmoothingFound {
        minus_two_log_likelihood: number(1),
        squared: number(2),
        level: number(3),
        slope: number(4),
        smoothing: Smoothing { level: number(5), slope: number(6), season: number(7), damping: number(8) },
    })
}

fn theta_found(words: &[u64]) -> Theta<f64> {
    let number = |word: usize| f64::from_bits(words[word]);
    Theta { alpha: number(0), line_weight: number(1), level: number(2), decay: number(3) }
}

fn bytes(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn words_of(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect()
}
