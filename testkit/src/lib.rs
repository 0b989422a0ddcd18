//! What several crates' tests share: a sample lake, sessions on it, the TPC-H benchmark, workers for it, plans and answers as text for
//! snapshots, and the Python environment and browser of the tests with real clients. A dev-dependency alone.

#![expect(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod answer;
mod browser;
mod kept_lake;
mod plan;
mod python;
mod sample_lake;
mod tpch_lake;
mod tpch_queries;
mod workers;

pub use answer::{answer, hash};
pub use browser::{Browser, browser_or_skip};
pub use plan::{optimized_plan, redacted};
pub use python::python_or_skip;
pub use sample_lake::{open, sample_lake, sample_session};
pub use tpch_lake::{TPCH_SCALE, tpch_lake};
pub use tpch_queries::{TpchQuery, tpch_queries};
pub use workers::{TestWorker, cluster_of, coordinator, options_for, workers};
