//! What Tithe knows of the GPUs of this machine.
//!
//! The driver is opened when it is asked for, never linked: the same binary runs with and without one. This
//! crate has no kernels yet, and pretends none; functions run on the CPU.

mod device;
mod error;
mod probe;

pub use device::Device;
pub use error::CudaError;
pub use probe::{Availability, probe};
