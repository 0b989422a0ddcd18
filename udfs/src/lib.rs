//! Tithe's SQL functions: NULLs, types and documentation around the mathematics of `tithe-compute`.
//!
//! One file per function under `scalar/`, `aggregate/` and `table/`; [`registry`] is the one list of them.

mod aggregate;
pub mod backend;
mod calls;
pub mod documentation;
mod pseudonym_key;
pub mod registry;
mod scalar;
mod table;

pub use backend::{Backend, BackendError, requested_backend, resolve_backend};
pub use calls::complete_calls;
pub use documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
pub use pseudonym_key::{PseudonymKey, PseudonymKeyError};
pub use registry::{
    FunctionEntry, FunctionHome, Implementation, functions, register_all, register_pseudonym,
};
