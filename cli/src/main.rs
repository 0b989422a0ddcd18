//! `tithe`: SQL, forecasts and creators' incomes over the data of a tax authority.

mod cluster;
mod commands;
mod defect;
mod failure;
mod interrupt;
mod lake;
mod little_memory;
mod logging;
mod nearest;
mod output;
mod processor;
mod python;
mod report;
mod script;
mod shell;
mod signals;
mod statement;
mod traces;

use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::commands::Command;
use crate::failure::{Failure, Result};
use crate::traces::Traces;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A query engine for tax authorities: SQL over a lake of tax, invoice and third-party data, with revenue
/// forecasts and estimates of creators' incomes as SQL functions.
#[derive(Debug, Parser)]
#[command(name = "tithe", version, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    /// Log to standard error, such as `info` or `tithe_engine=debug` [env: RUST_LOG]
    #[arg(long, value_name = "FILTER", global = true)]
    log: Option<String>,

    /// How the log is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, global = true)]
    log_format: logging::Format,

    /// Send traces of queries to this OpenTelemetry collector, by OTLP over gRPC, such as http://127.0.0.1:4317
    /// [env: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT]
    #[arg(long, value_name = "URL", global = true)]
    traces: Option<String>,

    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tithe demo                                      see it all on a small sample lake
  tithe gen --scale 0.01 --out lake               write a sample lake
  tithe sql                                       a shell over ./lake
  tithe sql -c 'SELECT * FROM ref.bureau'         one query
  tithe query list                                questions that are already answered
  tithe job run job.toml                          a batch job, or the rest of it
  tithe serve --lake lake                         a Flight SQL server for Python and BI tools

Exit codes: 0 done, 1 the query or job failed, 2 wrong use or configuration, 3 could not connect, 4 not allowed,
5 a limit was reached, 130 interrupted.";

fn main() -> ExitCode {
    if let Some(lack) = processor::lack() {
        // In pieces: see there.
        let mut told = stderr();
        told.write_all(b"error: this tithe was built for processors since 2013, and this one has no ").ok();
        told.write_all(lack.as_bytes()).ok();
        told.write_all(b": build it again for older ones with RUSTFLAGS=\"\" cargo build --release\n").ok();
        return ExitCode::from(2);
    }
    match started() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::ReaderGone) {
                eprintln!("error: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Apart, so that nothing of it is computed before the processor was asked.
#[inline(never)]
fn started() -> Result<()> {
    let given = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&given).unwrap_or_else(|error| error.exit());
    little_memory::begin_again(&given);
    let name = given.subcommand_name().unwrap_or_default();
    defect::keep_panics();
    catch_unwind(AssertUnwindSafe(|| run(cli, name))).unwrap_or_else(|_panic| Err(defect::failure()))
}

fn run(cli: Cli, name: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the worker threads: {error}")))?;
    let traces = Traces::start(cli.traces.as_deref(), name, &runtime)?;
    logging::start(cli.log.as_deref(), cli.log_format, cli.command.default_log(), traces.as_ref())?;
    let result = cli.command.run(&runtime);
    drop(traces);
    // A cancelled operator may still be busy; nobody waits for it.
    runtime.shutdown_background();
    result
}
