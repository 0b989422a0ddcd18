//! How engines and sessions are set up.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};
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
    /// How much every query may ask for.
    pub limits: QueryLimits,
    /// What differs from `limits` for the principal of a name.
    pub user_limits: BTreeMap<String, QueryLimits>,
}

impl EngineOptions {
    /// How much a query of the principal called `user` may ask for.
    #[must_use]
    pub fn limits_of(&self, user: &str) -> QueryLimits {
        self.user_limits.get(user).map_or(self.limits, |own| own.or(self.limits))
    }
}

/// How much one query may ask for; `None` sets no limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryLimits {
    /// Rows of the result.
    pub result_rows: Option<u64>,
    /// Bytes of the result in Arrow's plain form, without compression, dictionaries or padding.
    pub result_bytes: Option<u64>,
    /// Bytes read from the lake's files, as they are stored; on workers, those of the files, whole, that are read.
    pub scanned_bytes: Option<u64>,
    /// Operators above each other in the plan, with those of views; [`QueryLimits::PLAN_DEPTH`] unless set.
    pub plan_depth: Option<u64>,
}

impl QueryLimits {
    /// Operators above each other where nobody says.
    pub const PLAN_DEPTH: u64 = 400;

    /// These limits where they are set, else those of `general`.
    #[must_use]
    pub fn or(self, general: Self) -> Self {
        Self {
            result_rows: self.result_rows.or(general.result_rows),
            result_bytes: self.result_bytes.or(general.result_bytes),
            scanned_bytes: self.scanned_bytes.or(general.scanned_bytes),
            plan_depth: self.plan_depth.or(general.plan_depth),
        }
    }
}

/// Which limit a query ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitName {
    /// [`QueryLimits::result_rows`].
    ResultRows,
    /// [`QueryLimits::result_bytes`].
    ResultBytes,
    /// [`QueryLimits::scanned_bytes`].
    ScannedBytes,
    /// [`QueryLimits::plan_depth`].
    PlanDepth,
    /// Operators of the plan in all, each counted as often as it is run.
    PlanSize,
}

impl LimitName {
    /// What grew too large.
    pub(crate) fn subject(self) -> &'static str {
        match self {
            Self::ResultRows => "the result has more rows",
            Self::ResultBytes => "the result has more bytes",
            Self::ScannedBytes => "the query reads more bytes",
            Self::PlanDepth => "the plan has more operators above each other",
            Self::PlanSize => "the plan has more operators",
        }
    }

    /// What whoever asked does about it.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::ResultRows | Self::ResultBytes => {
                "aggregate it or filter it, or ask the operator to raise the limit"
            }
            Self::ScannedBytes => {
                "name fewer columns, filter by those that the table is partitioned by, or ask the operator to raise the limit"
            }
            Self::PlanDepth => "nest less, or ask the operator to raise the limit",
            Self::PlanSize => "write what it repeats into a table, and ask that",
        }
    }
}

impl Display for LimitName {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ResultRows => "max_result_rows",
            Self::ResultBytes => "max_result_bytes",
            Self::ScannedBytes => "max_scanned_bytes",
            Self::PlanDepth => "max_plan_depth",
            Self::PlanSize => "the planner",
        })
    }
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
