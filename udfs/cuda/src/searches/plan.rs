//! The launches of a batch of searches: buffers, geometry, arguments.

use std::ops::Range;

use tithe_compute::forecast::{Found, Searches, SmoothingSearch, Theta, ThetaSearch};

use super::kernel::{Kernel, Parameter};
use super::words::{
    SEARCH, SMOOTHING_FOUND, THETA_FOUND, smoothing_found, smoothing_words, theta_found, theta_words,
};
use crate::CudaError;

/// The most bytes of dynamic shared memory that a block has without asking for more, on every GPU.
const SHARED_BYTES: usize = 48 << 10;
/// Bytes that a seasonal factor takes: a double in each of 32 lanes.
const FACTOR_BYTES: usize = 256;
/// The longest season whose factors have room in shared memory for one warp; longer ones stay on the processor.
pub const LONGEST_SEASON: usize = SHARED_BYTES / FACTOR_BYTES;
/// Warps in a block, where their factors have room.
const MOST_WARPS: usize = 4;
/// Buffers start at a multiple of so many words, a line of the GPU's memory.
const ALIGNED: usize = 32;

/// How much of a kernel is started: a warp of 32 lanes for every search, a block for every row of the income model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Blocks.
    pub blocks: u32,
    /// Warps in each block.
    pub warps: u32,
    /// Bytes of dynamic shared memory of each block.
    pub shared: u32,
}

impl Geometry {
    /// For a block of `warps` for each of `count` rows; `None` where they are too many.
    pub(crate) fn of_rows(count: usize, warps: u32) -> Option<Self> {
        let blocks = u32::try_from(i32::try_from(count).ok()?).ok()?;
        Some(Self { blocks, warps, shared: 0 })
    }

    /// For `count` searches of `season` factors, 0 without a season; `None` where they are too many, or too long.
    #[must_use]
    pub fn of(count: usize, season: usize) -> Option<Self> {
        let fitting = LONGEST_SEASON.checked_div(season).unwrap_or(MOST_WARPS);
        let warps = fitting.min(MOST_WARPS);
        let blocks = count.checked_div(warps)? + usize::from(!count.is_multiple_of(warps));
        // The first dimension of a grid has 31 bits.
        let blocks = u32::try_from(i32::try_from(blocks).ok()?).ok()?;
        let shared = u32::try_from(warps * season * FACTOR_BYTES).ok()?;
        Some(Self { blocks, warps: u32::try_from(warps).ok()?, shared })
    }
}

/// A part of the buffers of a batch, in words of eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Of the output, else of the input.
    pub output: bool,
    /// First word.
    pub start: usize,
    /// Words.
    pub length: usize,
}

impl Region {
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.start + self.length
    }

    /// Writes its words, as many as there are values.
    pub(crate) fn put(self, words: &mut [u64], values: impl Iterator<Item = u64>) {
        words[self.range()].iter_mut().zip(values).for_each(|(word, value)| *word = value);
    }
}

/// What a kernel is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// The address of a region, eight bytes.
    Address(Region),
    /// The address of the candidate offsets, which lie on the device all the time.
    Offsets,
    /// A number of four bytes.
    Number(u32),
}

/// One launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// What runs.
    pub kernel: Kernel,
    /// How much of it.
    pub geometry: Geometry,
    /// In the order of [`Kernel::parameters`], or of the kernel of [`crate::draws`].
    pub arguments: Vec<Argument>,
}

/// What runs on a device: one input, copied there; launches that do not depend on each other; one output, copied back.
#[derive(Debug)]
pub struct Work {
    input: usize,
    output: usize,
    launches: Vec<Launch>,
}

impl Work {
    pub(crate) fn new(input: Layout, output: Layout, launches: Vec<Launch>) -> Self {
        Self { input: input.words, output: output.words, launches }
    }

    /// Words of the input.
    #[must_use]
    pub fn input_words(&self) -> usize {
        self.input
    }

    /// Words of the output.
    #[must_use]
    pub fn output_words(&self) -> usize {
        self.output
    }

    /// Bytes that it takes on the device.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<u64>() * (self.input + self.output)
    }

    /// The launches, in any order.
    #[must_use]
    pub fn launches(&self) -> &[Launch] {
        &self.launches
    }
}

/// How a batch of searches runs on a device.
#[derive(Debug)]
pub struct Plan<'a> {
    searches: &'a Searches,
    values: Region,
    factors: Region,
    lines: Region,
    last_factors: Region,
    smoothing: Vec<Group>,
    theta: Option<Group>,
    work: Work,
}

/// Searches that are launched together.
#[derive(Debug)]
struct Group {
    /// Their places in the list of their kind.
    places: Vec<usize>,
    words: Region,
    found: Region,
}

/// Regions one after another.
#[derive(Default)]
pub(crate) struct Layout {
    output: bool,
    words: usize,
}

impl Layout {
    pub(crate) fn of_output() -> Self {
        Self { output: true, words: 0 }
    }

    pub(crate) fn place(&mut self, length: usize) -> Region {
        let start = self.words;
        self.words = (start + length).next_multiple_of(ALIGNED);
        Region { output: self.output, start, length }
    }
}

