//! `tithe audit`: are the records of who asked what those that were written?

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tithe_engine::{AuditError, verify_audit};

use crate::failure::{Failure, Result};
use crate::output::Destination;

const EXAMPLES: &str = "\
Examples:
  tithe serve --lake lake --audit audit                                     keeps a record of every query
  tithe audit verify audit                                                  none was changed or taken out
  tithe sql --lake lake --audit mine -c \"SELECT * FROM audit.query\"         one's own

What a record holds, and who may query them: docs/audit.md.";

/// Options of `tithe audit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Follow the chain of records through all files
    #[command(after_help = EXAMPLES)]
    Verify {
        /// The audit directory
        directory: PathBuf,
    },
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let Action::Verify { directory } = self.action;
        let verified = verify_audit(&directory).map_err(|error| match error {
            AuditError::Unreadable { .. } => Failure::usage(error.to_string()),
            AuditError::Broken { .. } => Failure::failed(error.to_string()),
        })?;
        let mut destination = Destination::stdout();
        let said = match verified.last.checked_sub(verified.first) {
            Some(_) => writeln!(
                destination,
                "records {} to {} are whole; SHA-256 of the last one: {}",
                verified.first, verified.last, verified.head
            ),
            None => writeln!(destination, "there are no records"),
        };
        said.map_err(|error| destination.io_failure(&error))?;
        destination.commit()
    }
}
