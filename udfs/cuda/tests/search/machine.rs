//! The interpreter as the machine that runs launch plans.

use tithe_compute::forecast::candidate_offsets;
use tithe_cuda::draws;
use tithe_cuda::searches::{Argument, Kernel, Machine, MachineResult, Region, Work};
use tithe_ptx_interpreter::{Grid, Memory, Module};

/// What memory holds that nobody has written.
const UNSET: u64 = 0xA5A5_A5A5_A5A5_A5A5;

/// Every region of a plan in memory of its own, so that no kernel reaches from one into another unnoticed.
pub(crate) struct Interpreter {
    searches: Module,
    draws: Module,
}

impl Interpreter {
    /// With these kernels for searches.
    pub(crate) fn new(ptx: &str) -> Self {
        let parse = |ptx: &str| Module::parse(ptx).expect("the PTX is understood");
        Self { searches: parse(ptx), draws: parse(draws::PTX) }
    }
}

impl Machine for Interpreter {
    fn run(
        &self,
        work: &Work,
        write: &mut dyn FnMut(&mut [u64]) -> MachineResult<()>,
        read: &mut dyn FnMut(&[u64]) -> MachineResult<()>,
    ) -> MachineResult<()> {
        let (mut input, mut output) = (vec![UNSET; work.input_words()], vec![UNSET; work.output_words()]);
        write(&mut input)?;
        let mut memory = Memory::default();
        let offsets: Vec<u64> = candidate_offsets().into_iter().map(f64::to_bits).collect();
        let offsets = memory.push(bytes(offsets.iter()));
        let mut places: Vec<(Region, u64)> = Vec::new();
        for launch in work.launches() {
            let mut arguments = Vec::new();
            for argument in &launch.arguments {
                arguments.push(match argument {
                    Argument::Offsets => offsets,
                    Argument::Number(number) => u64::from(*number),
                    Argument::Address(region) => {
                        let known = places.iter().find(|(known, _)| known == region);
                        known.map(|(_, address)| *address).unwrap_or_else(|| {
                            let side = if region.output { &output } else { &input };
                            let words = &side[region.start..region.start + region.length];
                            let address = memory.push(bytes(words.iter()));
                            places.push((*region, address));
                            address
                        })
                    }
                });
            }
            let geometry = launch.geometry;
            let shared = usize::try_from(geometry.shared).expect("a few kibibytes");
            let grid = Grid { blocks: geometry.blocks, warps: geometry.warps, shared };
            let module = if launch.kernel == Kernel::Draws { &self.draws } else { &self.searches };
            module.launch(launch.kernel.name(), grid, &arguments, &mut memory)?;
        }
        for (region, address) in places {
            let words = memory.buffer(address).as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
            let side = if region.output { &mut output } else { &mut input };
            let before = &mut side[region.start..region.start + region.length];
            let after: Vec<u64> = words.collect();
            assert!(region.output || after == *before, "a kernel wrote to its input");
            before.copy_from_slice(&after);
        }
        read(&output)
    }
}

fn bytes<'a>(words: impl Iterator<Item = &'a u64>) -> Vec<u8> {
    words.flat_map(|word| word.to_le_bytes()).collect()
}
