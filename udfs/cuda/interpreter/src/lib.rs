//! Runs PTX without a GPU, to test the kernels that are kept compiled; knows exactly the instructions that they use.
//!
//! Arithmetic on doubles rounds to nearest, as IEEE 754 has it. An operation that gives NaN gives the one of a GPU,
//! `0x7FFFFFFFFFFFFFFF`. Registers and shared memory start out as arbitrary bits.

mod error;
mod instruction;
mod memory;
mod module;
mod operands;
mod parse;
mod warp;

pub use error::PtxError;
pub use memory::Memory;
pub use module::{Grid, Module};
