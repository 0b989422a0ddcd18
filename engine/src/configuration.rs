//! `tithe.toml`: what a project says once instead of on every command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::catalog::LakeLocation;
use crate::cluster::{CLUSTER_KEYS, ClusterConfiguration, ClusterSection};
use crate::error::{EngineError, Result, did_you_mean};
use crate::memory_size::Size;
use crate::options::{EngineOptions, QueryLimits};

const NAME: &str = "tithe.toml";

/// The content of a `tithe.toml`.
///
/// ```toml
/// lake = "./lake"            # a directory, relative to this file, or s3://bucket/prefix
/// policy = "policy.json"     # who may see what, relative to this file: docs/policy.md
/// pseudonym_key_file = "key" # the key of the function `pseudonym`, relative to this file
/// audit = "audit"            # a directory for the record of every query, relative to this file: docs/audit.md
///
/// [limits]
/// memory = "8 GiB"           # bytes that queries may hold before they spill
/// target_partitions = 8      # partitions a query is cut into
/// max_result_rows = 1000000  # of one query; without the key, as many as there are
/// max_result_bytes = "1 GiB" # of one query
/// max_scanned_bytes = "100 GiB" # that one query reads from the lake's files
/// max_plan_depth = 400       # operators above each other in a plan
///
/// [limits.users.lin]         # what is different for one user
/// max_result_rows = 1000
///
/// [json]
/// skip_bad_lines = true      # leave out and count lines of JSON that do not parse
///
/// [cluster]                  # docs/cluster.md; paths are relative to this file
/// workers = "dns:workers.internal:32020"  # or HOST:PORT, separated by commas
/// secret_file = "secret"     # the cluster's secret, the same on every node
/// authority = "ca.pem"       # who signed the nodes' certificates
/// certificate = "node.pem"   # this node's
/// key = "node.key"           # the certificate's
/// minimum = "64 MiB"         # bytes of files from which on a query is given to workers
/// per_partition = "16 MiB"   # bytes of files that one partition of a task reads
/// retries = 2                # how often a query is run again when a worker is lost before its first row
/// timeout_seconds = 10       # how long a worker may be silent
/// ```
///
/// Credentials have no place in it: stores read them from the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configuration {
    /// Where the tables are.
    pub lake: Option<LakeLocation>,
    /// Bytes that queries may hold before they spill.
    pub memory_limit: Option<usize>,
    /// Partitions a query is cut into.
    pub target_partitions: Option<usize>,
    /// How much every query may ask for.
    pub limits: QueryLimits,
    /// What differs from `limits` for the principal of a name.
    pub user_limits: BTreeMap<String, QueryLimits>,
    /// Leave out and count lines of JSON that do not parse.
    pub skip_bad_lines: bool,
    /// The file that says who may see what.
    pub policy: Option<PathBuf>,
    /// The file with the key of `pseudonym`.
    pub pseudonym_key_file: Option<PathBuf>,
    /// The directory that keeps a record of every query.
    pub audit: Option<PathBuf>,
    /// The workers, and how they are used.
    pub cluster: ClusterConfiguration,
}

impl Configuration {
    /// The `tithe.toml` in `directory` or the nearest directory above it; the defaults where there is none.
    ///
    /// # Errors
    /// When the file cannot be read or says something that is not understood.
    pub fn discover(directory: &Path) -> Result<Self> {
        match directory.ancestors().map(|above| above.join(NAME)).find(|path| path.is_file()) {
            Some(path) => Self::load(&path),
            None => Ok(Self::default()),
        }
    }

    /// The configuration in the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read or says something that is not understood.
    pub fn load(path: &Path) -> Result<Self> {
        let refuse =
            |reason: String| EngineError::Configuration { origin: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let base = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let parsed: File =
            toml::from_str(&text).map_err(|error| refuse(error.to_string().trim_end().to_owned()))?;
        parsed.check(&base).map_err(refuse)
    }

    /// Options for an engine that runs everything itself.
    #[must_use]
    pub fn engine_options(&self) -> EngineOptions {
        EngineOptions {
            lake: self.lake.clone(),
            memory_limit: self.memory_limit,
            target_partitions: self.target_partitions,
            skip_bad_lines: self.skip_bad_lines,
            policy: self.policy.clone(),
            pseudonym_key_file: self.pseudonym_key_file.clone(),
            audit: self.audit.clone(),
            limits: self.limits,
            user_limits: self.user_limits.clone(),
            ..EngineOptions::default()
        }
    }
}

type Unknown = BTreeMap<String, toml::Value>;

#[derive(Deserialize)]
struct File {
    lake: Option<String>,
    policy: Option<PathBuf>,
    pseudonym_key_file: Option<PathBuf>,
    audit: Option<PathBuf>,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    json: Json,
    #[serde(default)]
    cluster: ClusterSection,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize, Default)]
