//! Tithe's SQL functions: NULLs, types and documentation around the mathematics of `tithe-compute`.
//!
//! One file per function under `scalar/`, `aggregate/` and `table/`; [`registry`] is the one list of them.

mod aggregate;
pub mod backend;
mod calls;
mod device;
pub mod documentation;
mod pseudonym_key;
pub mod registry;
mod scalar;
mod session_backend;
mod table;

pub use aggregate::{distinct_estimate, distinct_sketch, hidden_aggregates};
pub use backend::{Backend, BackendError, check_backend, requested_backend};
pub use calls::complete_calls;
pub use device::{ComputeDevice, Computed, bring_device, computed};
pub use documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
pub use pseudonym_key::{PseudonymKey, PseudonymKeyError};
pub use registry::{
    FunctionEntry, FunctionHome, Implementation, functions, register_all, register_pseudonym,
};
pub use session_backend::is_worth_a_device;
