//! Runs a permitted plan.

mod attempts;
mod broken_file;
mod codec;
mod distributed;
mod encodable;
mod explain;
mod file_scan;
mod filtered_window;
mod guarded;
mod limited;
mod local;
mod lost_connection;
mod memory;
mod metrics;
mod order_dependent;
mod plain_size;
mod query_span;
mod read_again;
mod report;
mod result_stream;
mod scanned;
mod spill;
mod wire;

pub(crate) use codec::TitheCodec;
pub(crate) use file_scan::{file_scan, reads_nothing};
pub(crate) use guarded::guard;
pub(crate) use local::{ChangeRows, QueryParts, Work};
pub use local::{Query, StatementKind};
pub(crate) use memory::{default_memory_limit, memory_pool, merge_reserve};
pub(crate) use metrics::QueryMetrics;
pub use plain_size::plain_size;
pub(crate) use query_span::{follow_spawned_work, query_span};
pub(crate) use read_again::read_again;
pub use report::QueryReport;
pub(crate) use scanned::with_scan_limit;
pub(crate) use spill::SpillFolder;
