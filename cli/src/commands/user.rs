//! `tithe user`: who may log in to a server.

use std::fs::Permissions;
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::history::MemHistory;
use rustyline::{ColorMode, Completer, Config, Editor, Helper, Hinter, Validator};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};

const EXAMPLES: &str = "\
Examples:
  tithe user add wang --users users.toml              asks for the password twice
  pass show tithe/wang | tithe user add wang --users users.toml

The password is never taken from the command line, where others could read it. A running server reads the file
when it starts.";

/// Options of `tithe user`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a user to a users file, with a password from the terminal or standard input
    #[command(after_help = EXAMPLES)]
    Add {
        /// The user's name
        name: String,

        /// The users file; it is made when it does not exist
        #[arg(long, value_name = "FILE")]
        users: PathBuf,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct UsersFile {
    #[serde(default)]
    user: Vec<User>,
}

#[derive(Debug, Serialize, Deserialize)]
struct User {
    name: String,
    password_hash: String,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let Action::Add { name, users } = self.action;
        if name.is_empty() || name.contains(':') || name.chars().any(char::is_control) {
            return Err(Failure::usage(format!(
                "the user name {name:?} must not be empty or contain a colon"
            )));
        }
        let before = read(&users)?;
        let known: UsersFile = toml::from_str(&before).map_err(|error| {
            Failure::usage(format!(
                "the users file {} is not understood: {}",
                users.display(),
                error.message()
            ))
        })?;
        if known.user.iter().any(|user| user.name == name) {
            return Err(Failure::usage(format!(
                "the users file {} has the user {name:?} already: remove the entry first",
                users.display()
            )));
        }
        let password = password()?;
        let password_hash = tithe_flight_server::hash_password(&password)
            .map_err(|error| Failure::usage(error.to_string()))?;
        let entry = UsersFile { user: vec![User { name: name.clone(), password_hash }] };
        let entry = toml::to_string(&entry).map_err(|error| Failure::failed(error.to_string()))?;
        let gap = if before.is_empty() || before.ends_with("\n\n") {
            ""
        } else if before.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        };
        replace(&users, &format!("{before}{gap}{entry}"))?;
        eprintln!("{name} is in {}", users.display());
        Ok(())
    }
}

fn read(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Failure::usage(format!("cannot read the users file {}: {error}", path.display()))),
    }
}

/// The file is the old one or the new one at every moment, and never readable by others than before.
fn replace(path: &Path, text: &str) -> Result<()> {
    let failed = |error: &std::io::Error| {
        Failure::usage(format!("cannot write the users file {}: {error}", path.display()))
    };
    let target = path.canonicalize().unwrap_or_else(|_absent| path.to_path_buf());
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let permissions = match target.metadata() {
        Ok(metadata) => metadata.permissions(),
        Err(_absent) => Permissions::from_mode(0o600),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".users.")
        .suffix(".part")
        .tempfile_in(folder)
        .map_err(|error| failed(&error))?;
    file.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
    file.as_file().set_permissions(permissions).map_err(|error| failed(&error))?;
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(&target).map_err(|error| failed(&error.error))?;
    Ok(())
}

fn password() -> Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|error| {
            Failure::failed(format!("cannot read the password from standard input: {error}"))
        })?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let unusable = |error: rustyline::error::ReadlineError| match error {
        rustyline::error::ReadlineError::Interrupted | rustyline::error::ReadlineError::Eof => {
            Failure::Interrupted
        }
        other => Failure::failed(format!("cannot read the password from this terminal: {other}")),
    };
    let config = Config::builder().auto_add_history(false).color_mode(ColorMode::Forced).build();
    let history = MemHistory::with_config(&config);
    let mut editor = Editor::with_history(config, history).map_err(unusable)?;
    editor.set_helper(Some(Hidden));
    let first = editor.readline("Password: ").map_err(unusable)?;
    if editor.readline("Again: ").map_err(unusable)? != first {
        return Err(Failure::usage("the two passwords differ: nothing was written"));
    }
    Ok(first)
}

/// Shows nothing of what is typed.
#[derive(Completer, Helper, Hinter, Validator)]
struct Hidden;

impl Highlighter for Hidden {
    fn highlight<'l>(&self, _line: &'l str, _pos: usize) -> std::borrow::Cow<'l, str> {
        std::borrow::Cow::Borrowed("")
    }

    fn highlight_char(&self, _line: &str, _pos: usize, kind: CmdKind) -> bool {
        !matches!(kind, CmdKind::MoveCursor)
    }
}
