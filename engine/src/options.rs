//! How engines and sessions are set up.

use std::path::PathBuf;

use crate::catalog::LakeLocation;
use crate::cluster::ClusterOptions;

/// How an engine is set up. `Default` is an engine without a lake, within this machine's means.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Where the tables are; none for functions and literals alone.
    pub lake: Option<LakeLocation>,
    /// Bytes that queries may hold before they spill; by default 60 % of the memory of this machine or container,
    /// 4 GiB where that is not known.
    pub memory_limit: Option<usize>,
    /// Partitions a query is cut into; the number of cores by default.
    pub target_partitions: Option<usize>,
    /// Leave out lines of JSON that do not parse, and count them, instead of failing.
    pub skip_bad_lines: bool,
    /// The file that says who may see what; without one, every session sees everything.
    pub policy: Option<PathBuf>,
    /// The file with the key of `pseudonym`; without one, it cannot be called.
    pub pseudonym_key_file: Option<PathBuf>,
    /// Bytes of answers that are kept for the next who asks the same of the same files; none by default. They are part
    /// of `memory_limit`.
    pub result_cache: Option<usize>,
    /// The directory that keeps a record of every query; without one, the log alone has them.
    pub audit: Option<PathBuf>,
    /// Workers that run parts of queries; without them, everything runs in this process.
    pub cluster: Option<ClusterOptions>,
}

/// What a session may do. By default, everything: it is that of a lake's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionOptions {
    /// Refuse every statement that changes something, and settings that reach beyond the session's answers.
    pub read_only: bool,
    /// Permit, also to a session that is read only, the statements that write tables of the lake. Tables in the schema
    /// `public` are then the lake's as well, for the session ends with its statement.
    pub writes_lake: bool,
}
