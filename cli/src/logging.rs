//! Logs on standard error, none unless asked for.

use clap::ValueEnum;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::failure::{Failure, Result};
use crate::traces::Traces;

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, for what gathers logs
    Json,
}

/// Starts logging by `--log`, the environment variable `RUST_LOG`, or what the command logs by itself; and tracing.
pub(crate) fn start(
    filter: Option<&str>,
    format: Format,
    default: Option<&str>,
    traces: Option<&Traces>,
) -> Result<()> {
    let from_environment = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let text = filter.or(from_environment.as_deref()).or(default).filter(|text| !text.is_empty());
    let filter = text.map(|text| {
        EnvFilter::builder().parse(text).map_err(|error| {
            Failure::usage(format!(
                "cannot understand the log filter {text:?}: {error}; try `info` or `tithe=debug`"
            ))
        })
    });
    let filter = filter.transpose()?;
    if filter.is_none() && traces.is_none() {
        return Ok(());
    }
    let log = filter.map(|filter| {
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = match format {
            Format::Text => lines.boxed(),
            Format::Json => lines.json().boxed(),
        };
        lines.with_filter(filter)
    });
    tracing_subscriber::registry().with(log).with(traces.map(Traces::layer)).init();
    Ok(())
}
