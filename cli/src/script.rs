//! Runs the statements of a script in order, and stops at the first that fails.

use std::path::Path;

use indicatif::HumanCount;
use tithe_engine::{Session, StatementKind};

use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;
use crate::output::Destination;
use crate::statement::{self, Done, Rendering};

/// Where a script's results go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'p> {
    /// How rows are written.
    pub(crate) rendering: Rendering,
    /// The file, or standard output.
    pub(crate) output: Option<&'p Path>,
    /// Tell on standard error how long each statement took.
    pub(crate) timing: bool,
}

/// Runs every statement of `script`. The output file appears when all of them are done.
pub(crate) async fn run(session: &Session, script: &str, target: Target<'_>) -> Result<()> {
    let statements = session.split(script).map_err(|error| Failure::of_statement(&error))?;
    let mut destination = match target.output {
        Some(path) => Destination::file(path)?,
        None => Destination::stdout(),
    };
    let format = target.rendering.format;
    if format.is_binary() && destination.is_terminal() {
        return Err(Failure::usage(format!(
            "{format} is not for reading on a terminal: name a file with --output, or send it on with | or >"
        )));
    }
    let single = target.output.is_some() || format.is_binary();
    or_interrupt(async {
        let mut results = 0;
        for (index, sql) in statements.iter().enumerate() {
            let done = statement::run(session, sql, target.rendering, &mut destination)
                .await
                .map_err(|failure| failure.in_statement(index + 1, statements.len()))?;
            results += usize::from(done.kind == StatementKind::Query);
            if single && results > 1 {
                return Err(Failure::usage(format!(
                    "statement {} gives a second result, and one {format} output holds one: write each to \
                     its own --output",
                    index + 1
                )));
            }
            report(&done, target);
        }
        Ok(())
    })
    .await?;
    destination.commit()
}

fn report(done: &Done, target: Target<'_>) {
    eprint!("{}", done.gaps());
    if done.left_out > 0 {
        eprintln!("{} more rows, not shown: --max-rows 0 shows all", HumanCount(done.left_out));
    }
    if target.timing {
        eprintln!("{}", done.cost());
    }
}
