//! The draws of the income model on a device: the launches of `kernels/income.cu`.

use std::error::Error;
use std::ops::Range;

use tithe_compute::income::{DRAW_COLUMNS, DrawDevice, ROW_WORDS, Rows, RowsPart, month_table};

use crate::CudaError;
use crate::searches::{Argument, DeviceSearches, Geometry, Kernel, Launch, Layout, Machine, Region, Work};

/// The kernel as it is kept compiled: `kernels/income.cu` by `kernels/build.py`.
pub const PTX: &str = include_str!("../kernels/income.ptx");

/// Warps of the block of a row.
const WARPS: u32 = 4;

/// Some draws of some rows as one launch.
#[derive(Debug)]
pub struct DrawPlan<'a> {
    rows: RowsPart<'a>,
    words: Region,
    thresholds: Region,
    ln_probabilities: Region,
    months: Region,
    found: Region,
    work: Work,
}

impl<'a> DrawPlan<'a> {
    /// The plan of these draws of the rows at `taken`.
    ///
    /// # Errors
    /// When there are no such rows, or more of something than a launch takes.
    pub fn new(rows: &'a Rows, taken: Range<usize>, draws: Range<u32>) -> Result<Self, CudaError> {
        let count = taken.len();
        let rows = rows.part(taken).ok_or(CudaError::Unfit)?;
        let (mut input, mut output) = (Layout::default(), Layout::of_output());
        let words = input.place(ROW_WORDS * count);
        let thresholds = input.place(rows.thresholds.len().div_ceil(2));
        let ln_probabilities = input.place(rows.ln_probabilities.len());
        let months = input.place(month_table().len().div_ceil(2));
        let found = output.place(DRAW_COLUMNS * draws.len() * count);
        let geometry = Geometry::of_rows(count, WARPS).ok_or(CudaError::Unfit)?;
        let arguments = vec![
            Argument::Address(words),
            Argument::Number(draws.start),
            Argument::Number(draws.end - draws.start),
            Argument::Address(thresholds),
            Argument::Address(ln_probabilities),
            Argument::Address(months),
            Argument::Address(found),
        ];
        let launches = vec![Launch { kernel: Kernel::Draws, geometry, arguments }];
        let work = Work::new(input, output, launches);
        Ok(Self { rows, words, thresholds, ln_probabilities, months, found, work })
    }

    /// What runs.
    #[must_use]
    pub fn work(&self) -> &Work {
        &self.work
    }

    /// Writes the input, whose words have any value before.
    ///
    /// # Errors
    /// When `input` is not as long as the plan says.
    pub fn write(&self, input: &mut [u64]) -> Result<(), CudaError> {
        if input.len() != self.work.input_words() {
            return Err(CudaError::Corrupt);
        }
        self.words.put(input, self.rows.words().flatten());
        self.thresholds.put(input, pairs(self.rows.thresholds));
        self.ln_probabilities.put(input, self.rows.ln_probabilities.iter().map(|number| number.to_bits()));
        self.months.put(input, pairs(&month_table()));
        Ok(())
    }

    /// What the kernel wrote, row after row, column after column.
    ///
    /// # Errors
    /// When `output` is not as long as the plan says.
    pub fn read<'b>(&self, output: &'b [u64]) -> Result<impl Iterator<Item = f64> + 'b, CudaError> {
        if output.len() != self.work.output_words() {
            return Err(CudaError::Corrupt);
        }
        Ok(output[self.found.range()].iter().map(|word| f64::from_bits(*word)))
    }
}

/// Two numbers a word, the first in its low half, as they lie in memory.
fn pairs(numbers: &[u32]) -> impl Iterator<Item = u64> {
    numbers.chunks(2).map(|pair| {
        let second = pair.get(1).copied().unwrap_or(0);
        u64::from(pair[0]) | u64::from(second) << 32
    })
}

