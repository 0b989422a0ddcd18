//! Whether the records of a directory are those that were written.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::chain::{GENESIS, digest};
use super::directory::{files, lines};

/// A chain of records that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Number of the first record; above 1 when older files have been taken away.
    pub first: u64,
    /// Number of the last record; one less than `first` when there is none.
    pub last: u64,
    /// SHA-256 of the last record. Whoever keeps it elsewhere can prove later that nothing before it was changed.
    pub head: String,
}

/// Why an audit directory is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// It cannot be read.
    #[error("cannot read the audit records in {}: {source}", path.display())]
    Unreadable {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record was changed, taken out or put in.
    #[error("the audit records are not whole: line {line} of {} {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: u64,
        /// What does not fit.
        reason: String,
    },
}

#[derive(Deserialize)]
struct Link {
    sequence: u64,
    previous: String,
}

/// Follows the chain through all files of `directory`.
///
/// Records that were removed from its end, and a chain that was made anew from some record on, are seen only by
/// comparing [`Verified::last`] and [`Verified::head`] with those of an earlier time.
///
/// # Errors
/// When a file cannot be read, or a record does not follow from the one before it.
pub fn verify_audit(directory: &Path) -> Result<Verified, AuditError> {
    let unreadable = |path: &Path, source| AuditError::Unreadable { path: path.to_owned(), source };
    let mut verified: Option<Verified> = None;
    for path in files(directory).map_err(|error| unreadable(directory, error))? {
        let mut number = 0;
        let mut broken = None;
        lines(&path, |line, ended| {
            number += 1;
            if broken.is_none() {
                broken = follow(&mut verified, line, ended).err().map(|reason| (number, reason));
            }
            Ok(())
        })
        .map_err(|error| unreadable(&path, error))?;
        if let Some((line, reason)) = broken {
            return Err(AuditError::Broken { path, line, reason });
        }
    }
    Ok(verified.unwrap_or_else(|| Verified { first: 1, last: 0, head: GENESIS.to_owned() }))
}

fn follow(verified: &mut Option<Verified>, line: &[u8], ended: bool) -> Result<(), String> {
    if !ended {
        return Err("is cut off".to_owned());
    }
    let link: Link = serde_json::from_slice(line).map_err(|error| format!("is not a record ({error})"))?;
    let head = digest(line);
    match verified {
        Some(before) if link.sequence != before.last + 1 => {
            return Err(format!("is record {}, and {} should follow", link.sequence, before.last + 1));
        }
        Some(before) if link.previous != before.head => {
            return Err("does not name the digest of the record before it, which has been changed".to_owned());
        }
        Some(before) => {
            before.last = link.sequence;
            before.head = head;
        }
        None if link.sequence == 1 && link.previous != GENESIS => {
            return Err("is the first record and follows another".to_owned());
        }
        None => *verified = Some(Verified { first: link.sequence, last: link.sequence, head }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: u64) -> Vec<String> {
        let mut previous = GENESIS.to_owned();
        (1..=count)
            .map(|sequence| {
                let line =
                    format!(r#"{{"sequence":{sequence},"previous":"{previous}","sql":"SELECT {sequence}"}}"#);
                previous = digest(line.as_bytes());
                line
            })
            .collect()
    }

    fn verify(lines: &[String]) -> Result<Verified, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit-00000000000000000001.jsonl");
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).unwrap();
        let name = format!("{}/", directory.path().display());
        verify_audit(directory.path()).map_err(|error| error.to_string().replace(&name, ""))
    }

    #[test]
    fn a_whole_chain_holds_from_wherever_it_begins() {
        let lines = chain(5);
        let verified = verify(&lines).unwrap();
        assert_eq!((verified.first, verified.last), (1, 5));
        assert_eq!(verified.head, digest(lines[4].as_bytes()));
        let later = verify(&lines[2..]).unwrap();
        assert_eq!((later.first, &later.head), (3, &verified.head));
        assert_eq!(verify(&[]).unwrap().last, 0);
    }

    #[test]
    fn every_change_is_seen() {
        let check = |change: fn(&mut Vec<String>), expected: &str| {
            let mut lines = chain(5);
            change(&mut lines);
            let error = verify(&lines).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(|lines| lines[2] = lines[2].replace("SELECT 3", "SELECT 0"), "line 4 of audit-");
        check(|lines| drop(lines.remove(2)), "line 3 of audit-00000000000000000001.jsonl is record 4, and 3");
        check(|lines| lines.swap(1, 2), "line 2");
        check(|lines| lines.insert(3, lines[3].clone()), "line 5");
        check(|lines| lines[4].truncate(9), "is not a record");
        check(|lines| lines[0] = lines[0].replace("0000", "1111"), "is the first record and follows another");
    }
}
