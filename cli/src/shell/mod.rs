//! The shell: statements end in `;`, commands of the shell start with `\`.

mod backslash;
mod completer;
mod history;
mod vocabulary;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::runtime::Runtime;

use crate::failure::{Failure, Result};
use crate::interrupt::or_interrupt;
use crate::lake::Opened;
use crate::output::Destination;
use crate::script::{self, Target};
use crate::shell::backslash::Next;
use crate::shell::completer::ShellHelper;
use crate::shell::vocabulary::Vocabulary;
use crate::statement::{self, Rendering};

/// What the shell's own commands change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) rendering: Rendering,
    pub(crate) timing: bool,
}

/// Reads and runs until the user leaves.
pub(crate) fn run(runtime: &Runtime, opened: &Opened, rendering: Rendering, timing: bool) -> Result<()> {
    let unusable = |error: &ReadlineError| Failure::failed(format!("cannot use this terminal: {error}"));
    let config = Config::builder()
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .auto_add_history(true)
        .build();
    let mut editor = Editor::with_history(config.clone(), FileHistory::with_config(&config))
        .map_err(|error| unusable(&error))?;
    editor.set_helper(Some(ShellHelper::new(Vocabulary::new(runtime.handle(), &opened.session))));
    let history = history::path();
    if let Some(path) = &history {
        let _none_yet = editor.load_history(path);
    }
    match &opened.location {
        Some(location) => eprintln!("tithe {}, lake {location}", env!("CARGO_PKG_VERSION")),
        None => eprintln!("tithe {}, no lake is open (see --lake)", env!("CARGO_PKG_VERSION")),
    }
    eprintln!("Statements end in ;  Help: \\?  Leave: \\q");

    let mut state = State { rendering, timing };
    loop {
        let line = match editor.readline("tithe> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(unusable(&error)),
        };
        if let Some(path) = &history {
            history::keep(&mut editor, path);
        }
        let entered = line.trim();
        let result = if entered.is_empty() {
            Ok(Next::Stay)
        } else if entered.starts_with('\\') {
            backslash::run(runtime, opened, &mut state, entered)
        } else {
            runtime.block_on(statements(opened, &state, entered)).map(|()| Next::Stay)
        };
        match result {
            Ok(Next::Leave) => break,
            Ok(Next::Stay) => {}
            Err(Failure::Interrupted) => eprintln!("cancelled"),
            Err(Failure::ReaderGone) => return Err(Failure::ReaderGone),
            Err(failure) => eprintln!("error: {failure}"),
        }
        if let Some(helper) = editor.helper_mut() {
            helper.forget_tables();
        }
    }
    Ok(())
}

/// Runs what was typed, and says what it did.
async fn statements(opened: &Opened, state: &State, text: &str) -> Result<()> {
    let format = state.rendering.format;
    let mut destination = Destination::stdout();
    if format.is_binary() && destination.is_terminal() {
        return Err(Failure::usage(format!("{format} is not for reading on a terminal: \\format table")));
    }
    let session = &opened.session;
    let parts = opened.explain(session.split(text).map_err(|error| Failure::of_statement(&error)))?;
    for (index, sql) in parts.iter().enumerate() {
        let work = statement::run(session, sql, state.rendering, &mut destination);
        let done =
            opened.explain(or_interrupt(work).await.map_err(|f| f.in_statement(index + 1, parts.len())))?;
        std::io::Write::flush(&mut destination).map_err(|error| destination.io_failure(&error))?;
        eprint!("{}", done.gaps());
        match state.timing {
            true => eprintln!("{}", done.cost()),
            false => eprintln!("{}", done.summary()),
        }
    }
    Ok(())
}

/// Runs a script file as `tithe sql -f` would.
async fn file(opened: &Opened, state: &State, text: &str) -> Result<()> {
    let target = Target { rendering: state.rendering, output: None, timing: state.timing };
    opened.explain(script::run(&opened.session, text, target).await)
}
