//! The files of an audit directory.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// What every file's name ends with.
pub(super) const EXTENSION: &str = ".jsonl";
const PREFIX: &str = "audit-";

/// The file whose first record has this number.
pub(super) fn file_name(sequence: u64) -> String {
    format!("{PREFIX}{sequence:020}{EXTENSION}")
}

/// The files of records in `directory`, oldest first.
pub(super) fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_records = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
            name.strip_prefix(PREFIX)
                .and_then(|rest| rest.strip_suffix(EXTENSION))
                .is_some_and(|digits| digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if is_records {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Calls `with` for every line of `path`, without its end; the last one says whether it was ended.
pub(super) fn lines(path: &Path, mut with: impl FnMut(&[u8], bool) -> io::Result<()>) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let ended = line.last() == Some(&b'\n');
        if ended {
            line.pop();
        }
        with(&line, ended)?;
    }
}
