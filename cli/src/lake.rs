//! The options that say which lake is read, with which limits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tithe_engine::{
    ClusterConfiguration, Configuration, Engine, EngineError, EngineOptions, LakeLocation, Principal,
    QueryLimits, Session, parse_memory_size, parse_size,
};

use crate::cluster::ClusterArguments;
use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;

/// Where a lake is when nobody says.
pub(crate) const DEFAULT_LAKE: &str = "lake";

/// Which lake, and its limits.
#[derive(Debug, Args)]
pub(crate) struct LakeArguments {
    /// The lake: a directory, or a URL such as s3://bucket/lake [default: the configuration's, else ./lake]
    #[arg(long, env = "TITHE_LAKE", value_name = "DIR|URL", help_heading = "Lake")]
    pub(crate) lake: Option<String>,

    /// Configuration file [default: the nearest tithe.toml here or above]
    #[arg(long, env = "TITHE_CONFIG", value_name = "FILE", help_heading = "Lake")]
    pub(crate) config: Option<PathBuf>,

    /// Memory that queries may hold before they spill to disk, such as 512M or 4G
    #[arg(long, value_name = "SIZE", value_parser = parse_memory_size, help_heading = "Lake")]
    pub(crate) memory: Option<usize>,

    /// Cores that a query may use [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Lake")]
    pub(crate) threads: Option<u16>,

    /// Rows that the result of one query may have [default: as many as there are]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_result_rows: Option<u64>,

    /// Bytes that the result of one query may have, such as 1G [default: as many as there are]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, help_heading = "Limits")]
    pub(crate) max_result_bytes: Option<u64>,

    /// Bytes that one query may read from the lake's files, such as 100G [default: as many as there are]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, help_heading = "Limits")]
    pub(crate) max_scanned_bytes: Option<u64>,

    /// Operators above each other in a plan [default: 400]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_plan_depth: Option<u64>,

    /// Leave out lines of JSON that do not parse, and say how many, instead of failing
    #[arg(long, help_heading = "Lake")]
    pub(crate) skip_bad_lines: bool,

    /// Who may see what: a policy file (see `tithe policy`) [default: the configuration's, else everything]
    #[arg(long, value_name = "FILE", help_heading = "Security")]
    pub(crate) policy: Option<PathBuf>,

    /// The key of the function pseudonym: a file of at least 32 random bytes
    #[arg(long, env = "TITHE_PSEUDONYM_KEY_FILE", value_name = "FILE", help_heading = "Security")]
    pub(crate) pseudonym_key: Option<PathBuf>,

    /// Keep a record of every query in this directory (see `tithe audit`)
    #[arg(long, value_name = "DIR", help_heading = "Security")]
    pub(crate) audit: Option<PathBuf>,

    /// See what this user sees under the policy
    #[arg(long = "as", value_name = "USER", help_heading = "Security")]
    pub(crate) as_user: Option<String>,
}

/// An opened lake and a session of the local user on it.
pub(crate) struct Opened {
    pub(crate) engine: Arc<Engine>,
    pub(crate) session: Session,
    /// What was opened; nothing when there is no lake at the default place.
    pub(crate) location: Option<LakeLocation>,
}

impl LakeArguments {
    /// The lake in a directory, with the usual limits.
    pub(crate) fn at(directory: &Path) -> Self {
        let lake = Some(directory.display().to_string());
        Self {
            lake,
            config: None,
            memory: None,
            threads: None,
            max_result_rows: None,
            max_result_bytes: None,
            max_scanned_bytes: None,
            max_plan_depth: None,
            skip_bad_lines: false,
            policy: None,
            pseudonym_key: None,
            audit: None,
            as_user: None,
        }
    }

    /// Opens the lake; without one at the default place, an engine for functions and files alone.
    ///
    /// What stands on the command line goes before the configuration file.
    pub(crate) async fn open(&self) -> Result<Opened> {
        self.open_within(None).await
    }

    /// As [`LakeArguments::open`], with a limit of memory that goes before the configuration file's.
    pub(crate) async fn open_within(&self, memory: Option<usize>) -> Result<Opened> {
        let mut options = self.options().map_err(|error| Failure::of_opening(&error))?;
        options.memory_limit = self.memory.or(memory).or(options.memory_limit);
        self.open_with(options).await
    }

