//! Logs on standard error, none unless asked for.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::failure::{Failure, Result};

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, for what gathers logs
    Json,
}

/// Starts logging by `--log`, the environment variable `RUST_LOG`, or what the command logs by itself.
pub(crate) fn start(filter: Option<&str>, format: Format, default: Option<&str>) -> Result<()> {
    let from_environment = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let Some(text) = filter.or(from_environment.as_deref()).or(default).filter(|text| !text.is_empty())
    else {
        return Ok(());
    };
    let filter = EnvFilter::builder().parse(text).map_err(|error| {
        Failure::usage(format!(
            "cannot understand the log filter {text:?}: {error}; try `info` or `tithe=debug`"
        ))
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => log.init(),
        Format::Json => log.json().init(),
    }
    Ok(())
}
