//! The kernel as a device: the layout that `income.cu` documents.

use std::error::Error;
use std::ops::Range;

use tithe_compute::income::{DRAW_COLUMNS, DrawDevice, Rows, month_table};
use tithe_ptx_interpreter::{Grid, Memory, Module, PtxError};

pub(crate) const PTX: &str = include_str!("../../kernels/income.ptx");

pub(crate) struct Interpreted {
    module: Module,
    /// In each block.
    warps: u32,
}

impl DrawDevice for Interpreted {
    fn draw(&self, rows: &Rows, draws: Range<u32>) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
        Ok(self.run(rows, draws)?)
    }
}

impl Interpreted {
    pub(crate) fn new(ptx: &str, warps: u32) -> Self {
        Self { module: Module::parse(ptx).expect("the PTX is understood"), warps }
    }

    pub(crate) fn run(&self, rows: &Rows, draws: Range<u32>) -> Result<Vec<f64>, PtxError> {
        let mut memory = Memory::default();
        let all = rows.part(0..rows.count()).expect("all of them");
        let words = all.words().flatten().flat_map(u64::to_le_bytes);
        let words = memory.push(words.collect());
        let thresholds = memory.push(halves(all.thresholds));
        let numbers = all.ln_probabilities.iter().flat_map(|number| number.to_le_bytes());
        let ln_probabilities = memory.push(numbers.collect());
        let months = memory.push(halves(&month_table()));
        let found = memory.push(vec![0xA5; 8 * DRAW_COLUMNS * draws.len() * rows.count()]);
        let blocks = u32::try_from(rows.count()).expect("few rows");
        let grid = Grid { blocks, warps: self.warps, shared: 0 };
        let (first, count) = (u64::from(draws.start), draws.len() as u64);
        let arguments = [words, first, count, thresholds, ln_probabilities, months, found];
        self.module.launch("income_draws", grid, &arguments, &mut memory)?;
        Ok(memory.buffer(found).as_chunks().0.iter().map(|word| f64::from_le_bytes(*word)).collect())
    }
}

fn halves(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
