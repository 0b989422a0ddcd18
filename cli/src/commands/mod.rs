//! The verbs: one file each, with its options and what it does.

pub(crate) mod functions;
pub(crate) mod sql;

use clap::Subcommand;
use tokio::runtime::Runtime;

use crate::failure::Result;

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run SQL: a shell, or statements from the command line, a file or standard input
    Sql(sql::Arguments),
    /// List Tithe's SQL functions, or print what one does
    Functions(functions::Arguments),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self, runtime: &Runtime) -> Result<()> {
        match self {
            Self::Sql(arguments) => arguments.run(runtime),
            Self::Functions(arguments) => arguments.run(),
        }
    }
}
