//! Forecasts' searches and the income model's draws on the GPU of this machine, where it has one.
//!
//! The driver is opened when it is asked for, never linked: the same binary runs with and without one. What goes to a
//! GPU, how it is launched and what comes back is worked out in [`searches`] and [`draws`] without one; `gpu.rs` alone hands it to the
//! driver. The tests hand the same to an interpreter of the same compiled kernels and compare what they find with what
//! the processor finds, bit for bit. No GPU has run them yet.

mod device;
pub mod draws;
mod error;
mod gpu;
mod probe;
pub mod searches;

pub use device::Device;
pub use error::CudaError;
pub use gpu::{Gpu, KernelResources, gpu};
pub use probe::{Availability, probe};
