//! Tithe's engine: from raw files to query results, in the order the data travels.
//!
//! `ingest` reads raw files, `catalog` names tables, `plan` makes a logical plan, `policy` decides who may
//! see what, `execute` runs the plan. [`Session::query`] is the one way through all of them.

mod audit;
mod catalog;
mod change;
mod configuration;
mod error;
mod execute;
mod ingest;
mod memory_size;
mod options;
mod plan;
mod policy;
mod session;
mod settings;
#[expect(dead_code, unused_imports, reason = "the first to write a table removes this line")]
mod write;

pub use audit::{AuditError, Verified, verify_audit};
pub use catalog::{LakeLocation, TableFormat, TableInfo};
pub use change::{Existing, WriteMode};
pub use configuration::Configuration;
pub use error::{EngineError, ErrorKind, Result};
pub use execute::{Query, QueryReport, StatementKind};
pub use memory_size::parse_memory_size;
pub use options::{EngineOptions, SessionOptions};
pub use policy::{Access, ColumnAccess, Principal};
pub use session::{Engine, Session};
pub use settings::Settings;
pub use tithe_udfs::Backend;
