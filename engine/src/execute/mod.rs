//! Runs a permitted plan.

mod broken_file;
mod local;
mod memory;
mod metrics;
mod report;
mod result_stream;

pub use local::{Query, StatementKind};
pub(crate) use local::{QueryParts, Work};
pub(crate) use memory::{default_memory_limit, memory_pool};
pub(crate) use metrics::QueryMetrics;
pub use report::QueryReport;
