//! Settings of a session beside DataFusion's: `SET tithe.… = …`.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::DataFusionError;

use tithe_udfs::backend::BACKEND_VARIABLE;
use tithe_udfs::{Backend, BackendError, check_backend, requested_backend};

use crate::error::{EngineError, Result, did_you_mean};

const SKIP_BAD_LINES: &str = "json.skip_bad_lines";
const BACKEND: &str = "compute.backend";
const ROLLUPS: &str = "query.rollups";
const AGGREGATE_BEFORE_JOIN: &str = "query.aggregate_before_join";

/// The settings under `tithe.`; functions read them from the configuration that DataFusion hands them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `tithe.json.skip_bad_lines`: leave out and count lines of JSON that do not parse.
    pub skip_bad_lines: bool,
    /// `tithe.compute.backend`: where the parameters of forecasts are searched, and incomes drawn.
    pub compute_backend: Backend,
    /// `tithe.query.rollups`: answer aggregates from the rollups of their tables.
    pub rollups: bool,
    /// `tithe.query.aggregate_before_join`: group rows by what they are joined by, and join the groups.
    pub aggregate_before_join: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            skip_bad_lines: false,
            compute_backend: Backend::default(),
            rollups: true,
            aggregate_before_join: true,
        }
    }
}

impl Settings {
    /// The defaults, with the backend that the environment names.
    ///
    /// # Errors
    /// When `TITHE_COMPUTE_BACKEND` is not a backend, or one that cannot be had here.
    pub(crate) fn from_environment() -> Result<Self> {
        let compute_backend =
            requested_backend(None).and_then(available).map_err(|error| EngineError::Configuration {
                origin: format!("environment variable {BACKEND_VARIABLE}"),
                reason: error.to_string(),
            })?;
        Ok(Self { compute_backend, ..Self::default() })
    }

    /// The settings inside a session's configuration.
    #[must_use]
    pub fn of(options: &ConfigOptions) -> Self {
        options.extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

/// The backend as it was asked for, where it can be had: nothing runs elsewhere than the user was told.
fn available(backend: Backend) -> std::result::Result<Backend, BackendError> {
    check_backend(backend).map(|()| backend)
}

impl ConfigExtension for Settings {
    const PREFIX: &'static str = "tithe";
}

impl ExtensionOptions for Settings {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> datafusion::common::Result<()> {
        let refuse = |reason: String| {
            DataFusionError::from(EngineError::Configuration {
                origin: format!("setting {}.{key}", Self::PREFIX),
                reason,
            })
        };
        let truth = || {
            value
                .to_lowercase()
                .parse()
                .map_err(|_error| refuse(format!("{value:?} is neither true nor false")))
        };
        match key {
            SKIP_BAD_LINES => self.skip_bad_lines = truth()?,
            ROLLUPS => self.rollups = truth()?,
            AGGREGATE_BEFORE_JOIN => self.aggregate_before_join = truth()?,
            BACKEND => {
                self.compute_backend = value
                    .parse()
                    .and_then(available)
                    .map_err(|error: BackendError| refuse(error.to_string()))?;
            }
            _ => {
                let name = format!("{}.{key}", Self::PREFIX);
                let entries = self.entries();
                let known = entries.iter().map(|entry| entry.key.as_str());
                let hint = did_you_mean(&name, known, "; `SHOW ALL` lists the settings");
                return Err(EngineError::Unknown { what: "setting", name, hint }.into());
            }
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |key: &str, value: String, description: &'static str| ConfigEntry {
            key: format!("{}.{key}", Self::PREFIX),
            value: Some(value),
            description,
        };
        vec![
            entry(
                SKIP_BAD_LINES,
                self.skip_bad_lines.to_string(),
                "Leave out and count lines of JSON that do not parse, instead of failing.",
            ),
            entry(
                BACKEND,
                self.compute_backend.to_string(),
                "Where the parameters of forecasts are searched: auto, cpu or cuda.",
            ),
            entry(
                ROLLUPS,
                self.rollups.to_string(),
                "Answer aggregates from the rollups of their tables, where these have what is asked.",
            ),
            entry(
                AGGREGATE_BEFORE_JOIN,
                self.aggregate_before_join.to_string(),
                "Aggregate a large table by what it is joined by, and join the groups, where these are few.",
            ),
        ]
    }
}