    /// Like [`LakeArguments::open`], with the workers of a cluster.
    pub(crate) async fn open_on(
        &self,
        cluster: &ClusterArguments,
        result_cache: Option<usize>,
    ) -> Result<Opened> {
        let options = self.options().map_err(|error| Failure::of_opening(&error))?;
        let configured = self.cluster().map_err(|error| Failure::of_opening(&error))?;
        let opened = self
            .open_with(EngineOptions { cluster: cluster.options(configured), result_cache, ..options })
            .await?;
        for problem in opened.engine.worker_problems() {
            eprintln!("warning: {problem}");
        }
        Ok(opened)
    }

    /// Like [`LakeArguments::open`], for a worker: it keeps no policy and no audit, which are its coordinators' to keep.
    pub(crate) async fn open_as_worker(&self) -> Result<Opened> {
        let options = self.options().map_err(|error| Failure::of_opening(&error))?;
        self.open_with(EngineOptions { policy: None, audit: None, ..options }).await
    }

    /// The cluster that the configuration names.
    pub(crate) fn cluster(&self) -> tithe_engine::Result<ClusterConfiguration> {
        Ok(self.configuration()?.cluster)
    }

    async fn open_with(&self, options: EngineOptions) -> Result<Opened> {
        let location = options.lake.clone();
        let principal = match &self.as_user {
            Some(_) if options.policy.is_none() => {
                return Err(Failure::usage(
                    "--as needs a policy, which says what the user sees: give one with --policy",
                ));
            }
            Some(name) => Principal::from(name.as_str()),
            None => Principal::local(),
        };
        let opening = async { Engine::open(options).await.map_err(|error| Failure::of_opening(&error)) };
        // A store that does not answer is tried for a while.
        let engine = or_interrupt(opening).await?;
        let session = engine.session(principal).map_err(|error| Failure::of_opening(&error))?;
        Ok(Opened { engine, session, location })
    }

    fn configuration(&self) -> tithe_engine::Result<Configuration> {
        match &self.config {
            Some(path) => Configuration::load(path),
            None => Configuration::discover(&working_directory()?),
        }
    }

    fn limits(&self) -> QueryLimits {
        QueryLimits {
            result_rows: self.max_result_rows,
            result_bytes: self.max_result_bytes,
            scanned_bytes: self.max_scanned_bytes,
            plan_depth: self.max_plan_depth,
        }
    }

    fn options(&self) -> tithe_engine::Result<EngineOptions> {
        let configured = self.configuration()?.engine_options();
        let lake = match &self.lake {
            Some(text) => Some(text.parse()?),
            None => configured.lake,
        };
        let lake = match lake {
            None if Path::new(DEFAULT_LAKE).is_dir() => Some(DEFAULT_LAKE.parse()?),
            lake => lake,
        };
        Ok(EngineOptions {
            lake,
            memory_limit: self.memory.or(configured.memory_limit),
            target_partitions: self.threads.map(usize::from).or(configured.target_partitions),
            skip_bad_lines: self.skip_bad_lines || configured.skip_bad_lines,
            policy: self.policy.clone().or(configured.policy),
            pseudonym_key_file: self.pseudonym_key.clone().or(configured.pseudonym_key_file),
            audit: self.audit.clone().or(configured.audit),
            limits: self.limits().or(configured.limits),
            user_limits: configured.user_limits,
            ..EngineOptions::default()
        })
    }
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    Ok(u64::try_from(parse_size(text)?).unwrap_or(u64::MAX))
}

/// Where a `tithe.toml` is looked for first.
fn working_directory() -> tithe_engine::Result<PathBuf> {
    std::env::current_dir().map_err(|error| EngineError::Configuration {
        origin: "the working directory".to_owned(),
        reason: error.to_string(),
    })
}

impl Opened {
    /// Adds to a failure that there is no lake to have the table in.
    pub(crate) fn explain<T>(&self, result: Result<T>) -> Result<T> {
        match (result, &self.location) {
            (Err(Failure::Failed(message)), None) => Err(Failure::Failed(format!(
                "{message}\nno lake is open, for there is no ./{DEFAULT_LAKE}: name one with --lake, or write a \
                 sample with `tithe gen --scale 0.01 --out {DEFAULT_LAKE}`"
            ))),
            (other, _) => other,
        }
    }
}