struct Limits {
    memory: Option<Size>,
    target_partitions: Option<usize>,
    max_result_rows: Option<u64>,
    max_result_bytes: Option<Size>,
    max_scanned_bytes: Option<Size>,
    max_plan_depth: Option<u64>,
    #[serde(default)]
    users: BTreeMap<String, Limits>,
    #[serde(flatten)]
    unknown: Unknown,
}

/// Of one query.
const QUERY_LIMITS: [&str; 4] =
    ["max_result_rows", "max_result_bytes", "max_scanned_bytes", "max_plan_depth"];

impl Limits {
    /// Those of one query; `section` names the part of the file.
    fn query_limits(&mut self, section: &str) -> std::result::Result<QueryLimits, String> {
        let bytes = |size: Option<Size>, key: &str| {
            let bytes =
                size.map(Size::bytes).transpose().map_err(|reason| format!("{section}{key}: {reason}"))?;
            Ok::<_, String>(bytes.map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX)))
        };
        Ok(QueryLimits {
            result_rows: self.max_result_rows,
            result_bytes: bytes(self.max_result_bytes.take(), "max_result_bytes")?,
            scanned_bytes: bytes(self.max_scanned_bytes.take(), "max_scanned_bytes")?,
            plan_depth: self.max_plan_depth,
        })
    }
}

#[derive(Deserialize, Default)]
struct Json {
    #[serde(default)]
    skip_bad_lines: bool,
    #[serde(flatten)]
    unknown: Unknown,
}

impl File {
    fn check(mut self, base: &Path) -> std::result::Result<Configuration, String> {
        refuse_unknown(
            "",
            &self.unknown,
            &["lake", "policy", "pseudonym_key_file", "audit", "limits", "json", "cluster"],
        )?;
        let own = ["memory", "target_partitions", "users"];
        refuse_unknown("limits.", &self.limits.unknown, &[&own[..], &QUERY_LIMITS].concat())?;
        let limits = self.limits.query_limits("limits.")?;
        let mut user_limits = BTreeMap::new();
        for (user, mut own) in std::mem::take(&mut self.limits.users) {
            let section = format!("limits.users.{user}.");
            if own.memory.is_some() || own.target_partitions.is_some() || !own.users.is_empty() {
                return Err(format!(
                    "{section} takes {} alone: memory and partitions are those of the whole engine",
                    QUERY_LIMITS.join(", ")
                ));
            }
            refuse_unknown(&section, &own.unknown, &QUERY_LIMITS)?;
            user_limits.insert(user, own.query_limits(&section)?);
        }
        refuse_unknown("json.", &self.json.unknown, &["skip_bad_lines"])?;
        refuse_unknown("cluster.", &self.cluster.unknown, &CLUSTER_KEYS)?;
        if self.limits.target_partitions == Some(0) {
            return Err("limits.target_partitions is 0, take at least 1".to_owned());
        }
        let lake = self.lake.map(|lake| location(base, &lake)).transpose()?;
        let memory_limit = self
            .limits
            .memory
            .map(Size::memory)
            .transpose()
            .map_err(|reason| format!("limits.memory: {reason}"))?;
        Ok(Configuration {
            lake,
            memory_limit,
            target_partitions: self.limits.target_partitions,
            limits,
            user_limits,
            skip_bad_lines: self.json.skip_bad_lines,
            policy: self.policy.map(|policy| base.join(policy)),
            pseudonym_key_file: self.pseudonym_key_file.map(|file| base.join(file)),
            audit: self.audit.map(|directory| base.join(directory)),
            cluster: self.cluster.check(base)?,
        })
    }
}

fn refuse_unknown(section: &str, unknown: &Unknown, known: &[&str]) -> std::result::Result<(), String> {
    let Some(key) = unknown.keys().next() else { return Ok(()) };
    let hint = did_you_mean(key, known.iter().copied(), &format!("; known keys are {}", known.join(", ")));
    Err(format!("unknown key {section}{key}{hint}"))
}

fn location(base: &Path, lake: &str) -> std::result::Result<LakeLocation, String> {
    let text = match lake.contains("://") {
        true => lake.to_owned(),
        false => base.join(lake).display().to_string(),
    };
    text.parse().map_err(|error: EngineError| format!("lake: {error}"))
}
