//! What Tithe knows of the GPUs of this machine.
//!
//! The driver is opened when it is asked for, never linked: the same binary runs with and without one. Functions
//! run on the CPU: the kernels in `kernels/` are compiled and kept, but not launched yet. The tests run them in an
//! interpreter and compare what they find with what the CPU finds, bit for bit.

mod device;
mod error;
mod probe;

pub use device::Device;
pub use error::CudaError;
pub use probe::{Availability, probe};
