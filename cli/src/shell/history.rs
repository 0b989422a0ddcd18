//! What was typed before, kept for the next time.

use std::path::{Path, PathBuf};

use rustyline::history::FileHistory;
use rustyline::{Editor, Helper};

/// `$XDG_STATE_HOME/tithe/history`, by default under `~/.local/state`.
pub(crate) fn path() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("tithe").join("history"))
}

/// Writes down what was typed. A history that cannot be kept is no reason to stop.
pub(crate) fn keep<H: Helper>(editor: &mut Editor<H, FileHistory>, path: &Path) {
    let kept = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .map_err(rustyline::error::ReadlineError::from)
        .and_then(|()| editor.append_history(path));
    if let Err(error) = kept {
        tracing::warn!(%error, path = %path.display(), "the history is not kept");
    }
}