impl<'a> Plan<'a> {
    /// The plan of all `searches`.
    ///
    /// # Errors
    /// When a place lies outside of the arrays, factors overlap, or a season is longer than [`LONGEST_SEASON`].
    pub fn new(searches: &'a Searches) -> Result<Self, CudaError> {
        check(searches)?;
        let (mut input, mut output) = (Layout::default(), Layout::of_output());
        let values = input.place(searches.values.len());
        let factors = input.place(searches.factors.len());
        let lines = input.place(2 * searches.lines.len());
        let last_factors = output.place(searches.factors.len());
        let mut launches = Vec::new();
        let mut launch = |kernel: Kernel, places: Vec<usize>, season: usize, found: usize| {
            let count = places.len();
            let group =
                Group { places, words: input.place(SEARCH * count), found: output.place(found * count) };
            let geometry = Geometry::of(count, season).ok_or(CudaError::Unfit)?;
            let number = |number: usize| u32::try_from(number).map_err(|_too_large| CudaError::Unfit);
            let argument = |parameter: &Parameter| {
                Ok(match parameter {
                    Parameter::Searches => Argument::Address(group.words),
                    Parameter::Count => Argument::Number(number(count)?),
                    Parameter::MostSeason => Argument::Number(number(season)?),
                    Parameter::Values => Argument::Address(values),
                    Parameter::Factors => Argument::Address(factors),
                    Parameter::Lines => Argument::Address(lines),
                    Parameter::Offsets => Argument::Offsets,
                    Parameter::Found => Argument::Address(group.found),
                    Parameter::LastFactors => Argument::Address(last_factors),
                })
            };
            let arguments = kernel.parameters().iter().map(argument).collect::<Result<_, CudaError>>()?;
            launches.push(Launch { kernel, geometry, arguments });
            Ok::<_, CudaError>(group)
        };
        // Seasons apart: one long season among short ones would leave room for few warps at a time.
        let mut smoothing = Vec::new();
        for (kernel, season, places) in by_kernel_and_season(&searches.smoothing)? {
            smoothing.push(launch(kernel, places, season, SMOOTHING_FOUND)?);
        }
        let theta = match searches.theta.len() {
            0 => None,
            count => Some(launch(Kernel::Theta, (0..count).collect(), 0, THETA_FOUND)?),
        };
        let work = Work::new(input, output, launches);
        Ok(Self { searches, values, factors, lines, last_factors, smoothing, theta, work })
    }

    /// What runs.
    #[must_use]
    pub fn work(&self) -> &Work {
        &self.work
    }

    /// Writes the input, whose words have any value before.
    ///
    /// # Errors
    /// When `input` has another length than the plan asks for.
    pub fn write(&self, input: &mut [u64]) -> Result<(), CudaError> {
        if input.len() != self.work.input {
            return Err(CudaError::Corrupt);
        }
        self.values.put(input, self.searches.values.iter().map(|value| value.to_bits()));
        self.factors.put(input, self.searches.factors.iter().map(|factor| factor.to_bits()));
        let lines = self.searches.lines.iter().flat_map(|line| [line.0.to_bits(), line.1.to_bits()]);
        self.lines.put(input, lines);
        for group in &self.smoothing {
            let words =
                group.places.iter().flat_map(|place| smoothing_words(&self.searches.smoothing[*place]));
            group.words.put(input, words);
        }
        if let Some(group) = &self.theta {
            group.words.put(input, self.searches.theta.iter().flat_map(theta_words));
        }
        Ok(())
    }

    /// What the searches found.
    ///
    /// # Errors
    /// When `output` is not what the kernels write.
    pub fn read(&self, output: &[u64]) -> Result<Found, CudaError> {
        if output.len() != self.work.output {
            return Err(CudaError::Corrupt);
        }
        let mut found = Found {
            smoothing: vec![None; self.searches.smoothing.len()],
            factors: self.searches.factors.clone(),
            theta: Vec::with_capacity(self.searches.theta.len()),
            on_device: self.searches.smoothing.len() + self.searches.theta.len(),
        };
        let last_factors = &output[self.last_factors.range()];
        for group in &self.smoothing {
            let all = output[group.found.range()].chunks_exact(SMOOTHING_FOUND);
            for (place, words) in group.places.iter().zip(all) {
                found.smoothing[*place] = smoothing_found(words)?;
                if found.smoothing[*place].is_some() {
                    let range = self.searches.smoothing[*place].factors.clone();
                    let last = last_factors[range.clone()].iter().map(|bits| f64::from_bits(*bits));
                    found.factors[range].iter_mut().zip(last).for_each(|(factor, last)| *factor = last);
                }
            }
        }
        if let Some(group) = &self.theta {
            let all = output[group.found.range()].chunks_exact(THETA_FOUND);
            found.theta = all.map(theta_found).collect::<Result<Vec<Theta<f64>>, _>>()?;
        }
        Ok(found)
    }
}

