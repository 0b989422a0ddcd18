//! Runs a permitted plan.

mod broken_file;
mod local;
mod memory;
mod metrics;
mod report;
mod result_stream;

pub(crate) use local::{ChangeRows, QueryParts, Work};
pub use local::{Query, StatementKind};
pub(crate) use memory::{default_memory_limit, memory_pool};
pub(crate) use metrics::QueryMetrics;
pub use report::QueryReport;