/// As many of the rows from `first` on as have room in `most` bytes with all of `draws` draws; where not even one has, one
/// and as many draws as have. Halves until they fit.
///
/// # Errors
/// When there is no room for a single draw beside the row's tables.
fn piece(rows: &Rows, first: usize, draws: u32, most: usize) -> Result<(Range<usize>, u32), CudaError> {
    let bytes = |count: usize, draws: u32| {
        DrawPlan::new(rows, first..first + count, 0..draws).map(|plan| plan.work.bytes())
    };
    let (mut count, mut draws) = (rows.count() - first, draws);
    loop {
        match bytes(count, draws) {
            Ok(bytes) if bytes <= most => return Ok((first..first + count, draws)),
            _ if count > 1 => count = count.div_ceil(2),
            _ if draws > 1 => draws = draws.div_ceil(2),
            Ok(wanted) => return Err(CudaError::Budget { wanted, budget: most }),
            Err(error) => return Err(error),
        }
    }
}

impl<M: Machine> DrawDevice for DeviceSearches<M> {
    fn draw(&self, rows: &Rows, draws: Range<u32>) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
        let of_row = DRAW_COLUMNS * draws.len();
        let mut all = vec![0.0; of_row * rows.count()];
        let mut first_row = 0;
        while first_row < rows.count() && !draws.is_empty() {
            let (taken, most_draws) =
                piece(rows, first_row, draws.end - draws.start, self.most_of_a_batch())?;
            first_row = taken.end;
            let mut first = draws.start;
            while first < draws.end {
                let end = draws.end.min(first.saturating_add(most_draws));
                let plan = DrawPlan::new(rows, taken.clone(), first..end)?;
                let (place, count) = ((first - draws.start) as usize, (end - first) as usize);
                self.run_work(plan.work(), &mut |input| Ok(plan.write(input)?), &mut |output| {
                    let mut found = plan.read(output)?;
                    let columns = all[of_row * taken.start..of_row * taken.end].chunks_exact_mut(draws.len());
                    for column in columns {
                        for to in &mut column[place..place + count] {
                            *to = found.next().ok_or(CudaError::Corrupt)?;
                        }
                    }
                    Ok(())
                })?;
                first = end;
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use tithe_compute::income::{Priors, simulate};

    use super::*;

    fn rows(count: u32) -> Rows {
        let priors = Priors::default();
        let evidence: Vec<_> = (0..count).map(|index| simulate(&priors, 3, index).evidence).collect();
        Rows::new(&evidence, &priors, 1)
    }

    #[test]
    fn pieces_have_room() {
        let rows = rows(9);
        for (most, whole) in [(30_000, false), (100_000, false), (1 << 20, true), (usize::MAX, true)] {
            let (taken, draws) = piece(&rows, 0, 500, most).expect("there is room for one");
            let plan = DrawPlan::new(&rows, taken.clone(), 0..draws).expect("it is well formed");
            assert!(plan.work().bytes() <= most);
            assert_eq!((taken.len() == 9, draws == 500), (whole, most > 30_000));
        }
        assert!(matches!(piece(&rows, 8, 500, 1000), Err(CudaError::Budget { budget: 1000, .. })));
    }

    #[test]
    fn only_the_whole_input_and_output_are_taken() {
        let rows = rows(2);
        let plan = DrawPlan::new(&rows, 0..2, 0..64).expect("it is well formed");
        assert_eq!(plan.write(&mut vec![0; plan.work().input_words() - 1]), Err(CudaError::Corrupt));
        assert!(plan.read(&vec![0; plan.work().output_words() + 1]).is_err());
        assert!(DrawPlan::new(&rows, 1..3, 0..64).is_err());
    }

    #[test]
    fn the_compiled_kernel_takes_the_arguments_of_the_plan() {
        let (_, rest) = PTX.split_once(".visible .entry income_draws(\n").expect("the PTX has the kernel");
        let (parameters, _) = rest.split_once(')').expect("the list ends");
        let compiled: Vec<&str> = parameters
            .lines()
            .filter_map(|line| line.trim().strip_prefix(".param ")?.split(' ').next())
            .collect();
        let rows = rows(1);
        let plan = DrawPlan::new(&rows, 0..1, 0..64).expect("it is well formed");
        let width = |argument: &Argument| match argument {
            Argument::Number(_) => ".u32",
            Argument::Address(_) | Argument::Offsets => ".u64",
        };
        let given: Vec<&str> = plan.work().launches()[0].arguments.iter().map(width).collect();
        assert_eq!(given, compiled);
    }
}