/// That every search reads within the numbers, has a season where its form has one, and writes factors of its own.
///
/// # Errors
/// When one does not.
pub(super) fn check(searches: &Searches) -> Result<(), CudaError> {
    let mut factors_end = 0;
    let mut smoothing = |search: &SmoothingSearch| {
        let apart = search.factors.is_empty() || search.factors.start >= factors_end;
        factors_end = factors_end.max(search.factors.end);
        apart
            && searches.values.get(search.values.clone()).is_some()
            && searches.factors.get(search.factors.clone()).is_some()
            && search.shape.form.has_season() != search.factors.is_empty()
    };
    let theta = |search: &ThetaSearch| {
        searches.values.get(search.values.clone()).is_some_and(|values| !values.is_empty())
            && searches
                .lines
                .get(search.lines.clone())
                .is_some_and(|lines| lines.len() + 1 == search.values.len())
    };
    if searches.smoothing.iter().all(&mut smoothing) && searches.theta.iter().all(theta) {
        Ok(())
    } else {
        Err(CudaError::Unfit)
    }
}

/// Whether the kernels take a smoothing search.
#[must_use]
pub(super) fn fits(search: &SmoothingSearch) -> bool {
    search.factors.len() <= LONGEST_SEASON && u32::try_from(search.values.len()).is_ok()
}

/// Sorted by kernel and season, and in their order within.
///
/// # Errors
/// When one is not for this device.
fn by_kernel_and_season(searches: &[SmoothingSearch]) -> Result<Vec<(Kernel, usize, Vec<usize>)>, CudaError> {
    if !searches.iter().all(fits) {
        return Err(CudaError::Unfit);
    }
    let key = |place: usize| (Kernel::of(&searches[place]), searches[place].factors.len());
    let mut places: Vec<usize> = (0..searches.len()).collect();
    places.sort_by_key(|place| key(*place));
    let same = places.chunk_by(|one, other| key(*one) == key(*other));
    Ok(same.map(|group| (key(group[0]).0, key(group[0]).1, group.to_vec())).collect())
}

#[cfg(test)]
mod tests {
    use tithe_compute::forecast::{Coordinate, Form, Shape, Trend};

    use super::*;

    fn two_searches() -> Searches {
        let coordinate = Coordinate { start: 0.3, low: 0.1, high: 0.9 };
        let search = |factors: Range<usize>| SmoothingSearch {
            shape: Shape { form: Form::AdditiveSeason, trend: Trend::None },
            values: 0..6,
            factors,
            level: 1.0,
            slope: 0.0,
            coordinates: [coordinate; 4],
        };
        let theta = ThetaSearch { values: 0..6, lines: 0..5, coordinates: [coordinate; 3] };
        Searches {
            values: vec![1.0; 6],
            factors: vec![0.0; 8],
            lines: vec![(0.0, 0.0); 5],
            smoothing: vec![search(0..4), search(4..8)],
            theta: vec![theta],
        }
    }

    #[test]
    fn searches_that_reach_outside_of_their_numbers_have_no_plan() {
        assert!(Plan::new(&two_searches()).is_ok());
        let check = |change: fn(&mut Searches)| {
            let mut searches = two_searches();
            change(&mut searches);
            assert_eq!(Plan::new(&searches).err(), Some(CudaError::Unfit));
        };
        check(|searches| searches.smoothing[1].values.end = 7);
        check(|searches| searches.smoothing[1].factors.end = 9);
        check(|searches| searches.smoothing[1].factors = 3..7);
        check(|searches| searches.smoothing[1].factors = 4..4);
        check(|searches| searches.smoothing[1].shape.form = Form::Plain);
        check(|searches| searches.theta[0].values = 1..6);
        check(|searches| searches.theta[0].values = 6..6);
        check(|searches| searches.theta[0].lines.end = 6);
    }

    #[test]
    fn only_the_whole_input_and_output_are_taken() {
        let searches = two_searches();
        let plan = Plan::new(&searches).expect("the searches are well formed");
        assert_eq!(plan.write(&mut vec![0; plan.work().input_words() - 1]), Err(CudaError::Corrupt));
        assert_eq!(plan.read(&vec![0; plan.work().output_words() + 1]), Err(CudaError::Corrupt));
        assert_eq!(plan.read(&vec![2; plan.work().output_words()]), Err(CudaError::Corrupt));
        assert_eq!(plan.work().bytes(), 8 * (plan.work().input_words() + plan.work().output_words()));
    }

    #[test]
    fn blocks_have_room_for_the_factors_of_their_warps() {
        let check = |count, season, expected: Option<(u32, u32, u32)>| {
            let of = Geometry::of(count, season).map(|one| (one.blocks, one.warps, one.shared));
            assert_eq!(of, expected, "{count} searches of {season} factors");
        };
        check(1, 0, Some((1, 4, 0)));
        check(9, 12, Some((3, 4, 4 * 12 * 256)));
        check(9, 48, Some((3, 4, 48 << 10)));
        check(9, 52, Some((3, 3, 3 * 52 * 256)));
        check(9, 97, Some((9, 1, 97 * 256)));
        check(9, 192, Some((9, 1, 48 << 10)));
        check(9, 193, None);
        check(4 << 31, 0, None);
    }
}
