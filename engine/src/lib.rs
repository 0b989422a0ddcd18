//! Tithe's engine: from raw files to query results, in the order the data travels.
//!
//! `ingest` reads raw files, `catalog` names tables, `plan` makes a logical plan, `policy` decides who may
//! see what, `execute` runs the plan, here or on the workers of a `cluster`. [`Session::query`] is the one way through all of them.

mod audit;
mod catalog;
mod change;
mod cluster;
mod configuration;
mod engine;
mod error;
mod execute;
mod ingest;
mod job;
mod layout;
mod memory_size;
mod optimize;
mod options;
mod plan;
mod policy;
mod result_cache;
mod rollup;
mod scan;
mod session;
mod settings;
mod write;

pub use audit::{AuditError, LiveQuery, Verified, verify_audit};
pub use catalog::{LakeLocation, TableFormat, TableInfo};
pub use change::{Existing, WriteMode};
pub use cluster::{
    ClusterConfiguration, ClusterIdentity, ClusterOptions, ClusterTls, WorkerAddresses, WorkerService,
};
pub use configuration::Configuration;
pub use engine::Engine;
pub use error::{EngineError, ErrorKind, Result};
pub use execute::{
    PreparedQuery, Query, QueryReport, StatementKind, TRACE_TARGET, default_memory_limit, follow_trace,
    plain_size,
};
pub use job::{
    Difference, Job, JobDefinition, JobFailure, JobParameter, JobProgress, JobQuery, JobReport, JobState,
    JobStatus, JobVerified, Outcome as JobOutcome, OutputMode, PartitionRule,
};
pub use layout::{
    ColumnLayout, LayoutOptions, LayoutOrder, LayoutProgress, LayoutReport, LayoutTotals, ObservedQueries,
    QueryGain,
};
pub use memory_size::{parse_memory_size, parse_size};
pub use options::{EngineOptions, LimitName, QueryLimits, SessionOptions};
pub use policy::{
    Access, ColumnAccess, EffectivePolicy, Memberships, MinimumGroup, Principal, VisibleColumn, VisibleRows,
    VisibleTable,
};
pub use rollup::{RollupInfo, RollupProgress, RollupReport, RollupState};
pub use scan::{ProposedTag, TableScan};
pub use session::Session;
pub use settings::Settings;
pub use tithe_udfs::Backend;
