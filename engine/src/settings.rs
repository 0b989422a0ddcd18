//! Settings of a session beside DataFusion's: `SET tithe.… = …`.

use std::any::Any;
use std::fmt;
use std::str::FromStr;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::DataFusionError;

use crate::error::{EngineError, Result, did_you_mean};

/// The environment variable that sets [`Settings::compute_backend`] where a session does not.
const BACKEND_VARIABLE: &str = "TITHE_COMPUTE_BACKEND";
const SKIP_BAD_LINES: &str = "json.skip_bad_lines";
const BACKEND: &str = "compute.backend";

/// Where the mathematics of forecasts and estimates runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ComputeBackend {
    /// A GPU when one is present and the batch is large enough, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU; an error where there is none.
    Cuda,
}

impl fmt::Display for ComputeBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        })
    }
}

impl FromStr for ComputeBackend {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.to_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            _ => Err(format!("{text:?} is not a backend, take auto, cpu or cuda")),
        }
    }
}

/// The settings under `tithe.`; functions read them from the configuration that DataFusion hands them.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `tithe.json.skip_bad_lines`: leave out and count lines of JSON that do not parse.
    pub skip_bad_lines: bool,
    /// `tithe.compute.backend`.
    pub compute_backend: ComputeBackend,
}

impl Settings {
    /// The defaults, with the backend that the environment names.
    ///
    /// # Errors
    /// When `TITHE_COMPUTE_BACKEND` is not a backend.
    pub(crate) fn from_environment() -> Result<Self> {
        let compute_backend = match std::env::var(BACKEND_VARIABLE) {
            Ok(value) if !value.is_empty() => value.parse().map_err(|reason| EngineError::Configuration {
                origin: format!("environment variable {BACKEND_VARIABLE}"),
                reason,
            })?,
            _ => ComputeBackend::default(),
        };
        Ok(Self { compute_backend, ..Self::default() })
    }

    /// The settings inside a session's configuration.
    #[must_use]
    pub fn of(options: &ConfigOptions) -> Self {
        options.extensions.get::<Self>().cloned().unwrap_or_default()
    }
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
        match key {
            SKIP_BAD_LINES => {
                self.skip_bad_lines = value
                    .to_lowercase()
                    .parse()
                    .map_err(|_error| refuse(format!("{value:?} is neither true nor false")))?;
            }
            BACKEND => self.compute_backend = value.parse().map_err(refuse)?,
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
                "Where forecasts and estimates are computed: auto, cpu or cuda.",
            ),
        ]
    }
}
