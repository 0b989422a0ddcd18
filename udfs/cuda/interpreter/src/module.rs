use std::collections::BTreeMap;

use crate::PtxError;
use crate::instruction::{Instruction, Line};
use crate::memory::Memory;
use crate::operands::Operands;
use crate::parse;
use crate::warp::{LANES, Warp};

/// The kernels of a PTX file.
#[derive(Debug, Clone)]
pub struct Module {
    kernels: BTreeMap<String, Kernel>,
}

/// How much of a kernel is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Blocks.
    pub blocks: u32,
    /// Warps of 32 lanes in each block.
    pub warps: u32,
    /// Bytes of dynamic shared memory of each block.
    pub shared: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    pub(crate) parameters: Vec<String>,
    pub(crate) operands: Operands,
    pub(crate) lines: Vec<Line>,
}

impl Module {
    /// Reads PTX as NVRTC writes it: one statement a line.
    ///
    /// # Errors
    /// At the first line that is not of the known subset.
    pub fn parse(ptx: &str) -> Result<Self, PtxError> {
        let mut kernels = BTreeMap::new();
        let mut shared = None;
        let mut lines = ptx.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let line = code(line);
            if let Some(name) = line.strip_prefix(".visible .entry ").and_then(|rest| rest.strip_suffix('('))
            {
                kernels.insert(name.to_owned(), Kernel::parse(&mut lines, shared.clone())?);
            } else if let Some(declared) = line.strip_prefix(".extern .shared .align 16 .b8 ") {
                shared = declared.strip_suffix("[];").map(str::to_owned);
            } else if ![".version", ".target", ".address_size", ".global"]
                .iter()
                .any(|directive| line.starts_with(directive))
                && !line.is_empty()
            {
                return Err(PtxError::Unknown { line: number + 1, text: line.to_owned() });
            }
        }
        Ok(Self { kernels })
    }

    /// The names of the kernels, sorted.
    pub fn kernels(&self) -> impl Iterator<Item = &str> {
        self.kernels.keys().map(String::as_str)
    }

    /// Runs a kernel, warp after warp. Arguments are addresses or numbers.
    ///
    /// # Errors
    /// When there is no such kernel, or it does what is an error on a GPU too: reaches outside of memory, or waits
    /// forever.
    pub fn launch(
        &self,
        kernel: &str,
        grid: Grid,
        arguments: &[u64],
        memory: &mut Memory,
    ) -> Result<(), PtxError> {
        let kernel = self.kernels.get(kernel).ok_or_else(|| PtxError::Kernel(kernel.to_owned()))?;
        if kernel.parameters.len() != arguments.len() {
            let (expected, given) = (kernel.parameters.len(), arguments.len());
            return Err(PtxError::Arguments { expected, given });
        }
        for block in 0..grid.blocks {
            let mut shared = vec![0xA5; grid.shared];
            for warp in 0..grid.warps {
                let special = |lane: u32| [warp * LANES + lane, grid.warps * LANES, block];
                Warp::new(kernel, special).run(kernel, arguments, memory, &mut shared)?;
            }
        }
        Ok(())
    }
}

impl Kernel {
    /// From the line after `.entry` to the closing brace.
    fn parse<'a>(
        lines: &mut impl Iterator<Item = (usize, &'a str)>,
        shared: Option<String>,
    ) -> Result<Self, PtxError> {
        let mut kernel = Self { parameters: Vec::new(), operands: Operands::new(shared), lines: Vec::new() };
        let mut labels: Vec<(String, Option<usize>)> = Vec::new();
        let mut place_of = |label: &str, at: Option<usize>| {
            let found = labels.iter().position(|(name, _)| name == label);
            let place = found.unwrap_or_else(|| {
                labels.push((label.to_owned(), None));
                labels.len() - 1
            });
            labels[place].1 = at.or(labels[place].1);
            place
        };
        for (number, line) in lines {
            let text = code(line);
            if text == "}" {
                break;
            }
            if let Some(parameter) = text.strip_prefix(".param ") {
                let name = parameter.trim_end_matches(',').split_whitespace().last();
                kernel.parameters.extend(name.map(str::to_owned));
            } else if let Some(label) = text.strip_suffix(':') {
                place_of(label, Some(kernel.lines.len()));
            } else if !(text.is_empty() || text == ")" || text == "{" || text.starts_with(".reg ")) {
                let Kernel { parameters, operands, lines } = &mut kernel;
                let mut to = |label: &str| place_of(label, None);
                let parsed = text.strip_suffix(';').and_then(|statement| {
                    parse::statement(statement, number + 1, operands, parameters, &mut to)
                });
                lines.push(
                    parsed.ok_or_else(|| PtxError::Unknown { line: number + 1, text: text.to_owned() })?,
                );
            }
        }
        for line in &mut kernel.lines {
            if let Instruction::Branch { to } = &mut line.instruction {
                let (label, place) = &labels[*to];
                *to = place.ok_or_else(|| PtxError::Label { line: line.line, label: label.clone() })?;
            }
        }
        Ok(kernel)
    }
}

/// Without comment and blanks.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line).trim()
}
