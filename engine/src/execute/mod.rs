//! Runs a permitted plan.

mod local;

pub use local::{Query, StatementKind};
